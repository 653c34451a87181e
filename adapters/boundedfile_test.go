package adapters

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestReadBounded: a file of that size is read, and one byte more is not, nor what has no end.
func TestReadBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	got := map[int]bool{}
	for size := 9; size <= 11; size++ {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		data, err := readBounded(path, 10)
		got[size] = err == nil && len(data) == size
	}
	if diff := cmp.Diff(map[int]bool{9: true, 10: true, 11: false}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := readBounded("/dev/zero", 10); err == nil {
			t.Error("zeros without end were read")
		}
	}
}

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
