package cache

import (
	"io"

	"github.com/mountable/requests/internal/wire"
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
	source wire.Stream
	limit  int64
	whole  func(body []byte) // nil once it is clear that nothing will be stored
	body   []byte
}

// see is for [wire.Tap].
func (r *recorder) see(b []byte, how error) error {
	if r.whole == nil {
		return nil
	}
	r.body = append(r.body, b...)
	switch {
	case how == io.EOF && r.source.Verifiable() && int64(len(r.body)) <= r.limit:
		r.whole(r.body)
		r.drop()
	case how != nil || int64(len(r.body)) > r.limit:
		r.drop()
	}
	return nil
}

func (r *recorder) drop() { r.whole, r.body = nil, nil }
