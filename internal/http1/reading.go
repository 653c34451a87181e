package http1

import (
	"io"
	"time"

	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wire"
)

// Read reads the body as it is on the wire, framing undone.
func (x *Exchange) Read(b []byte) (int, error) {
	if err := x.enter(); err != nil {
		return 0, err
	}
	n, err := 0, errPanicked
	defer func() {
		if err == errPanicked {
			x.finish(err)
		}
	}()
	n, err = x.body.Read(b)
	return n, x.leave(err)
}

// WriteTo copies the rest of the body to w.
func (x *Exchange) WriteTo(w io.Writer) (int64, error) {
	if err := x.enter(); err != nil {
		return 0, notEOF(err)
	}
	out := &sink{w: w, err: errPanicked}
	defer func() {
		if out.err != nil {
			x.finish(out.err)
		}
	}()
	n, err := x.body.WriteTo(out)
	if out.err == errPanicked {
		out.err = nil // it was not called
	}
	if out.err != nil {
		return n, out.err
	}
	return n, notEOF(x.leave(err))
}

func notEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// sink tells the errors of a writer, and its panics, from those of the body.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	s.err = errPanicked
	n, err := s.w.Write(b)
	s.err = err
	return n, err
}

// enter begins a read. Over, the exchange gives the end, or that it was closed.
func (x *Exchange) enter() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case !x.over && !x.closing:
		x.reading = true
		return nil
	case x.over && x.body.Done() && !x.drained:
		return io.EOF
	case x.failed != nil:
		return x.failed
	case x.gaveUp:
		return &wire.Error{Phase: wire.Reading, Err: contextError(x.ctx), Written: true}
	}
	return &wire.Error{Phase: wire.Reading, Err: wire.ErrClosed, Written: true}
}

// leave ends a read, and the exchange where the body has ended, with err or at its end.
func (x *Exchange) leave(err error) error {
	x.mu.Lock()
	x.reading = false
	x.ending = x.closing || err != nil || x.body.Done()
	ends, closed := x.ending, x.closing
	x.mu.Unlock()
	if !ends {
		return nil
	}
	if err != nil && err != io.EOF {
		err = x.readFailure(err, closed)
		x.fail(err)
	}
	x.finish(err)
	x.rethrow()
	return err
}

// fail notes what ended the body.
func (x *Exchange) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.failed = err
}

// Close ends the exchange: the connection is kept if the body was read to its end, and
// closed otherwise. A Read that is under way is ended.
func (x *Exchange) Close() error {
	x.mu.Lock()
	first := !x.over && !x.ending && !x.closing
	x.closing = x.closing || first
	reading := x.reading
	if first && reading {
		x.stop() // before finish can give the connection to another exchange
	}
	x.mu.Unlock()
	if !first || reading {
		return nil
	}
	drained := x.drain()
	x.mu.Lock()
	x.drained = drained
	x.mu.Unlock()
	x.finish(nil)
	return nil
}

// What is read of a body that is closed before its end, to keep the connection: what is
// there already, and of a known length what comes at once.
const (
	maxDrain     = 4 << 10
	maxDrainWait = 10 * time.Millisecond
)

// drain reads a short rest of the body, and reports whether it has read any. It fails
// silently: the connection is closed then.
func (x *Exchange) drain() (some bool) {
	if x.body.Done() || x.upload != nil || !x.mayKeep() {
		return false
	}
	wait := time.Duration(0)
	if left := x.remaining(); left > maxDrain {
		return false
	} else if left > 0 {
		wait = maxDrainWait
	}
	x.conn.source.limitUntil(time.Now().Add(wait))
	block := segments.Get().(*[segmentSize]byte)
	defer segments.Put(block)
	for n := 0; n < maxDrain && !x.body.Done(); {
		m, err := x.body.Read(block[:maxDrain-n])
		if err != nil {
			break
		}
		some = true
		n += m
	}
	return some
}

// LimitUntil ends the reading of the body at t, if nothing ends it before.
func (x *Exchange) LimitUntil(t time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over { // else the connection may already serve another request
		x.conn.source.limitUntil(t)
	}
}

// Remaining is what is left of a body of known length, -1 otherwise, and where Close keeps
// the reader from it: 0 would be taken for the end.
func (x *Exchange) Remaining() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.drained || !x.over && (x.reading || x.closing) {
		return -1
	}
	return x.remaining()
}

func (x *Exchange) remaining() int64 {
	switch x.framing {
	case h1.NoBody:
		return 0
	case h1.Length:
		if n, err := x.body.Chunk(); err == nil {
			return n
		}
		return 0
	}
	return -1
}

// Chunked reports whether the body comes in chunks.
func (x *Exchange) Chunked() bool { return x.framing == h1.Chunked }

// ChunkRemaining is what is left of the current chunk; it waits for the next
// one's size where one has ended. 0 at the end, or on an error, which the next
// read gives.
func (x *Exchange) ChunkRemaining() int64 {
	if x.enter() != nil {
		return 0
	}
	n, err := x.body.Chunk()
	if _ = x.leave(nil); err != nil {
		return 0
	}
	return n
}

// Trailers returns the fields after a chunked body that has been read to its end.
func (x *Exchange) Trailers() [][2]string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over || x.drained {
		return nil
	}
	return x.body.Trailers()
}

// Verifiable reports whether the end of the body can be told from a connection
// cut short: not where only the end of the connection ends it.
func (x *Exchange) Verifiable() bool { return x.framing != h1.UntilClose }
