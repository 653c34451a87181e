package requests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/pool"
	"github.com/mountable/requests/internal/wire"
)

// This file is where a cause becomes a Kind, and the only place: causes of every carrier.

// exchangeError gives a failed exchange its Kind.
func exchangeError(err error, p *PreparedRequest, limits Timeouts) error {
	e := carrierError(err, limits, exchangeKind)
	if e.Request == nil {
		e.Request = p
	}
	return e
}

// bodyError gives a failure of reading a response's body its Kind.
func bodyError(r *Response, err error) error {
	e := carrierError(err, r.opts.Timeouts, bodyFailureKind)
	if e.Request == nil {
		e.Request, e.Response = r.Request, r
	}
	e.written = true
	return e
}

// carrierError makes an *Error of any error of a carrier: a copy, if it is one.
func carrierError(err error, limits Timeouts, kind func(error) Kind) *Error {
	switch e := err.(type) {
	case *Error:
		own := *e
		return &own
	case *wire.Error:
		return wireError(e, limits)
	}
	return &Error{Kind: kind(err), Err: err}
}

// wireError gives an error of an exchange its Kind: by the limit that ended it, else by
// the cause and the phase.
func wireError(e *wire.Error, limits Timeouts) *Error {
	if _, ok := errors.AsType[*body.Error](e.Err); ok {
		return withWritten(bodyFault(e.Err), e.Written)
	}
	own := &Error{Err: e.Err, written: e.Written && !e.Unprocessed, unprocessed: e.Unprocessed}
	switch {
	case e.Interim:
		own.Kind, own.written = ErrRequest, true // nothing that sending again would mend
	case e.Limit == wire.Deadline:
		own.Kind, own.Detail = ErrTotalTimeout, totalText
	case e.Limit == wire.WriteLimit:
		own.Kind, own.Detail = ErrWriteTimeout, limitText("nothing could be sent within %v (Timeouts.Read)", limits.Read)
	case e.Limit == wire.ReadLimit:
		own.Kind, own.Detail = ErrReadTimeout, limitText("nothing received within %v (Timeouts.Read)", limits.Read)
		if e.Phase == wire.Reading {
			own.Kind = ErrBodyTimeout
		}
	case errors.Is(e.Err, wire.ErrClosed):
		own.Kind, own.Err, own.Detail = ErrStreamConsumed, http.ErrBodyReadAfterClose, closedText
	case e.Phase == wire.Reading:
		own.Kind = bodyFailureKind(e.Err)
	default:
		own.Kind = exchangeKind(e.Err)
	}
	return own
}

// limitText says in words which limit a timeout has passed.
func limitText(format string, d time.Duration) string {
	if limit(d) <= 0 {
		return ""
	}
	return fmt.Sprintf(format, d)
}

// withWritten notes whether something had been sent.
func withWritten(err error, written bool) *Error {
	own := *err.(*Error)
	own.written = written
	return &own
}

// closedText is what reading a body gives that was closed before its end.
const closedText = "the response was closed before its body was read"

// exchangeKind classifies what went wrong between connecting and the head of the response.
func exchangeKind(err error) Kind {
	if k := contextKind(err); k != 0 {
		return k
	}
	if e, ok := errors.AsType[*h1.Error](err); ok {
		return headKind(e)
	}
	op, _ := errors.AsType[*net.OpError](err)
	dialing := op != nil && op.Op == "dial"
	switch {
	case dial.IsTLS(err):
		return ErrSSL
	case op != nil && (op.Op == "proxyconnect" || op.Op == "socks connect"):
		return ErrProxy
	case dial.IsDeadline(err) && dialing:
		return ErrConnectTimeout
	case dial.IsDeadline(err):
		return ErrReadTimeout
	case dialing:
		return ErrConnect
	}
	return ErrConnection
}

// CarrierError makes an [*Error] of err, which ended the sending of p by an adapter other than
// [HTTPAdapter], for the authors of an [Adapter]: its Kind is the one that HTTPAdapter gives to
// the cause, by the errors of context, net, crypto/tls and this package. An *Error among the
// causes keeps its Kind. Nothing of the request counts as written; see [Error.MarkWritten].
func CarrierError(p *PreparedRequest, err error) *Error {
	e := &Error{Kind: exchangeKind(err), Err: err}
	if own, ok := errors.AsType[*Error](err); ok {
		copied := *own
		e = &copied
	}
	if fault, ok := errors.AsType[*body.Error](err); ok && e.Err == err {
		e = withWritten(bodyFault(fault), false)
	}
	if e.Request == nil {
		e.Request = p
	}
	return e
}

