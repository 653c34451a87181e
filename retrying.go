package requests

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Retries makes the adapter try again as r says. The default is to try nothing
// again, but for one case that loses nothing: a connection from the pool that the
// server had already given up is replaced by a new one.
//
// A body that cannot be sent again ends the retrying: the failure is returned as
// it is, and never an empty body sent. Replies that are tried again are read to
// their end, within bounds, so that their connection is used again; they leave
// neither history nor cookies, and no hook sees them. [Response.Attempts] lists
// them. Pauses end with the context and with Timeouts.Total.
//
// A count below zero, or another setting that makes no sense, makes every Send
// of the adapter [ErrInvalidArgument].
func Retries(r Retry) AdapterOption {
	state, err := r.State(), r.check()
	return func(a *HTTPAdapter) {
		a.setError(err)
		a.retry = &state
	}
}

// MaxRetries is Requests' max_retries: n repeats in all, for failed connections,
// and for lost replies to methods that may be repeated; none with 0, the default.
func MaxRetries(n int) AdapterOption {
	if n == 0 {
		return func(a *HTTPAdapter) { a.retry = nil }
	}
	return Retries(Retry{Total: RetryCount(n)})
}

// RetryBudget bounds the retries of an adapter over all its requests: a bucket
// of burst tokens, of which each retry takes one and each reply that is not to be
// tried again gives back ratio (0.1: one retry for ten such replies in the long run). Where it is empty,
// failures and replies are returned as they are. There is no budget by default.
func RetryBudget(burst int, ratio float64) AdapterOption {
	return func(a *HTTPAdapter) {
		if burst < 0 || !(ratio >= 0) {
			a.setError(fail(ErrInvalidArgument, "RetryBudget(%d, %v): neither can be negative", burst, ratio))
		}
		a.budget = &retryBudget{tokens: float64(burst), burst: float64(burst), ratio: ratio}
	}
}

// retryBudget is a token bucket. A nil one is never empty.
type retryBudget struct {
	mu     sync.Mutex
	tokens float64
	burst  float64
	ratio  float64
}

func (b *retryBudget) take() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (b *retryBudget) giveBack() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.burst, b.tokens+b.ratio)
}

// setError keeps the first option's error for Send to return.
func (a *HTTPAdapter) setError(err error) {
	if a.err == nil && err != nil {
		a.err = err
	}
}

// retrying is one request that may be sent several times.
type retrying struct {
	adapter *HTTPAdapter
	p       *PreparedRequest
	opts    SendOptions
	retry   RetryState
}

// sendRetrying sends p until a reply comes that is not to be tried again, or the
// retries are used up.
func (a *HTTPAdapter) sendRetrying(ctx context.Context, p *PreparedRequest, opts SendOptions, r route) (*Response, error) {
	t := retrying{a, p, opts, *a.retry}
	for {
		resp, err := a.once(ctx, p, opts, &r)
		var wait time.Duration
		again := false
		if err != nil {
			wait, err = t.afterFailure(err)
			again = err == nil
		} else {
			wait, again, err = t.afterReply(resp)
		}
		if err != nil {
			return nil, err
		}
		if !again {
			resp.Attempts = t.retry.History
			return resp, nil
		}
		if err := pause(ctx, wait, opts.Deadline); err != nil {
			return nil, t.interrupted(err)
		}
		if err := p.Rewind(); err != nil {
			return nil, withRequest(err, p)
		}
	}
}

// afterFailure decides about a failed try: the pause before the next one, or the
// error that ends the request.
func (t *retrying) afterFailure(err error) (time.Duration, error) {
	if !isRetriable(err) {
		return 0, err
	}
	next, giveUp := t.retry.Increment(t.p.Method, t.p.URL, nil, err)
	if giveUp != nil {
		return 0, t.usedUp(giveUp, nil)
	}
	if !t.replayable(err) || !t.adapter.budget.take() {
		return 0, err
	}
	t.retry = next
	return next.BackoffTime(), nil
}

// isRetriable: what failed was the connection or the server, and neither the
// request nor the caller's patience. A full pool is not tried again, as in urllib3.
func isRetriable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind != ErrPoolTimeout && (e.Kind.Is(ErrConnection) || e.Kind.Is(ErrReadTimeout))
}

// replayable: the next try would send the same body. Where there was no
// connection nothing of it has been read.
func (t *retrying) replayable(err error) bool {
	e, ok := err.(*Error)
	return t.p.Replayable() || ok && e.dialing
}

