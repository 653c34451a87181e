package requests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/mountable/requests/internal/body"
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
	e.written = e.written || x.written > 0
	return x.nameLimit(e)
}

// cause puts the context's error in the place of what its cancellation caused.
func (x *exchange) cause(err error) error {
	if x.stopped.Load() && x.ctx.Err() != nil {
		return contextError(x.ctx)
	}
	if isDeadline(err) && passed(x.conn.source.deadline) {
		return &Error{Kind: ErrTotalTimeout, Err: err, Detail: totalText}
	}
	return err
}

// nameLimit says in words which limit a timeout has passed.
func (x *exchange) nameLimit(e *Error) error {
	var text string
	switch e.Kind {
	case ErrReadTimeout, ErrBodyTimeout:
		text = "nothing received within %v (Timeouts.Read)"
	case ErrWriteTimeout:
		text = "nothing could be sent within %v (Timeouts.Read)"
	default:
		return e // and the connection may be somebody else's by now
	}
	if limit := x.conn.source.limit; limit > 0 && e.Detail == "" {
		e.Detail = fmt.Sprintf(text, limit)
	}
	return e
}

const totalText = "not done within Timeouts.Total"

// totalTimeout is the end of Timeouts.Total where no connection was waited for.
func totalTimeout() *Error {
	return &Error{Kind: ErrTotalTimeout, Err: errOverdue, Detail: totalText}
}

// errOverdue is the cause of a timeout that no socket has reported.
var errOverdue = os.ErrDeadlineExceeded

// passed reports whether t, zero for never, is over.
func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// contextError is the error of a context that has ended: its own, and the cause
// that the canceller gave.
func contextError(ctx context.Context) *Error {
	err, cause := ctx.Err(), context.Cause(ctx)
	e := &Error{Kind: contextKind(err), Err: err}
	if e.Kind == 0 {
		e.Kind = ErrCanceled
	}
	if cause != nil && !errors.Is(cause, err) {
		e.Err = fmt.Errorf("%w: %w", err, cause)
	}
	return e
}

// asError makes an *Error of any error: a copy, if it is one.
func asError(err error, kind func(error) Kind) *Error {
	if e, ok := err.(*Error); ok {
		own := *e
		return &own
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
	_, writing := errors.AsType[*writeError](err)
	switch {
	case isDeadline(err) && writing:
		return ErrWriteTimeout
	case isDeadline(err):
		return ErrReadTimeout
	case dial.IsAlert(err):
		return ErrSSL
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
		if dial.IsAlert(e.Err) {
			return ErrSSL
		}
	}
	return ErrConnection
}

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
	x, ok := r.Raw.(*exchange)
	if ok {
		err = x.cause(err)
	}
	e := asError(err, bodyFailureKind)
	if e.Request == nil {
		e.Request, e.Response = r.Request, r
	}
	e.written = true
	if ok {
		return x.nameLimit(e)
	}
	return e
}

// bodyFailureKind classifies what went wrong while reading a body: cut short or badly
// framed is ErrChunkedEncoding, with a length too; a timeout is ErrBodyTimeout.
func bodyFailureKind(err error) Kind {
	if k := contextKind(err); k != 0 {
		return k
	}
	if _, ok := errors.AsType[*coding.Error](err); ok || errors.Is(err, coding.ErrTooLarge) || errors.Is(err, coding.ErrTooManyCodings) {
		return ErrContentDecoding
	}
	switch {
	case isDeadline(err):
		return ErrBodyTimeout
	case dial.IsAlert(err):
		return ErrSSL
	}
	return ErrChunkedEncoding
}