// headKind classifies a bad head. Differing lengths are ErrInvalidHeader, as in
// Requests; framing that nothing can be made of is a connection error.
func headKind(e *h1.Error) Kind {
	switch e.Code {
	case h1.InvalidMethod:
		return ErrInvalidMethod
	case h1.InvalidTarget:
		return ErrInvalidURL
	case h1.InvalidFieldName, h1.InvalidFieldValue, h1.InvalidFraming, h1.BadContentLength:
		return ErrInvalidHeader
	case h1.ReadFailed:
		if dial.IsAlert(e.Err) {
			return ErrSSL
		}
	}
	return ErrConnection
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
	case dial.IsDeadline(err):
		return ErrBodyTimeout
	case dial.IsAlert(err):
		return ErrSSL
	}
	return ErrChunkedEncoding
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
// that was given with the cancellation.
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

// dialError gives a failure to connect its kind.
func dialError(ctx context.Context, err error, opts *SendOptions) error {
	e := &Error{Kind: ErrConnection, Err: err, dialing: true}
	if e, ok := err.(*Error); ok {
		return e // of the proxy's credentials
	}
	d, ok := errors.AsType[*dial.Error](err)
	denied, isDenied := errors.AsType[*dial.DeniedError](err)
	switch {
	case isDenied:
		return &Error{Kind: ErrDenied, Err: denied}
	case ctx.Err() != nil:
		e = contextError(ctx)
		if ok {
			e.Op = d.Op.String() + " " + d.Addr
		}
	case !ok:
	case d.Timeout() && passed(opts.Deadline):
		e.Kind, e.Detail, e.Err = ErrTotalTimeout, totalText, dial.Overdue{Err: err}
	case d.Timeout():
		e.Kind, e.Err = dialKind(d), dial.Overdue{Err: err}
		e.Detail = dialLimit(e.Kind, d, opts.Timeouts)
	default:
		e.Kind = dialKind(d)
		if d.Reply != nil {
			e.Response = refusal(d.Reply)
		}
	}
	if ok && d.BeforeProxy() && (e.Kind.Is(ErrConnect) || e.Kind == ErrSSL || e.Kind == ErrReadTimeout) {
		inner := *e
		if inner.Detail == "" && inner.Kind == ErrConnect {
			inner.Detail = inner.Err.Error() // without "no connection", which is said
		}
		return &Error{Kind: ErrProxy, Err: &inner, Detail: "no connection to the proxy" + opts.proxyBy.String(), dialing: true}
	}
	if ok && d.Proxy != "" && d.Op != dial.PhaseTLS && ctx.Err() == nil {
		e.Detail = cmp.Or(e.Detail, e.Kind.Error()) + opts.proxyBy.String()
	}
	return e
}

func dialKind(d *dial.Error) Kind {
	switch {
	case d.SecurityFault():
		return ErrSSL
	case d.Timeout() && d.InHandshake():
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

// poolError gives a connection that could not be had its kind.
func poolError(ctx context.Context, err error, opts *SendOptions) error {
	e := &Error{Kind: ErrConnection, Err: err, dialing: true}
	switch {
	case ctx.Err() != nil:
		e = contextError(ctx)
		e.Op = "waiting for a connection"
	case errors.Is(err, pool.ErrTimeout) && passed(opts.Deadline):
		e.Kind, e.Detail, e.Err = ErrTotalTimeout, totalText, dial.Overdue{Err: err}
	case errors.Is(err, pool.ErrTimeout):
		e.Err = dial.Overdue{Err: err}
		e.Kind, e.Detail = ErrPoolTimeout, fmt.Sprintf("no connection came free within %v (Timeouts.Pool)", opts.Timeouts.Pool)
	}
	return e
}

// bodyFault gives an error of a request's body its kind.
func bodyFault(err error) error {
	e, ok := errors.AsType[*body.Error](err)
	if !ok {
		return err
	}
	if own, ok := errors.AsType[*Error](e.Err); ok {
		return own // of the caller's body
	}
	if inner, ok := errors.AsType[*body.Error](e.Err); ok && (e.Fault == body.Broken || e.Fault == body.Unrewindable) {
		return bodyFault(inner) // a body of ours has said what is wrong with it
	}
	return &Error{Kind: bodyFaultKinds[e.Fault], Err: e.Err, Detail: e.Detail}
}

var bodyFaultKinds = [...]Kind{
	body.Invalid:      ErrInvalidBody,
	body.Unreadable:   ErrFile,
	body.Unrewindable: ErrUnrewindableBody,
	body.WrongLength:  ErrBodyLength,
	body.Broken:       ErrInvalidBody,
}

// unrepeated is the failure err of a request that would have been sent again, but for its
// body, of which spent says why: both of them.
func unrepeated(err, spent error) error {
	e := carrierError(err, Timeouts{}, exchangeKind)
	if e.Err == nil {
		e.Err = spent
	} else {
		e.Err = fmt.Errorf("%w, and %w", e.Err, spent)
	}
	return e
}
