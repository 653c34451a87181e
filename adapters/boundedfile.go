package adapters

import (
	"fmt"
	"io"
	"os"
)

// What is read of a file that others may have written.
const (
	maxCassette = 1 << 30
	maxCRL      = 128 << 20
)

// readBounded reads the named file, which may have most bytes.
func readBounded(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var data []byte
	if info.Size() <= most { // that of a pipe is 0
		data, err = io.ReadAll(io.LimitReader(f, most+1))
	}
	if info.Size() > most || int64(len(data)) > most {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, most>>20)
	}
	return data, err
}
