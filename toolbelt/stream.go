package toolbelt

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/mountable/requests"
)

// stream is a body of known length made of segments that follow each other: what
// [MultipartEncoder] and [StreamingIterator] have in common. It holds one opened
// source at a time and buffers nothing.
type stream struct {
	segments []segment
	length   int64

	at     int    // the segment that is being read
	offset int    // in it, if it is in memory
	begun  bool   // of the current segment something has been read
	input  *exact // its source, if that has been opened
	err    error  // what every further read gives, until Rewind
}

// segment is a piece of a body. An empty one in memory must not be added.
type segment struct {
	source
	field string // for errors; none if empty
}

func (s *stream) add(piece segment) {
	s.length += piece.size
	if piece.size > 0 || piece.open != nil {
		s.segments = append(s.segments, piece)
	}
}

// Len returns the length of the whole body in bytes, whatever has been read of it.
func (s *stream) Len() int64 { return s.length }

var errClosed = errors.New("toolbelt: the body was closed in its middle; Rewind starts it again")

// Close closes the file that is open, if the body opened it itself; readers given to
// it are their owner's. A body that was closed in its middle can be read again after
// Rewind. It is only needed where a body is neither read to its end nor sent.
func (s *stream) Close() error {
	if s.at < len(s.segments) && s.err == nil {
		s.err = errClosed
	}
	s.release()
	return nil
}

// release closes what is open.
func (s *stream) release() {
	if s.input == nil {
		return
	}
	if closer, ok := s.input.r.(io.Closer); ok && s.segments[s.at].owned {
		closer.Close()
	}
	if body, ok := s.input.r.(abandoner); ok {
		body.abandon()
	}
	s.input = nil
}

// abandoner is a body of this package inside of another: what it holds is let go
// when its turn is over, as it can begin again.
type abandoner interface{ abandon() }

func (s *stream) abandon() { s.Close() }

// Rewind makes the body start again. It is [requests.ErrUnrewindableBody] where
// content has been read from a reader that cannot go back.
func (s *stream) Rewind() error {
	s.release()
	for i := range s.segments {
		if piece := &s.segments[i]; piece.once && piece.used {
			s.err = refuse(requests.ErrUnrewindableBody, nil, "%sthe content has been read and cannot be read again", piece.of())
			return s.err
		}
	}
	s.at, s.offset, s.begun, s.err = 0, 0, false, nil
	return nil
}

// of names the field at the beginning of an error.
func (p *segment) of() string {
	if p.field == "" {
		return ""
	}
	return "field \"" + p.field + "\": "
}

// Read fills b as far as there is a body. Content that turns out longer or shorter
// than announced is [requests.ErrBodyLength], before its last byte is given.
func (s *stream) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := s.step(b[n:])
		n += m
		if err == io.EOF && n > 0 {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// step reads from the current segment.
func (s *stream) step(b []byte) (int, error) {
	if s.err != nil || s.at == len(s.segments) {
		return 0, s.ended()
	}
	s.begun = true
	piece := &s.segments[s.at]
	if piece.open == nil {
		n := copy(b, piece.data[s.offset:])
		if s.offset += n; s.offset == len(piece.data) {
			s.next()
		}
		return n, nil
	}
	if err := s.start(piece); err != nil {
		return 0, err
	}
	n, err := s.input.Read(b)
	if err == io.EOF {
		s.next()
		return n, nil
	}
	return n, s.broken(err)
}

func (s *stream) ended() error {
	if s.err != nil {
		return s.err
	}
	return io.EOF
}

// start opens the source of the current segment.
func (s *stream) start(piece *segment) error {
	if s.input != nil {
		return nil
	}
	r, err := piece.open()
	piece.used = true
	if err != nil {
		return s.broken(err)
	}
	s.input = newExact(r, piece.size, piece.taken)
	return nil
}

func (s *stream) next() {
	s.release()
	s.at, s.offset, s.begun = s.at+1, 0, false
}

// broken ends the body with err, named after the field whose content it is.
func (s *stream) broken(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*requests.Error](err)
	if !ok {
		e = &requests.Error{Kind: requests.ErrInvalidBody, Err: err, Detail: "the content cannot be read"}
	}
	named := *e
	named.Detail = s.segments[s.at].of() + e.Detail
	s.release()
	s.err = &named
	return s.err
}

