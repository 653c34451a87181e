package http3

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/backoff"
)

// transport is the part of an adapter below adapters.RoundTripper, which keeps the time limits
// and makes the errors of bodies.
type transport connections

// mostRefusals is how often a request is sent again that servers have not looked at.
const mostRefusals = 3

// RoundTrip implements [http.RoundTripper]. A request that the server has not looked at is sent
// again, and so is one that was lost with a connection that had served others, where it may be
// repeated.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	s := sendingOf(req)
	body := req.Body
	for refused := 0; ; refused++ {
		resp, again, err := t.try(req.Clone(req.Context()), s, body)
		if err == nil || !again || refused == mostRefusals {
			return resp, err
		}
		if body != nil {
			if req.GetBody == nil {
				return nil, err
			}
			var spent error
			if body, spent = req.GetBody(); spent != nil {
				return nil, err
			}
		}
	}
}

// try sends the request once. again reports whether it may be sent again.
func (t *transport) try(req *http.Request, s *sending, body readCloser) (resp *http.Response, again bool, err error) {
	if req.Body = body; body == nil {
		req.Body = nil
	}
	var x *exchange
	panicked := true
	defer func() {
		if panicked {
			closeBody(body)
			x.finish()
		}
	}()
	c, reused, err := t.connection(req.Context(), s)
	if err != nil {
		panicked = false
		closeBody(body)
		return nil, false, err
	}
	x = &exchange{conn: c, sending: s, pool: (*connections)(t), closed: make(chan struct{})}
	traceConnection(req.Context(), reused)
	resp, err = x.do(req)
	panicked = false
	if err == nil {
		return resp, false, nil
	}
	closeBody(body)
	x.finish()
	x.panicOn()
	unprocessed := errors.Is(err, errUnprocessed) || isRejected(err)
	lost := reused && !x.heard && c.quic.Context().Err() != nil && isRepeatable(s.prepared)
	if lost {
		c.retire()
	}
	return nil, req.Context().Err() == nil && (unprocessed || lost), exchangeError(s.prepared, err, x.wrote && !unprocessed)
}

// connection lends a connection, and tells the trace that one is wanted.
func (t *transport) connection(ctx context.Context, s *sending) (*conn, bool, error) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(s.config.Host)
	}
	c, reused, err := (*connections)(t).get(ctx, s.config)
	if err != nil {
		return nil, false, connectError(s.prepared, err)
	}
	return c, reused, nil
}

func traceConnection(ctx context.Context, reused bool) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Reused: reused})
	}
}

// CloseIdleConnections closes what carries nothing.
func (t *transport) CloseIdleConnections() { (*connections)(t).closeIdle(false) }

// isRepeatable reports whether p may be sent again although the server may have acted on it.
func isRepeatable(p *requests.PreparedRequest) bool {
	return backoff.Idempotent(p.Method) || p.Headers.Get("Idempotency-Key") != "" || p.Headers.Get("X-Idempotency-Key") != ""
}

// exchangeError gives a failed exchange its kind.
func exchangeError(p *requests.PreparedRequest, err error, written bool) error {
	e := requests.CarrierError(p, err)
	if written {
		e = e.MarkWritten()
	}
	return e
}

type readCloser interface {
	Read(p []byte) (int, error)
	Close() error
}

func closeBody(body readCloser) {
	if body != nil {
		_ = body.Close()
	}
}