// afterReply decides about a reply: whether it is to be tried again, and after
// which pause.
func (t *retrying) afterReply(resp *Response) (wait time.Duration, again bool, err error) {
	now := time.Now()
	if !t.retry.IsRetry(t.p.Method, resp.StatusCode, t.hasRetryAfter(resp, now)) {
		t.adapter.budget.giveBack()
		return t.afterBody(resp)
	}
	next, giveUp := t.retry.Increment(t.p.Method, t.p.URL, resp, nil)
	if giveUp == nil && !t.replayable(nil) {
		giveUp = fail(ErrUnrewindableBody, "a reply of status %d is to be tried again, and the body cannot be sent again", resp.StatusCode)
	}
	switch {
	case giveUp != nil && t.retry.Left.RaiseOnStatus == Off, giveUp == nil && !t.adapter.budget.take():
		return 0, false, nil
	case giveUp != nil:
		drainRaw(resp)
		return 0, false, t.usedUp(giveUp, resp)
	}
	drainRaw(resp)
	t.retry = next
	return next.Delay(resp, now), true, nil
}

// hasRetryAfter reports whether there is a Retry-After that can be read. Any other
// counts as absent.
func (t *retrying) hasRetryAfter(resp *Response, now time.Time) bool {
	value := resp.Headers.Get("Retry-After")
	if value == "" {
		return false
	}
	_, err := t.retry.ParseRetryAfter(value, now)
	return err == nil
}

// afterBody reads the body if RetryBody asks for it. A body that fails for good
// stays with its response, whose reader meets the error.
func (t *retrying) afterBody(resp *Response) (wait time.Duration, again bool, err error) {
	if !t.retry.Left.RetryBody || t.opts.Stream == On {
		return 0, false, nil
	}
	resp.opts = t.opts
	_, failed := resp.Content()
	if failed == nil || !errors.Is(failed, ErrChunkedEncoding) && !isRetriable(failed) || !t.retry.Left.allows(t.p.Method) {
		return 0, false, nil
	}
	next, giveUp := t.retry.Increment(t.p.Method, t.p.URL, nil, failed)
	if giveUp != nil || !t.replayable(nil) || !t.adapter.budget.take() {
		return 0, false, nil
	}
	t.retry = next
	return next.BackoffTime(), true, nil
}

// usedUp gives the end of the retrying its kind: that of the last failure, except
// that a read timeout is ErrConnection, as in Requests, and replies are ErrRetry.
// What is no MaxRetryError passes as it is.
func (t *retrying) usedUp(err error, resp *Response) error {
	if e, ok := err.(*Error); ok && resp != nil {
		e.Request, e.Response = t.p, resp
	}
	gaveUp, ok := err.(*MaxRetryError)
	if !ok {
		return err
	}
	e := &Error{Kind: ErrRetry, Request: t.p, Response: resp, Err: gaveUp, written: true}
	if last, ok := gaveUp.Reason.(*Error); ok {
		e.Kind, e.written = last.Kind, last.written
		if last.Kind.Is(ErrReadTimeout) {
			e.Kind = ErrConnection
		}
		plain := *last
		plain.Request = nil // e names it
		gaveUp.Reason = &plain
	}
	return e
}

// interrupted is the end of the time, or of the caller's patience, between two tries.
func (t *retrying) interrupted(e *Error) error {
	e.Request, e.Err, e.written = t.p, &MaxRetryError{Reason: e.Err, History: t.retry.History}, true
	return e
}

// maxDrainTime bounds the reading of a reply that nobody will see.
const maxDrainTime = time.Second

// drainRaw reads what is left of a reply that is tried again, so that its
// connection can be used for that, unless that would take too much of it or too long.
func drainRaw(r *Response) {
	if x, ok := r.Raw.(*exchange); ok {
		x.hurry(time.Now().Add(maxDrainTime))
	}
	if r.Raw != nil {
		_, _ = io.CopyN(io.Discard, r.Raw, maxDrain)
	}
	r.Close()
}

// pause waits until d is over, and no longer than the context and the deadline last.
func pause(ctx context.Context, d time.Duration, deadline time.Time) *Error {
	if err := ctx.Err(); err != nil {
		return contextError(ctx)
	}
	late := !deadline.IsZero() && time.Until(deadline) <= d
	if late {
		d = time.Until(deadline)
	}
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return contextError(ctx)
		}
	}
	if late {
		return totalTimeout()
	}
	return nil
}
