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
	if dir := os.Getenv("FLEET_SERVER"); dir != "" {
		if err := serveAlone(dir, os.Getenv("FLEET_PORT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	wiretest.Main(m)
}
