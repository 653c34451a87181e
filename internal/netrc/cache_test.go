package netrc

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeNetrc makes a file of n bytes, which ends in the entry of a host, the one that NETRC names.
func writeNetrc(t *testing.T, n int) string {
	const entry = "machine h.test login u password p\n"
	path := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(path, []byte(strings.Repeat("\n", n-len(entry))+entry), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NETRC", path)
	return path
}

// TestFileBound: a file of 4 MiB is read, a larger one is an error or, read as Python does, has no credentials.
func TestFileBound(t *testing.T) {
	for _, python := range []bool{false, true} {
		for _, n := range []int{maxSize - 1, maxSize, maxSize + 1} {
			writeNetrc(t, n)
			f, err := new(Cache).Load(python)
			if taken := f != nil && err == nil; taken != (n <= maxSize) {
				t.Errorf("python %t, %d bytes: taken %t, error %v", python, n, taken, err)
			}
			if wrong, ok := errors.AsType[*FileError](err); ok != (n > maxSize && !python) {
				t.Errorf("python %t, %d bytes: %v", python, n, wrong)
			}
		}
	}
}

// TestFileGrows: the bound holds for what is read, not for the size that the file had before.
func TestFileGrows(t *testing.T) {
	small, err := os.Stat(writeNetrc(t, 100))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := readFile(writeNetrc(t, maxSize+1), small); err == nil {
		t.Errorf("%d bytes were taken", len(text))
	}
}
