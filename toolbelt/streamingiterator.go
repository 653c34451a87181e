package toolbelt

import (
	"io"
	"iter"

	"github.com/mountable/requests"
)

// StreamingIterator is a body that is made while it is sent, of a length that is
// known before: it goes out with Content-Length where an iterator alone would be
// chunked. It is a [requests.Option] that sets the body and a [requests.Streamer];
// it can be the value of a [Field], too. It is not safe for concurrent use.
//
// It begins again, for a redirect or a retry, by ranging over the iterator again, or
// by seeking a reader back to where it stood.
type StreamingIterator struct {
	stream
}

// NewStreamingIterator returns a body of size bytes out of source: an io.Reader, a
// [Path], or an iterator, which is an iter.Seq of []byte or string, or an
// iter.Seq2[[]byte, error]. A negative size, or another source, is
// [requests.ErrInvalidBody].
//
// A source that gives less than size ends the reading with [requests.ErrBodyLength], as
// do a file, a reader with a Len and an iterator that have more, before the last byte is
// given. Any other reader is read for size bytes and not beyond: what follows stays in
// it, and it may stay open.
func NewStreamingIterator(size int64, source any) (*StreamingIterator, error) {
	if size < 0 {
		return nil, refuse(requests.ErrInvalidBody, nil, "the size is negative: %d", size)
	}
	src, err := sizedSource(size, source)
	if err != nil {
		return nil, err
	}
	s := &StreamingIterator{}
	s.add(segment{source: src})
	return s, nil
}

// Apply makes s, from its beginning, the body of r. Content-Type is left alone.
func (s *StreamingIterator) Apply(r *requests.Request) error {
	if err := s.Rewind(); err != nil {
		return err
	}
	r.Body = s
	return nil
}

func sizedSource(size int64, v any) (source, error) {
	if isNil(v) {
		return source{}, refuse(requests.ErrInvalidBody, nil, "the source is a nil %T", v)
	}
	switch v := v.(type) {
	case Path:
		src, err := pathSource(string(v))
		src.size = size
		return src, err
	case io.Reader:
		return readerSource(v, size)
	case iter.Seq[[]byte]:
		return seqSource(size, plain(v)), nil
	case func(yield func([]byte) bool):
		return seqSource(size, plain(v)), nil
	case iter.Seq[string]:
		return seqSource(size, plain(v)), nil
	case func(yield func(string) bool):
		return seqSource(size, plain(v)), nil
	case iter.Seq2[[]byte, error]:
		return seqSource(size, v), nil
	case func(yield func([]byte, error) bool):
		return seqSource(size, v), nil
	}
	return source{}, refuse(requests.ErrInvalidBody, nil, "a %T cannot be streamed: give an io.Reader or an iter.Seq[[]byte]", v)
}

// plain makes the iterator of an iterator that cannot fail.
func plain[T []byte | string](seq func(yield func(T) bool)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for item := range seq {
			if !yield([]byte(item), nil) {
				return
			}
		}
	}
}

func seqSource(size int64, seq iter.Seq2[[]byte, error]) source {
	open := func() (io.Reader, error) {
		next, stop := iter.Pull2(seq)
		return &seqReader{next: next, stop: stop}, nil
	}
	return source{size: size, open: open, owned: true}
}

// seqReader reads the items of an iterator as one text.
type seqReader struct {
	next func() ([]byte, error, bool)
	stop func()
	rest []byte // of the last item
}

func (r *seqReader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 {
		item, err, ok := r.next()
		if !ok {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		r.rest = item
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close lets the iterator go.
func (r *seqReader) Close() error {
	r.stop()
	return nil
}
