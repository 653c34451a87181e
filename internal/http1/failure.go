package http1

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wire"
)

// What ends an exchange from inside.
var (
	errStopped  = errors.New("the exchange was ended")
	errPanicked = errors.New("the code of the caller panicked")
	errExited   = errors.New("the code of the caller ended its goroutine")
)

// interimError is an error of Request.Interim.
type interimError struct{ error }

// failure is the error of an exchange that has not got the head of a response.
func (x *Exchange) failure(err error) error {
	e := &wire.Error{Phase: wire.Waiting, Err: err, Written: x.written.Load() > 0}
	_, broken := errors.AsType[*body.Error](err)
	own, interim := err.(interimError)
	writing := isWriteError(err)
	switch {
	case interim:
		e.Interim, e.Err = true, own.error
		return e
	case writing, broken:
		e.Phase = wire.Writing
	}
	if broken && !x.canceled() {
		return e
	}
	e.Unanswered = x.unanswered(err)
	x.explain(e, writing)
	if e.Unanswered && x.request.upgrade {
		e.Err = fmt.Errorf("%w (another protocol was asked for, which goes over HTTP/1.1: the server may speak HTTP/2 only)", e.Err)
	}
	return e
}

// readFailure is the error of a body that cannot be read to its end, or that Close ended.
func (x *Exchange) readFailure(err error, closed bool) error {
	if closed {
		return &wire.Error{Phase: wire.Reading, Err: wire.ErrClosed, Written: true}
	}
	if failed := x.upload.failure(); failed != nil && x.stopped.Load() && !x.canceled() {
		return x.failure(failed)
	}
	e := &wire.Error{Phase: wire.Reading, Err: err, Written: true}
	x.explain(e, false)
	return e
}

// explain puts what ended the exchange instead of what that caused.
func (x *Exchange) explain(e *wire.Error, writing bool) {
	_, deadline := x.conn.source.limits()
	switch {
	case x.canceled():
		e.Err, e.Unanswered = contextError(x.ctx), false
	case !isDeadline(e.Err):
	case passed(deadline):
		e.Limit = wire.Deadline
	case writing:
		e.Limit = wire.WriteLimit
	default:
		e.Limit = wire.ReadLimit
	}
}

// canceled reports whether the context has ended the exchange.
func (x *Exchange) canceled() bool { return x.stopped.Load() && x.ctx.Err() != nil }

// unanswered reports whether the connection ended before the first byte of a
// response, as an idle connection does that the server has given up, or took nothing.
func (x *Exchange) unanswered(err error) bool {
	switch {
	case isWriteError(err) && x.written.Load() == 0 && !isDeadline(err) && !x.canceled():
		return true
	case x.stopped.Load() || x.conn.reader.Buffered() > 0:
		return false
	}
	if e, ok := errors.AsType[*h1.Error](err); ok {
		return e.Code == h1.NoResponse || e.Code == h1.ReadFailed && isReset(e.Err)
	}
	return isReset(err)
}

// readerError marks an error of the caller's body, which is not one of the connection.
func readerError(err error) error {
	if _, ok := errors.AsType[*body.Error](err); ok || err == errStopped || isWriteError(err) {
		return err
	}
	return body.ReadError(err)
}

// isReset reports whether the peer has ended the connection.
func isReset(err error) bool {
	return wire.IsReset(err) || errors.Is(err, io.EOF)
}

// rethrow hands a panic of the caller's code on to the caller, whose goroutine this is.
func (x *Exchange) rethrow() {
	if up := x.upload; up != nil && up.panicked() {
		panic(up.panicValue)
	}
}

// handOver gives the response to the caller, who may take its time to read it.
func (x *Exchange) handOver() {
	x.mu.Lock()
	x.handed = true
	x.mu.Unlock()
	if x.canceled() {
		x.giveUp()
	}
}

// giveUp ends the exchange with its context: a read that is under way, or between reads the
// connection, so that the server learns of it although nobody reads on.
func (x *Exchange) giveUp() {
	x.stop()
	x.mu.Lock()
	alone := x.handed && !x.reading && !x.closing && !x.ending && !x.over
	if alone {
		x.over, x.gaveUp = true, true
	}
	x.mu.Unlock()
	if alone {
		x.release(x.ctx.Err())
	}
}

// contextError is the error of a context that has ended: its own, and the cause that was
// given.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
