package coding

import (
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// brotliReader undoes "br" (RFC 7932). Bytes after the stream are an error.
type brotliReader struct {
	*brotli.Reader
	src *source
}

var brotliReaders = sync.Pool{New: func() any { return new(brotli.Reader) }}

func newBrotli(src *source) decoder {
	r := brotliReaders.Get().(*brotli.Reader)
	_ = r.Reset(src)
	return &brotliReader{r, src}
}

// Read lets an empty body pass, which has no brotli stream in it.
func (b *brotliReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.ErrUnexpectedEOF && b.src.n == 0 {
		err = io.EOF
	}
	return n, err
}

func (b *brotliReader) release() {
	_ = b.Reset(nil)
	brotliReaders.Put(b.Reader)
}

// zstdWindow is the window RFC 9659 allows for the content coding. Frames
// which want more memory are refused.
const zstdWindow = 8 << 20

// zstdReader undoes "zstd" (RFC 8878): one frame or several. The decoder runs
// in its caller's goroutine and owns none.
type zstdReader struct{ *zstd.Decoder }

var zstdReaders = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		return err
	}
	return d
}}

func newZstd(src *source) decoder {
	d, ok := zstdReaders.Get().(*zstd.Decoder)
	if !ok {
		return unsupported{src}
	}
	_ = d.Reset(src)
	return zstdReader{d}
}

func (z zstdReader) release() {
	_ = z.Reset(nil)
	zstdReaders.Put(z.Decoder)
}
