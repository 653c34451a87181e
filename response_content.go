package requests

import (
	"io"
	"sync"

	"github.com/mountable/requests/internal/wire"
)

// Content reads the rest of the decoded body into memory, once, and returns it;
// the slice is the response's own. A body that was read to its end by streaming
// is [ErrStreamConsumed], one that is longer than Limits.MaxBody, by default 256 MiB,
// [ErrBodyTooLarge].
func (r *Response) Content() ([]byte, error) {
	return r.contentUpTo(r.maxContent(), bodyTooLarge)
}

// contentUpTo is Content for a body of at most limit bytes, 0 meaning any length. What
// is longer is an error that tooLong makes.
func (r *Response) contentUpTo(limit int64, tooLong func(limit int64) error) ([]byte, error) {
	if r.isInMemory() {
		return r.state().content, nil
	}
	src, err := r.start()
	if err == io.EOF {
		return nil, r.consumedError()
	}
	if err != nil {
		return nil, err
	}
	length := r.expected(src)
	if limit > 0 && length > limit {
		return nil, r.ended(tooLong(limit))
	}
	if limit > 0 && length < 0 {
		src = &boundedBody{Reader: src, left: limit, limit: limit, tooLong: tooLong}
	}
	content, err := readAll(src, length)
	if err != nil {
		return nil, r.ended(err)
	}
	r.keep(content)
	r.release()
	return content, nil
}

// expected returns the decoded length of what src gives, where it is known, else -1.
func (r *Response) expected(src io.Reader) int64 {
	b := r.state()
	if _, ahead := src.(aheadReader); ahead || !b.plain {
		return -1
	}
	return b.stream.Remaining()
}

const (
	segmentSize = 128 << 10
	// maxAhead is the most that is allocated on a server's word alone.
	maxAhead = 16 << 20
)

var segments = sync.Pool{New: func() any { return new([segmentSize]byte) }}

// readAll reads src to its end: into one exact allocation where the length is
// known, else through pooled segments.
func readAll(src io.Reader, length int64) ([]byte, error) {
	if length == 0 {
		return []byte{}, expectEOF(src)
	}
	if length > 0 && length <= maxAhead {
		content := make([]byte, length)
		if _, err := io.ReadFull(src, content); err != nil {
			return nil, err
		}
		return content, expectEOF(src)
	}
	return readSegments(src)
}

// expectEOF takes the end of a body of known length, which gives its connection back.
func expectEOF(src io.Reader) error {
	if s, ok := src.(wire.Stream); ok && s.Remaining() == 0 {
		return nil
	}
	var b [1]byte
	n, err := src.Read(b[:])
	if err == io.EOF || err == nil && n > 0 {
		return nil
	}
	return err
}

func readSegments(src io.Reader) ([]byte, error) {
	var full []*[segmentSize]byte
	defer func() {
		for _, s := range full {
			segments.Put(s)
		}
	}()
	for {
		segment := segments.Get().(*[segmentSize]byte)
		full = append(full, segment)
		n, err := fill(src, segment[:])
		if err == io.EOF {
			return joinSegments(full, n), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func joinSegments(full []*[segmentSize]byte, last int) []byte {
	content := make([]byte, 0, (len(full)-1)*segmentSize+last)
	for _, s := range full[:len(full)-1] {
		content = append(content, s[:]...)
	}
	return append(content, full[len(full)-1][:last]...)
}

// fill reads until b is full or src ends; io.EOF comes with what was read.
func fill(src io.Reader, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := src.Read(b[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
