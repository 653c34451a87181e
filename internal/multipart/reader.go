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

// Read implements io.Reader. A part body of another length than its Size is a *LengthError.
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
	return &exactly{part: p}
}

// readBody reads the content of the part; at its end it puts the line end that follows into pending.
func (r *Reader) readBody(b []byte) (int, error) {
	n, err := r.body.Read(b)
	if err == io.EOF {
		r.endPart()
		err = nil
	}
	return n, err
}

func (r *Reader) endPart() {
	r.body = nil
	r.pending = append(r.pending, "\r\n"...)
}

// WriteTo implements io.WriterTo. What is in memory is written as it is; a Body is read by w, where w is an
// io.ReaderFrom, from an *io.LimitedReader, so that the kernel can move a file.
func (r *Reader) WriteTo(w io.Writer) (written int64, err error) {
	for {
		if len(r.pending) > 0 {
			n, err := w.Write(r.pending)
			written += int64(n)
			r.pending = r.pending[n:]
			if err != nil {
				return written, err
			}
		}
		if r.body == nil && !r.advance() {
			return written, nil
		}
		if r.body == nil || len(r.pending) > 0 {
			continue
		}
		n, err := io.Copy(w, r.body)
		written += n
		if err != nil {
			return written, err
		}
		r.endPart()
	}
}

// exactly reads a Body of known size: no more of it, and no less without an error.
type exactly struct {
	part *Part
	came int64
}

func (e *exactly) Read(b []byte) (int, error) {
	left := e.part.Size - e.came
	if left <= 0 {
		return 0, e.end()
	}
	n, err := e.part.Body.Read(b[:min(int64(len(b)), left)])
	e.came += int64(n)
	switch {
	case err == io.EOF && e.came < e.part.Size:
		err = e.wrong(e.came)
	case err != nil && err != io.EOF:
		err = &ReadError{e.part.Name, err}
	}
	return n, err
}

// WriteTo implements io.WriterTo.
func (e *exactly) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, &io.LimitedReader{R: e.part.Body, N: e.part.Size - e.came})
	e.came += n
	if err == nil && e.came < e.part.Size {
		err = e.wrong(e.came)
	}
	if err == nil {
		err = e.end()
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// end returns io.EOF where nothing follows the size that was announced.
func (e *exactly) end() error {
	if !e.part.Ends {
		return io.EOF
	}
	var one [1]byte
	n, err := e.part.Body.Read(one[:])
	if n > 0 {
		return e.wrong(e.part.Size + 1)
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

func (e *exactly) wrong(came int64) error { return &LengthError{e.part.Name, e.part.Size, came} }
