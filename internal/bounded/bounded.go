// Package bounded reads files that others have written, and may go on writing, up to a bound.
package bounded

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// TooLargeError is for what has more than Most bytes.
type TooLargeError struct{ Most int64 }

// Error implements error.
func (e *TooLargeError) Error() string {
	if mib := e.Most >> 20; mib > 0 && mib<<20 == e.Most {
		return fmt.Sprintf("larger than %d MiB", mib)
	}
	return fmt.Sprintf("larger than %d bytes", e.Most)
}

// ReadAll reads all of r, which may have most bytes: more is a [*TooLargeError], and nothing of
// it is returned.
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if int64(len(data)) > most {
		return nil, &TooLargeError{most}
	}
	return data, err
}

// ReadFile is ReadAll of the named file. One that is said to be larger is not read at all.
func ReadFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() <= most { // that of a pipe is 0
		data, err := ReadAll(f, most)
		if _, tooLarge := err.(*TooLargeError); !tooLarge {
			return data, err
		}
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: &TooLargeError{most}}
}
