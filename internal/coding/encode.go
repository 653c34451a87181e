package coding

import (
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// NewWriter returns what writes to w in a coding: gzip, zstd or br. None has a goroutine.
func NewWriter(name string, w io.Writer) (io.WriteCloser, error) {
	switch name {
	case "gzip":
		return gzip.NewWriter(w), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	case "br":
		return brotli.NewWriter(w), nil
	}
	return nil, fmt.Errorf("%q is not a coding that can be written: gzip, zstd and br are", name)
}
