package otel

import (
	"io"
	"time"

	"github.com/mountable/requests"
)

// endWith ends s when the body of r has ended: read, failed or closed. A connection that has left
// HTTP is its caller's, as it is.
func endWith(r *requests.Response, s *sent) {
	if _, left := r.Conn(); r.Raw == nil || left {
		s.end()
		return
	}
	r.Raw = &body{r.Raw, s}
}

// body is a body that tells when it has ended, and can do whatever it can.
type body struct {
	io.ReadCloser
	sent *sent
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.after(err)
	return n, err
}

// after looks whether the body has ended.
func (b *body) after(err error) {
	switch {
	case err != nil && err != io.EOF:
		b.sent.fail(errorType(requests.CarrierError(nil, err)), err.Error())
		b.sent.end()
	case err == io.EOF || b.Remaining() == 0:
		b.sent.end()
	}
}

// WriteTo implements [io.WriterTo], which copies in larger pieces where the body can.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, b.ReadCloser)
	b.sent.end() // an error may be w's
	return n, err
}

// Close implements [io.Closer].
func (b *body) Close() error {
	defer b.sent.end()
	return b.ReadCloser.Close()
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (b *body) Remaining() int64 {
	if s, ok := b.ReadCloser.(interface{ Remaining() int64 }); ok {
		return s.Remaining()
	}
	return -1
}

// Chunked reports whether the body is made of chunks.
func (b *body) Chunked() bool {
	c, ok := b.ReadCloser.(interface{ Chunked() bool })
	return ok && c.Chunked()
}

// ChunkRemaining is what is left of the chunk that is being read.
func (b *body) ChunkRemaining() int64 {
	if c, ok := b.ReadCloser.(interface{ ChunkRemaining() int64 }); ok {
		return c.ChunkRemaining()
	}
	return 0
}

// LimitUntil ends the reading at t, if the body can.
func (b *body) LimitUntil(t time.Time) {
	if l, ok := b.ReadCloser.(interface{ LimitUntil(time.Time) }); ok {
		l.LimitUntil(t)
	}
}

// Verifiable reports whether the end can be told from a connection cut short.
func (b *body) Verifiable() bool {
	v, ok := b.ReadCloser.(interface{ Verifiable() bool })
	return ok && v.Verifiable()
}

// Trailers are the fields after the body.
func (b *body) Trailers() [][2]string {
	if t, ok := b.ReadCloser.(interface{ Trailers() [][2]string }); ok {
		return t.Trailers()
	}
	return nil
}
