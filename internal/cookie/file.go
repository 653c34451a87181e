package cookie

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
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
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("more than %d bytes", maxFile)
	}
	return data, err
}

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
