package adapters

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/mountable/requests"
)

// TestLargeFiles: what is too large for a cassette or a list of certificates is not read.
func TestLargeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, c := range []struct {
		size int64
		open func() error
	}{
		{maxCassette, func() error { _, err := Cassette(path, RecordNone); return err }},
		{maxCRL, func() error { _, err := CRLFiles(path); return err }},
	} {
		f, err := os.Create(path)
		if err == nil {
			err = errors.Join(f.Truncate(c.size+1), f.Close()) // a sparse file
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := c.open(); !errors.Is(err, requests.ErrFile) {
			t.Errorf("%d bytes: %v", c.size+1, err)
		}
	}
}
