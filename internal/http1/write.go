package http1

import (
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// tlsRecord is how much a TLS connection sends at a time. A longer write would not be faster, would tell later
// what has been taken, and a limit that passes within it would be the end of the connection, progress or not.
const tlsRecord = 16 << 10

// limitParts is into how many parts the time limit of a write on a plain connection is cut,
// so that a peer that has stopped reading is found out soon after the limit.
const limitParts = 4

// writer writes to the connection within the time limits of an exchange: Timeouts.Read
// bounds each wait for the peer to take some, and not the whole.
type writer struct {
	x     *Exchange
	cut   atomic.Bool // nothing is to be written any more
	armed bool        // a write deadline is set
	moved time.Time   // when the peer last took something, where there is a limit
}

// writeAll writes b, as a request that goes out at once.
func (x *Exchange) writeAll(b []byte) error {
	w := writer{x: x}
	err := w.write(b)
	if err == nil {
		err = w.disarm()
	}
	return err
}

// turn writes what it can of b, and reads the beginning of the response, where the connection does both at once. It
// returns what is left to be written. A trace is told of both, one after the other, and gets them so.
func (x *Exchange) turn(b []byte) (rest []byte, err error) {
	c := x.conn
	if c.turner == nil || x.trace.ClientTrace != nil || c.source.ready() != nil {
		return b, nil
	}
	room := c.reader.Room()
	if len(room) == 0 {
		return b, nil
	}
	wrote, read, writeErr, readErr := c.turner.Turn(b, room)
	x.written.Add(int64(wrote))
	c.source.came(read)
	c.reader.Came(read, readErr)
	if writeErr != nil {
		return nil, &writeError{writeErr}
	}
	return b[wrote:], nil
}

func (w *writer) write(b []byte) error {
	w.begin()
	for now := w.moved; len(b) > 0; now = (time.Time{}) {
		n, err := w.writeSome(b, now)
		b = b[n:]
		if err != nil && !w.goesOn(n, err) {
			return &writeError{err}
		}
	}
	return nil
}

// begin starts the wait for the peer.
func (w *writer) begin() {
	if w.x.request.limits.Write > 0 {
		w.moved = time.Now()
	}
}

// writeSome writes what it can. now is zero where it is not known.
func (w *writer) writeSome(b []byte, now time.Time) (int, error) {
	if err := w.arm(now); err != nil {
		return 0, err
	}
	c := w.x.conn
	if !c.plain && len(b) > tlsRecord {
		b = b[:tlsRecord]
	}
	n, err := c.Conn.Write(b)
	w.x.written.Add(int64(n))
	return n, err
}

// arm sets the time limit of the next write. now is zero where it is not known.
func (w *writer) arm(now time.Time) error {
	limits := &w.x.request.limits
	limit := limits.Write
	if w.x.conn.plain && limit > 0 {
		limit = max(limit/limitParts, 1)
	}
	if t := sooner(now, limit, limits.Deadline); w.armed || !t.IsZero() {
		if err := settable(w.x.conn.SetWriteDeadline(t)); err != nil {
			return err
		}
		w.armed = !t.IsZero()
	}
	if w.x.stopped.Load() || w.cut.Load() {
		return errStopped
	}
	return nil
}

// disarm takes the limit away once everything has been written.
func (w *writer) disarm() error {
	if !w.armed {
		return nil
	}
	w.armed = false
	return settable(w.x.conn.SetWriteDeadline(time.Time{}))
}

// goesOn reports whether a write that ended early did so at a slice of its time limit
// only, and n bytes or the time that is left speak for another.
func (w *writer) goesOn(n int, err error) bool {
	if !isDeadline(err) || w.x.stopped.Load() || w.cut.Load() || passed(w.x.request.limits.Deadline) || !w.x.conn.plain {
		return false
	}
	if n > 0 {
		w.moved = time.Now()
		return true
	}
	return time.Since(w.moved) < w.x.request.limits.Write
}

// writeError is a failure of the connection while writing.
type writeError struct{ err error }

func (e *writeError) Error() string { return "write: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

func isWriteError(err error) bool {
	_, ok := errors.AsType[*writeError](err)
	return ok
}

// isDeadline reports whether a time limit of a connection ran out.
func isDeadline(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
