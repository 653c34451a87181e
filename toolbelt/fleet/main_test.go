package fleet

import (
	"fmt"
	"os"
	"testing"

	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv("FLEET_WORKER"); url != "" {
		if err := crashWorker(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	wiretest.Main(m)
}
