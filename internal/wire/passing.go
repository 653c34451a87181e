package wire

import (
	"errors"
	"io"
	"sync"
)

// Who wraps the body of a response passes on what it can do, and needs to know when it is over.
// That is told once, by the first of these:
//
//	what happens                                           OnEnd         Tap
//	the body is known to be empty                          io.EOF        at Read or Close
//	Read or WriteTo reaches the end                        io.EOF        io.EOF
//	Read brings the last byte of a body of known length    io.EOF        io.EOF; that Read has no error yet
//	Read fails, or WriteTo because reading does            the error     the error
//	WriteTo fails because writing does                     at Close      at Close
//	Close, and nothing remains                             ErrClosed     io.EOF
//	Close before the end                                   ErrClosed     ErrClosed
//	Close while another goroutine reads                    ErrClosed     when that Read returns, how it ended
//
// An upgraded connection ends with Close alone: after the end of reading it can be written to.

// OnEnd returns rc as a body that calls end once, when it is over.
func OnEnd(rc io.ReadCloser, end func(how error)) Stream {
	if conn, ok := rc.(io.ReadWriteCloser); ok {
		return &upgraded{StreamOf(rc), conn, sync.OnceFunc(func() { end(ErrClosed) })}
	}
	e := &ending{Stream: StreamOf(rc)}
	var once sync.Once
	e.end = func(how error) { once.Do(func() { end(how) }) }
	if e.Remaining() == 0 {
		e.end(io.EOF)
	}
	return e
}

// ending is a body that says when it is over.
type ending struct {
	Stream
	end func(how error)
}

// Read implements [io.Reader].
func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Stream.Read(p)
	if how := outcome(e.Stream, err); how != nil {
		e.end(how)
	}
	return n, err
}

// outcome is how a body has ended with a Read, nil if it goes on.
func outcome(s Stream, err error) error {
	if err == nil && s.Remaining() == 0 {
		return io.EOF
	}
	return err
}

// WriteTo implements [io.WriterTo], in pieces as large as the body has them.
func (e *ending) WriteTo(w io.Writer) (int64, error) {
	out := &sink{Writer: w}
	n, err := e.Stream.WriteTo(out)
	switch {
	case err == nil:
		e.end(io.EOF)
	case out.err == nil:
		e.end(err)
	}
	return n, err
}

// Telling is a body whose errors are the caller's: its owner makes them of those of an exchange.
type Telling struct {
	Stream
	owner interface{ Fail(cause error) error }
}

// Of makes t the body of owner, and returns it. What carries an upgraded connection is returned as it is.
func (t *Telling) Of(body Stream, owner interface{ Fail(cause error) error }) Stream {
	if _, upgraded := body.(io.Writer); upgraded {
		return body
	}
	t.Stream, t.owner = body, owner
	return t
}

// Read implements [io.Reader].
func (t *Telling) Read(p []byte) (int, error) {
	n, err := t.Stream.Read(p)
	return n, t.tell(err)
}

// WriteTo implements [io.WriterTo]. An error of w is returned as it is.
func (t *Telling) WriteTo(w io.Writer) (int64, error) {
	n, err := t.Stream.WriteTo(w)
	return n, t.tell(err)
}

func (t *Telling) tell(err error) error {
	if e, ok := err.(*Error); ok {
		return t.owner.Fail(e)
	}
	return err
}

// sink remembers that writing failed, and not reading.
type sink struct {
	io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}

// Close implements [io.Closer]. What remains is not asked for: another goroutine may be reading.
func (e *ending) Close() error {
	defer e.end(ErrClosed)
	return e.Stream.Close()
}

// upgraded is a connection that has left HTTP, and says when it is closed.
type upgraded struct {
	Stream
	conn   io.ReadWriteCloser
	closed func()
}

// Write implements [io.Writer].
func (u *upgraded) Write(p []byte) (int, error) { return u.conn.Write(p) }

// CloseWrite ends one direction, if the connection can.
func (u *upgraded) CloseWrite() error {
	if half, ok := u.conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close implements [io.Closer].
func (u *upgraded) Close() error {
	defer u.closed()
	return u.conn.Close()
}

// Tap returns rc as a body of which everything that is read goes through seen: the bytes of
// each Read, and how the body has ended with it, nil if it goes on. It is not called again after
// that. What it returns is an error of Read or Close instead of theirs, unless that is nil. No
// two calls overlap; b is valid during the call. What an upgraded connection carries is not a body,
// and not seen.
func Tap(rc io.ReadCloser, seen func(b []byte, how error) error) Stream {
	if conn, ok := rc.(io.ReadWriteCloser); ok {
		return &upgraded{StreamOf(rc), conn, func() {}}
	}
	return &tap{Stream: StreamOf(rc), seen: seen}
}

type tap struct {
	Stream

	// mu protects the fields below: Close may come while another goroutine reads.
	mu      sync.Mutex
	seen    func(b []byte, how error) error // nil once the end was told
	reading bool
}

// Read implements [io.Reader].
func (t *tap) Read(p []byte) (int, error) {
	t.mu.Lock()
	t.reading = true
	t.mu.Unlock()
	n, err := t.Stream.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reading = false
	if instead := t.tell(p[:n], outcome(t.Stream, err)); instead != nil {
		return n, instead
	}
	return n, err
}

// tell calls seen, until the end. It holds mu.
func (t *tap) tell(b []byte, how error) error {
	seen := t.seen
	if seen == nil {
		return nil
	}
	if how != nil {
		t.seen = nil
	}
	return seen(b, how)
}

// WriteTo implements [io.WriterTo], by way of Read.
func (t *tap) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{t}) }

// Close implements [io.Closer]. A Read under way tells how it ends itself.
func (t *tap) Close() error {
	t.mu.Lock()
	var instead error
	switch {
	case t.reading:
	case t.Remaining() == 0:
		instead = t.tell(nil, io.EOF)
	default:
		instead = t.tell(nil, ErrClosed)
	}
	t.mu.Unlock()
	if err := t.Stream.Close(); instead == nil {
		return err
	}
	return instead
}
