package cache

import (
	"io"
	"time"
)

// memory is a body that has been read, up to where it was cut.
type memory struct {
	content  []byte
	offset   int
	cut      error
	trailers [][2]string
}

// Read implements [io.Reader].
func (m *memory) Read(p []byte) (int, error) {
	if m.offset == len(m.content) {
		if m.cut != nil {
			return 0, m.cut
		}
		return 0, io.EOF
	}
	n := copy(p, m.content[m.offset:])
	m.offset += n
	return n, nil
}

// Close implements [io.Closer].
func (m *memory) Close() error { return nil }

// Remaining is what is left, -1 where that is not known.
func (m *memory) Remaining() int64 {
	if m.cut != nil {
		return -1
	}
	return int64(len(m.content) - m.offset)
}

// Trailers are the fields behind the body.
func (m *memory) Trailers() [][2]string {
	if m.offset < len(m.content) {
		return nil
	}
	return m.trailers
}

// joined is the beginning of a body that has been read, and the rest.
type joined struct {
	io.Reader
	io.Closer
}

// recorder keeps what is read of a body, and hands it over where it was read to its end.
type recorder struct {
	source io.ReadCloser
	limit  int64
	whole  func(body []byte) // nil once it is clear that nothing will be stored
	body   []byte
}

// Read implements [io.Reader].
func (b *recorder) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	if b.whole == nil {
		return n, err
	}
	if b.body = append(b.body, p[:n]...); int64(len(b.body)) > b.limit {
		b.drop()
	}
	switch {
	case err == nil:
	case err == io.EOF && provable(b.source):
		b.finish()
	default:
		b.drop()
	}
	return n, err
}

func (b *recorder) finish() {
	if b.whole != nil {
		b.whole(b.body)
	}
	b.drop()
}

func (b *recorder) drop() { b.whole, b.body = nil, nil }

// Close implements [io.Closer].
func (b *recorder) Close() error {
	if b.Remaining() == 0 {
		b.finish() // all of it has been read, and nobody looked for the end
	}
	b.drop()
	return b.source.Close()
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (b *recorder) Remaining() int64 { return remaining(b.source) }

// Chunked reports whether the body is made of chunks.
func (b *recorder) Chunked() bool {
	c, ok := b.source.(interface{ Chunked() bool })
	return ok && c.Chunked()
}

// ChunkRemaining is what is left of the chunk that is being read.
func (b *recorder) ChunkRemaining() int64 {
	if c, ok := b.source.(interface{ ChunkRemaining() int64 }); ok {
		return c.ChunkRemaining()
	}
	return 0
}

// LimitUntil ends the reading at t, if the body can.
func (b *recorder) LimitUntil(t time.Time) {
	if l, ok := b.source.(interface{ LimitUntil(time.Time) }); ok {
		l.LimitUntil(t)
	}
}

// Verifiable reports whether the end can be told from a connection cut short.
func (b *recorder) Verifiable() bool { return provable(b.source) }

// Trailers are the fields behind the body.
func (b *recorder) Trailers() [][2]string { return trailers(b.source) }

// WriteTo implements [io.WriterTo].
func (b *recorder) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{b})
}
