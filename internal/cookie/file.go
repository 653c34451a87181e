package cookie

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mountable/requests/internal/bounded"
)

// maxFile bounds the files that are read: a jar has a few thousand lines.
const maxFile = 32 << 20

// ReplaceFile writes a file of its own beside the named one and renames it.
func ReplaceFile(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".cookies-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// ReadFile reads the named file within bounds.
func ReadFile(name string) ([]byte, error) { return bounded.ReadFile(name, maxFile) }

// Choose returns the cookies without those that no date ends and those that have expired, unless
// these are wanted.
func Choose(cookies []Stored, now time.Time, session, expired bool) []Stored {
	return slices.DeleteFunc(cookies, func(c Stored) bool {
		if c.Expires.IsZero() {
			return !session
		}
		return !expired && c.Expired(now)
	})
}
