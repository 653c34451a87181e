package certs

import (
	"errors"
	"io"
	"os"
	"time"
)

// maxFile bounds what is read of one file; the largest CA bundles have well below 1 MiB.
const maxFile = 32 << 20

var errTooLarge = errors.New("larger than 32 MiB")

// stamp says which state of a file was read.
type stamp struct {
	path string
	info os.FileInfo
	read time.Time
}

// fresh reports whether the file is still what it was. A file changed so shortly before it was read that
// another change could carry the same time is never fresh.
func (s stamp) fresh(now os.FileInfo) bool {
	return s.info != nil && os.SameFile(s.info, now) && s.info.Size() == now.Size() &&
		s.info.ModTime().Equal(now.ModTime()) && s.read.Sub(now.ModTime()) > time.Second
}

// readFile returns the content and the state it belongs to.
func readFile(path string) ([]byte, stamp, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, stamp{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, stamp{}, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = errTooLarge
	}
	return content, stamp{path, info, time.Now()}, err
}
