package content

import (
	"io"
	"sync"

	"github.com/mountable/requests/internal/wire"
)

// All reads the rest of the body into memory, once, and returns it. What is longer than
// limit is an error that tooLong makes; 0 is any length.
func (b *Body) All(o Owner, limit int64, tooLong func(limit int64) error) ([]byte, error) {
	if b.InMemory() {
		return b.content, nil
	}
	src, err := b.start(o)
	if err == io.EOF {
		return nil, o.Spent()
	}
	if err != nil {
		return nil, err
	}
	length := b.expected()
	if limit > 0 && length > limit {
		return nil, b.ended(o, tooLong(limit))
	}
	if limit > 0 && length < 0 {
		src = Bound(src, nil, limit, tooLong)
	}
	content, err := readAll(src, length)
	if err != nil {
		return nil, b.ended(o, err)
	}
	b.Keep(content)
	b.release(o)
	return content, nil
}

// expected returns the decoded length of what is left, where it is known, else -1.
func (b *Body) expected() int64 {
	if !b.plain || b.isAhead() {
		return -1
	}
	return b.stream.Remaining()
}

// Read reads the next bytes, from memory where they have been read before.
func (b *Body) Read(o Owner, p []byte) (int, error) {
	src, err := b.start(o)
	if err != nil {
		return 0, err
	}
	n, err := src.Read(p)
	return n, b.ended(o, err)
}

// WriteTo writes the rest to w. An error of w is returned as it is.
func (b *Body) WriteTo(o Owner, w io.Writer) (int64, error) {
	src, err := b.start(o)
	if err == io.EOF {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	out := &sink{w: w}
	returned := false
	defer func() {
		if !returned { // w has panicked
			b.Close(o)
		}
	}()
	n, err := copyTo(out, src)
	returned = true
	switch {
	case out.err != nil:
		return n, out.err
	case err == nil:
		err = io.EOF
	}
	if err = b.ended(o, err); err == io.EOF {
		err = nil
	}
	return n, err
}

// sink remembers its own error, which is not one of the body.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}

// copyTo copies through a pooled segment where src cannot write itself.
func copyTo(w io.Writer, src io.Reader) (int64, error) {
	if wt, ok := src.(io.WriterTo); ok {
		return wt.WriteTo(w)
	}
	segment := segments.Get().(*[segmentSize]byte)
	defer segments.Put(segment)
	return io.CopyBuffer(w, src, segment[:])
}

// memory reads content from offset on.
type memory Body

func (c *memory) Read(p []byte) (int, error) {
	n := copy(p, c.content[c.offset:])
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	c.offset += n
	return n, nil
}

func (c *memory) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.content[c.offset:])
	c.offset += n
	return int64(n), err
}

// aheadReader reads what lines have read ahead, then the source.
type aheadReader struct{ b *Body }

func (a aheadReader) Read(p []byte) (int, error) {
	ahead := &a.b.pieces().ahead
	for {
		if n := copy(p, ahead.Bytes()); n > 0 || len(p) == 0 {
			ahead.Discard(n)
			return n, nil
		}
		if err := a.b.readAhead(len(p)); err != nil && len(ahead.Bytes()) == 0 {
			return 0, err
		}
	}
}

// readAhead reads some more into ahead. An error stays the source's, and is the end of it.
func (b *Body) readAhead(size int) error {
	l := b.pieces()
	if l.came != nil {
		return l.came
	}
	n, err := b.source.Read(l.ahead.Room(min(size, lineBlock)))
	l.ahead.Came(n)
	if l.came = err; err == io.EOF {
		l.ahead.End()
	}
	return err
}

const (
	// segmentSize holds most bodies, and a pool has few of them.
	segmentSize = 128 << 10
	// maxAhead is the most that is allocated on a server's word alone.
	maxAhead = 16 << 20
	// firstPart of what is longer is read before more is allocated, which is growth times as
	// much at most: 128 MiB then come into one exact allocation.
	firstPart = 8 << 20
	growth    = 16
)

var segments = sync.Pool{New: func() any { return new([segmentSize]byte) }}

// readAll reads src to its end: into one exact allocation where the length is
// known, else through pooled segments.
func readAll(src io.Reader, length int64) ([]byte, error) {
	if length == 0 {
		return []byte{}, expectEOF(src)
	}
	if length < 0 {
		return readSegments(src)
	}
	capacity := length
	if length > maxAhead {
		capacity = firstPart
	}
	content := make([]byte, 0, capacity)
	for {
		n, err := fill(src, content[len(content):cap(content)])
		content = content[:len(content)+n]
		switch whole := int64(len(content)) == length; {
		case whole && err == nil:
			return content, expectEOF(src)
		case whole && err == io.EOF:
			return content, nil
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err // it counts, were it to come with the last byte
		}
		content = append(make([]byte, 0, min(length, growth*int64(len(content)))), content...)
	}
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

// Bound returns src cut behind limit bytes: what is longer is an error that tooLong makes.
// closer closes it; nil where nobody does.
func Bound(src io.Reader, closer io.Closer, limit int64, tooLong func(limit int64) error) io.ReadCloser {
	return &bounded{src, closer, limit, limit, tooLong}
}

type bounded struct {
	io.Reader
	io.Closer
	left, limit int64
	tooLong     func(limit int64) error
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p[:min(int64(len(p)), b.left+1)])
	if int64(n) > b.left {
		n, err = int(b.left), b.tooLong(b.limit)
	}
	b.left -= int64(n)
	return n, err
}
