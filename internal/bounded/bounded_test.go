package bounded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// TestBounds: what has so many bytes is read, and one byte more is not, in part neither.
func TestBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	got := map[int][2]string{}
	for size := 9; size <= 11; size++ {
		text := strings.Repeat("x", size)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got[size] = [2]string{
			outcome(ReadAll(iotest.OneByteReader(strings.NewReader(text)), 10)),
			strings.ReplaceAll(outcome(ReadFile(path, 10)), path, "FILE"),
		}
	}
	want := map[int][2]string{
		9:  {"xxxxxxxxx", "xxxxxxxxx"},
		10: {"xxxxxxxxxx", "xxxxxxxxxx"},
		11: {"larger than 10 bytes", "read FILE: larger than 10 bytes"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// outcome is what was read, or the error.
func outcome(data []byte, err error) string {
	if err != nil {
		return string(data) + err.Error()
	}
	return string(data)
}

// TestWithoutEnd: a file that does not say how long it is ends at the bound.
func TestWithoutEnd(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no file without an end here: ", err)
	}
	data, err := ReadFile("/dev/zero", 1<<20)
	if e, ok := errors.AsType[*TooLargeError](err); !ok || len(data) > 0 || e.Error() != "larger than 1 MiB" {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

// TestFailures: what the system says is what is returned.
func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	if _, err := ReadAll(iotest.ErrReader(broken), 10); err != broken {
		t.Error(err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none"), 10); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
