package adapters

import (
	"io"
	"sync"
	"time"

	"github.com/mountable/requests"
)

// whenEnded calls end once, when the body of r has ended: read to its end, failed or
// closed. A body that is known to be empty has ended already.
func whenEnded(r *requests.Response, end func()) {
	b := &endingBody{ReadCloser: r.Raw, end: sync.OnceFunc(end)}
	if r.Raw == nil || b.Remaining() == 0 {
		b.end()
		return
	}
	r.Raw = b
}

// endingBody is a body that tells when it has ended, and can do whatever it can.
type endingBody struct {
	io.ReadCloser
	end func()
}

// Read implements [io.Reader].
func (b *endingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil || b.Remaining() == 0 {
		b.end()
	}
	return n, err
}

// WriteTo implements [io.WriterTo], which copies in larger pieces where the body can.
func (b *endingBody) WriteTo(w io.Writer) (int64, error) {
	defer b.end()
	return io.Copy(w, b.ReadCloser)
}

// Close implements [io.Closer].
func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (b *endingBody) Remaining() int64 {
	if s, ok := b.ReadCloser.(interface{ Remaining() int64 }); ok {
		return s.Remaining()
	}
	return -1
}

// Chunked reports whether the body is made of chunks.
func (b *endingBody) Chunked() bool {
	c, ok := b.ReadCloser.(interface{ Chunked() bool })
	return ok && c.Chunked()
}

// ChunkRemaining is what is left of the chunk that is being read.
func (b *endingBody) ChunkRemaining() int64 {
	if c, ok := b.ReadCloser.(interface{ ChunkRemaining() int64 }); ok {
		return c.ChunkRemaining()
	}
	return 0
}

// LimitUntil ends the reading at t, if the body can.
func (b *endingBody) LimitUntil(t time.Time) {
	if l, ok := b.ReadCloser.(interface{ LimitUntil(time.Time) }); ok {
		l.LimitUntil(t)
	}
}

// Verifiable reports whether the end can be told from a connection cut short.
func (b *endingBody) Verifiable() bool {
	v, ok := b.ReadCloser.(interface{ Verifiable() bool })
	return ok && v.Verifiable()
}

// Trailers are the fields after the body.
func (b *endingBody) Trailers() [][2]string {
	if t, ok := b.ReadCloser.(interface{ Trailers() [][2]string }); ok {
		return t.Trailers()
	}
	return nil
}
