package multipart

import (
	"bytes"
	"io"
)

// Reader is a form-data body produced while it is read: part by part, never more than one part header in memory.
// It can be read once and is not safe for concurrent use.
type Reader struct {
	boundary string
	parts    []Part // still to start
	pending  []byte // headers and line ends to hand out before body
	body     io.Reader
	size     int64
	closed   bool // the closing boundary is in pending, or beyond
}

// NewReader checks the boundary and all parts (see Part.Check) and returns their body. Names are written in whatever
// encoding they are in. parts must not be changed before the body was read.
func NewReader(boundary string, parts []Part) (*Reader, error) {
	if err := checkLine("boundary", boundary); err != nil {
		return nil, err
	}
	r := &Reader{boundary: boundary, parts: parts}
	r.size = int64(len("--" + boundary + "--\r\n"))
	for i := range parts {
		if err := parts[i].Check(); err != nil {
			return nil, err
		}
		r.pending = AppendPartHeader(r.pending[:0], boundary, &parts[i])
		r.add(int64(len(r.pending)) + int64(len("\r\n")))
		r.add(parts[i].contentSize())
	}
	r.pending = r.pending[:0]
	return r, nil
}

func (r *Reader) add(n int64) {
	if n < 0 || r.size < 0 {
		r.size = -1
		return
	}
	r.size += n
}

func (p *Part) contentSize() int64 {
	if p.Body == nil {
		return int64(len(p.Content))
	}
	return p.Size
}

// Len returns the length of the whole body, whatever has been read of it, or -1 when the size of a part is unknown.
func (r *Reader) Len() int64 { return r.size }

// Read implements io.Reader. A part body shorter than its Size ends in io.ErrUnexpectedEOF; of a longer one the
// rest is left unread.
func (r *Reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if len(r.pending) > 0 {
			n := copy(b, r.pending)
			r.pending = r.pending[n:]
			return n, nil
		}
		if r.body == nil && !r.advance() {
			return 0, io.EOF
		}
		if r.body != nil && len(r.pending) == 0 {
			if n, err := r.readBody(b); n > 0 || err != nil {
				return n, err
			}
		}
	}
}

// advance starts the next part, or the end of the body.
func (r *Reader) advance() bool {
	if r.closed {
		return false
	}
	if len(r.parts) == 0 {
		r.closed = true
		r.pending = append(r.pending, "--"+r.boundary+"--\r\n"...)
		return true
	}
	p := &r.parts[0]
	r.parts = r.parts[1:]
	r.pending = AppendPartHeader(r.pending, r.boundary, p)
	r.body = p.open()
	return true
}

func (p *Part) open() io.Reader {
	switch {
	case p.Body == nil:
		return bytes.NewReader(p.Content)
	case p.Size < 0:
		return p.Body
	}
	return &exactly{p.Body, p.Size}
}

// readBody reads the content of the part; at its end it puts the line end that follows into pending.
func (r *Reader) readBody(b []byte) (int, error) {
	n, err := r.body.Read(b)
	if err == io.EOF {
		r.body, err = nil, nil
		r.pending = append(r.pending, "\r\n"...)
	}
	return n, err
}

// exactly reads n bytes: no more, and no less without an error.
type exactly struct {
	r io.Reader
	n int64
}

func (e *exactly) Read(b []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(b[:min(int64(len(b)), e.n)])
	e.n -= int64(n)
	if err == io.EOF && e.n > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
