package requests

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/pool"
)

// This file is where a cause becomes a Kind, and the only place.

// failure gives an error of an exchange its kind.
func (x *exchange) failure(err error, p *PreparedRequest) error {
	e := asError(x.cause(err), exchangeKind)
	if e.Request == nil {
		e.Request = p
	}
	e.written = e.written || x.wrote
	return e
}

// cause puts the context's error in the place of what its cancellation caused.
func (x *exchange) cause(err error) error {
	if x.stopped.Load() && x.ctx.Err() != nil {
		return contextError(x.ctx)
	}
	if isDeadline(err) && !x.conn.source.deadline.IsZero() && !time.Now().Before(x.conn.source.deadline) {
		return &Error{Kind: ErrTotalTimeout, Err: err}
	}
	return err
}

// asError makes an *Error of any error, unless it is one.
func asError(err error, kind func(error) Kind) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{Kind: kind(err), Err: err}
}

// exchangeKind classifies what went wrong between connecting and the reply's head.
func exchangeKind(err error) Kind {
	if k := contextKind(err); k != 0 {
		return k
	}
	if e, ok := errors.AsType[*h1.Error](err); ok {
		return headKind(e)
	}
	if isDeadline(err) {
		return ErrReadTimeout
	}
	return ErrConnection
}

// headKind classifies a bad head. Differing lengths are InvalidHeader, as in
// Requests; framing that nothing can be made of is a connection error.
func headKind(e *h1.Error) Kind {
	switch e.Code {
	case h1.InvalidMethod:
		return ErrInvalidMethod
	case h1.InvalidTarget:
		return ErrInvalidURL
	case h1.InvalidFieldName, h1.InvalidFieldValue, h1.BadContentLength:
		return ErrInvalidHeader
	case h1.ReadFailed:
		if isDeadline(e.Err) {
			return ErrReadTimeout
		}
	}
	return ErrConnection
}

// contextError is the error of a context that has ended, with its cause.
func contextError(ctx context.Context) *Error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause != err {
		err = &causedError{cause, err}
	}
	return &Error{Kind: contextKind(ctx.Err()), Err: err}
}

// causedError is a cancellation for which a reason was given.
type causedError struct{ cause, err error }

func (e *causedError) Error() string   { return e.err.Error() + ": " + e.cause.Error() }
func (e *causedError) Unwrap() []error { return []error{e.cause, e.err} }

// contextKind is the kind of a context's own errors, 0 for any other.
func contextKind(err error) Kind {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ErrTotalTimeout
	case errors.Is(err, context.Canceled):
		return ErrCanceled
	}
	return 0
}

// bodyError gives a failure of reading a reply's body its kind.
func bodyError(r *Response, err error) error {
	if x, ok := r.Raw.(*exchange); ok {
		err = x.cause(err)
	}
	e := asError(err, bodyFailureKind)
	if e.Request == nil {
		e.Request, e.Response = r.Request, r
	}
	e.written = true
	return e
}

// bodyFailureKind classifies what went wrong while reading a body: cut short or badly
// framed is ErrChunkedEncoding, with a length too; a timeout is ErrReadTimeout.
func bodyFailureKind(err error) Kind {
	if k := contextKind(err); k != 0 {
		return k
	}
	if _, ok := errors.AsType[*coding.Error](err); ok || errors.Is(err, coding.ErrTooLarge) || errors.Is(err, coding.ErrTooManyCodings) {
		return ErrContentDecoding
	}
	if isDeadline(err) {
		return ErrBodyTimeout
	}
	if _, ok := errors.AsType[*h1.Error](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrChunkedEncoding
	}
	return ErrChunkedEncoding
}

// dialError gives a failure to connect its kind.
func dialError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	e := &Error{Kind: ErrConnection, Err: err}
	if d, ok := errors.AsType[*dial.Error](err); ok {
		e.Kind = dialKind(d)
	}
	return e
}

func dialKind(d *dial.Error) Kind {
	switch {
	case d.SecurityFault():
		return ErrSSL
	case d.Timeout() && (d.Op == dial.PhaseTLS || d.Op == dial.PhaseTunnel || d.Op == dial.PhaseProxyTLS):
		return ErrReadTimeout
	case d.Timeout():
		return ErrConnectTimeout
	case d.Op == dial.PhaseProxyConnect && isHTTPProxy(d), d.Op == dial.PhaseTunnel, d.Op == dial.PhaseProxyTLS:
		return ErrProxy
	}
	return ErrConnection
}

// isHTTPProxy: a SOCKS proxy's failures are those of any connection, in Requests.
func isHTTPProxy(d *dial.Error) bool { return d.Proxy == "http" || d.Proxy == "https" }

func poolError(err error) error {
	switch {
	case errors.Is(err, pool.ErrTimeout):
		return &Error{Kind: ErrPoolTimeout, Err: err}
	case contextKind(err) != 0:
		return &Error{Kind: contextKind(err), Err: err}
	}
	return &Error{Kind: ErrConnection, Err: err}
}

// isDeadline reports whether a time limit of a connection ran out.
func isDeadline(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// isReset reports whether the peer has ended the connection.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}