// dialError gives a failure to connect its kind.
func dialError(ctx context.Context, err error, opts SendOptions) error {
	e := &Error{Kind: ErrConnection, Err: err, dialing: true}
	if e, ok := err.(*Error); ok {
		return e // of the proxy's credentials
	}
	d, ok := errors.AsType[*dial.Error](err)
	switch {
	case ctx.Err() != nil:
		e = contextError(ctx)
		if ok {
			e.Op = d.Op.String() + " " + d.Addr
		}
	case !ok:
	case d.Timeout() && passed(opts.Deadline):
		e.Kind, e.Detail, e.Err = ErrTotalTimeout, totalText, overdue{err}
	case d.Timeout():
		e.Kind, e.Err = dialKind(d), overdue{err}
		e.Detail = dialLimit(e.Kind, d, opts.Timeouts)
	default:
		e.Kind = dialKind(d)
		if d.Reply != nil {
			e.Response = refusal(d.Reply)
		}
	}
	if ok && beforeProxy(d) && (e.Kind.Is(ErrConnect) || e.Kind == ErrSSL || e.Kind == ErrReadTimeout) {
		inner := *e
		return &Error{Kind: ErrProxy, Err: &inner, Detail: "no connection to the proxy", dialing: true}
	}
	return e
}

// overdue is a timeout that is os.ErrDeadlineExceeded like any other: those of a
// net.Dialer are not.
type overdue struct{ error }

func (e overdue) Unwrap() error        { return e.error }
func (e overdue) Is(target error) bool { return target == os.ErrDeadlineExceeded }
func (e overdue) Timeout() bool        { return true }

func dialKind(d *dial.Error) Kind {
	switch {
	case d.SecurityFault():
		return ErrSSL
	case d.Timeout() && isHandshake(d):
		return ErrReadTimeout
	case d.Timeout():
		return ErrConnectTimeout
	case d.Op == dial.PhaseTunnel, d.Op == dial.PhaseProxyTLS:
		return ErrProxy
	case d.Op == dial.PhaseTLS:
		return ErrConnection
	}
	return ErrConnect
}

func isHandshake(d *dial.Error) bool {
	return d.Op == dial.PhaseTLS || d.Op == dial.PhaseTunnel || d.Op == dial.PhaseProxyTLS
}

// dialLimit says in words which limit the dialing has passed, "" if none.
func dialLimit(k Kind, d *dial.Error, t Timeouts) string {
	connect, read := limit(t.Connect), limit(t.Read)
	switch {
	case k == ErrConnectTimeout && connect > 0:
		return fmt.Sprintf("no connection within %v (Timeouts.Connect)", connect)
	case k == ErrReadTimeout && read > 0:
		return fmt.Sprintf("%v not done within %v (Timeouts.Read)", d.Op, read)
	case k == ErrReadTimeout && connect > 0:
		return fmt.Sprintf("%v not done within %v (Timeouts.Connect)", d.Op, connect)
	}
	return ""
}

// beforeProxy: until an HTTP proxy is there to be spoken to, everything is its failure, in Requests: look-up,
// connection, TLS, and the time they take.
func beforeProxy(d *dial.Error) bool {
	return isHTTPProxy(d) && (d.Op == dial.PhaseProxyConnect || d.Op == dial.PhaseProxyTLS)
}

// isHTTPProxy: a SOCKS proxy's failures are those of any connection, in Requests.
func isHTTPProxy(d *dial.Error) bool { return d.Proxy == "http" || d.Proxy == "https" }

// poolError gives a connection that could not be had its kind.
func poolError(ctx context.Context, err error, opts SendOptions) error {
	e := &Error{Kind: ErrConnection, Err: err, dialing: true}
	switch {
	case ctx.Err() != nil:
		e = contextError(ctx)
		e.Op = "waiting for a connection"
	case errors.Is(err, pool.ErrTimeout) && passed(opts.Deadline):
		e.Kind, e.Detail = ErrTotalTimeout, totalText
	case errors.Is(err, pool.ErrTimeout):
		e.Kind, e.Detail = ErrPoolTimeout, fmt.Sprintf("no connection came free within %v (Timeouts.Pool)", opts.Timeouts.Pool)
	}
	return e
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

// bodyFault gives an error of a request's body its kind.
func bodyFault(err error) error {
	e, ok := err.(*body.Error)
	if !ok {
		return err
	}
	if own, ok := e.Err.(*Error); ok {
		return own // of the caller's Streamer
	}
	return &Error{Kind: bodyFaultKinds[e.Fault], Err: e.Err, Detail: e.Detail}
}

var bodyFaultKinds = [...]Kind{
	body.Invalid:      ErrInvalidBody,
	body.Unreadable:   ErrFile,
	body.Unrewindable: ErrUnrewindableBody,
	body.WrongLength:  ErrBodyLength,
}
