package cache

import (
	"os"
	"testing"

	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv("CACHE_WRITER"); folder != "" {
		writer(folder)
		return
	}
	wiretest.Main(m)
}