// blockSize is how much is gathered for one write.
const blockSize = 128 << 10

var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// WriteTo writes the rest of the body in as few writes as possible: what is small
// together, what is in memory as it is, and files through [io.ReaderFrom] where w
// has it, so that the kernel can move them.
func (s *stream) WriteTo(w io.Writer) (int64, error) {
	block := blocks.Get().(*[blockSize]byte)
	defer blocks.Put(block)
	out := gatherer{w: w, block: block[:]}
	err := errClosed // what is left if something of the caller's panics
	defer func() {
		if err != nil && s.err == nil {
			s.release()
			s.err = err
		}
	}()
	err = s.passAll(&out)
	return out.written, err
}

func (s *stream) passAll(out *gatherer) error {
	for {
		switch err := s.pass(out); {
		case err == io.EOF:
			return out.flush()
		case err != nil:
			return err
		}
	}
}

// pass moves a piece of the current segment to out.
func (s *stream) pass(out *gatherer) error {
	if s.err != nil || s.at == len(s.segments) {
		return s.ended()
	}
	piece := &s.segments[s.at]
	switch {
	case piece.open == nil && piece.size >= blockSize:
		s.begun = true
		data := piece.data[s.offset:]
		s.next()
		return out.direct(data)
	case piece.size >= blockSize && out.takesFiles():
		if err := s.start(piece); err != nil {
			return err
		}
		if f, ok := s.input.r.(*os.File); ok {
			return s.passFile(out, f)
		}
	}
	room, err := out.room()
	if err != nil {
		return err
	}
	n, err := s.step(room)
	out.n += n
	return err
}

// passFile hands the file of the current segment over.
func (s *stream) passFile(out *gatherer, f *os.File) error {
	s.begun = true
	if s.input.follows(s.input.left) {
		return s.broken(s.input.tooLong())
	}
	n, err := out.file(f, s.input.left)
	s.input.left -= n
	switch {
	case err != nil:
		return err
	case s.input.left > 0:
		return s.broken(s.input.tooShort())
	}
	if err := s.input.end(); err != io.EOF {
		return s.broken(err)
	}
	s.next()
	return nil
}

// gatherer puts what is small together before it writes.
type gatherer struct {
	w       io.Writer
	block   []byte
	n       int // of block
	written int64
}

// room returns space to be filled, of which the filler adds to n.
func (g *gatherer) room() ([]byte, error) {
	if g.n == len(g.block) {
		if err := g.flush(); err != nil {
			return nil, err
		}
	}
	return g.block[g.n:], nil
}

func (g *gatherer) flush() error {
	data := g.block[:g.n]
	g.n = 0
	return g.write(data)
}

// direct writes data without copying it.
func (g *gatherer) direct(data []byte) error {
	if err := g.flush(); err != nil {
		return err
	}
	return g.write(data)
}

func (g *gatherer) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	n, err := g.w.Write(data)
	g.written += int64(n)
	if err == nil && n < len(data) {
		return io.ErrShortWrite
	}
	return err
}

func (g *gatherer) takesFiles() bool {
	_, ok := g.w.(io.ReaderFrom)
	return ok
}

// file lets the writer take n bytes of f by itself.
func (g *gatherer) file(f *os.File, n int64) (int64, error) {
	if err := g.flush(); err != nil {
		return 0, err
	}
	n, err := g.w.(io.ReaderFrom).ReadFrom(&io.LimitedReader{R: f, N: n})
	g.written += n
	return n, err
}
