package fleet

import (
	"testing"

	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) {
	wiretest.Main(m)
}
