package cache

import (
	"io"

	"github.com/mountable/requests/internal/wire"
)

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
