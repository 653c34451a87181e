package certs

import (
	"os"
	"time"

	"github.com/mountable/requests/internal/bounded"
)

// maxFile bounds what is read of one file; the largest CA bundles have well below 1 MiB.
const maxFile = 32 << 20

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
	content, err := bounded.ReadAll(f, maxFile)
	return content, stamp{path, info, time.Now()}, err
}
