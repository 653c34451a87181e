package requests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mountable/requests/internal/backoff"
	"github.com/mountable/requests/internal/wire"
)

// Retries makes the adapter try again as r says. By default nothing is retried, except that a
// pooled connection which the server had already closed is replaced by a new one.
//
// A body that cannot be sent again ends the retries: the failure is returned unchanged, and an
// empty body is never sent. Responses that are tried again are read to their end, within bounds,
// so that their connection is used again; they leave neither history nor cookies, and no hook sees
// them. [Response.Attempts] lists them. Pauses end with the context. One that would last longer
// than the context's deadline or Timeouts.Total is not begun: the request fails at once.
//
// A count below zero, or another invalid setting, makes every Send of the adapter
// [ErrInvalidArgument].
func Retries(r Retry) AdapterOption {
	state, err := r.State(), r.check()
	return func(a *HTTPAdapter) {
		a.setError(err)
		a.retry = &state
	}
}

// MaxRetries is Requests' max_retries: n retries in all, after failed connections and, for methods
// that may be repeated, after lost responses and 413, 429 and 503 with Retry-After; 0 is the
// default. A negative n makes every Send of the adapter [ErrInvalidArgument].
func MaxRetries(n int) AdapterOption {
	if n == 0 {
		return func(a *HTTPAdapter) { a.retry = nil }
	}
	return unlessNegative("MaxRetries", n, Retries(Retry{Total: RetryCount(n)}))
}

// RetryBudget bounds the retries of an adapter over all its requests: a bucket
// of burst tokens, of which each retry takes one and each response that is not to be
// tried again gives back ratio (0.1: one retry for ten such responses in the long run).
// Where it is empty, failures and responses are returned as they are. There is no budget by default. A
// negative argument makes every Send of the adapter [ErrInvalidArgument].
func RetryBudget(burst int, ratio float64) AdapterOption {
	if burst < 0 || !(ratio >= 0) {
		return refuseOption("RetryBudget(%d, %v): neither can be negative", burst, ratio)
	}
	return func(a *HTTPAdapter) {
		a.budget = backoff.NewBudget(burst, ratio)
	}
}

// refuseOption is the option of an argument that makes no sense: every Send of the adapter says so.
func refuseOption(format string, args ...any) AdapterOption {
	err := fail(ErrInvalidArgument, format, args...)
	return func(a *HTTPAdapter) { a.setError(err) }
}

// setError keeps the first option's error for Send to return.
func (a *HTTPAdapter) setError(err error) {
	if a.err == nil && err != nil {
		a.err = err
	}
}

// retrying is one request that may be sent several times.
//
//	what came            tried again, if                                   what is returned otherwise
//	a failure            isRetriable; a count is left; the body can be     the failure, or a MaxRetryError around
//	                     sent again; the budget has a token                it where the counts are used up
//	a response           IsRetry of its status; and the same               the response, or ErrRetry where the counts
//	                                                                       are used up and RaiseOnStatus is not Off
//	a body that failed   RetryBody, not streamed; and the same             the response, whose reader meets the error
//	a pause              it ends before the context and Timeouts.Total     their end, around the last failure
type retrying struct {
	adapter *HTTPAdapter
	p       *PreparedRequest
	opts    SendOptions
	tries   RetryState
	stopped *atomic.Bool // the error of OnInterim or OnAttempt ended the request; nil without either
}

// sendRetrying sends p until a response comes that is not to be tried again, or the
// retries are used up.
func (a *HTTPAdapter) sendRetrying(ctx context.Context, p *PreparedRequest, opts *SendOptions, r *route) (*Response, error) {
	t := retrying{adapter: a, p: p, opts: *opts, tries: *a.retry}
	t.watchInterim()
	p = t.keyed()
	for {
		resp, err := t.try(ctx, p, r)
		var wait time.Duration
		again := false
		if err != nil {
			wait, err = t.afterFailure(err)
			again = err == nil
		} else {
			wait, again, err = t.afterResponse(resp)
		}
		if err != nil {
			return nil, err
		}
		if !again {
			resp.Attempts = t.tries.History
			return resp, nil
		}
		if err := pause(ctx, wait, opts.Deadline); err != nil {
			return nil, t.interrupted(err, resp)
		}
		if err := p.body.Restart(); err != nil {
			return nil, withRequest(bodyFault(err), p)
		}
	}
}

// try sends p once, after OnAttempt.
func (t *retrying) try(ctx context.Context, p *PreparedRequest, r *route) (*Response, error) {
	if before := t.tries.Left.OnAttempt; before != nil {
		p = p.Clone()
		if err := before(ctx, p, slices.Clone(t.tries.History)); err != nil {
			t.stopped.Store(true)
			return nil, err
		}
	}
	return t.adapter.once(ctx, p, &t.opts, r)
}

// keyed is the request with an Idempotency-Key, where it is to have one. What has one,
// and not an empty one, may be tried again.
func (t *retrying) keyed() *PreparedRequest {
	const field = "Idempotency-Key"
	settings := &t.tries.Left
	if settings.IdempotencyKeys && (t.p.Method == "POST" || t.p.Method == "PATCH") && t.p.Headers.Get(field) == "" {
		t.p = t.p.Clone()
		t.p.Headers.Set(field, backoff.NewKey())
	}
	settings.AnyMethod = settings.AnyMethod || t.tries.usualMethods && t.p.Headers.Get(field) != ""
	return t.p
}

// watchInterim notes an error of OnInterim: the caller has ended the request, which no
// carrier may send again, whatever Kind it gives the error.
func (t *retrying) watchInterim() {
	given := t.opts.Interim
	if given == nil && t.tries.Left.OnAttempt == nil {
		return
	}
	t.stopped = new(atomic.Bool)
	if given == nil {
		return
	}
	t.opts.Interim = func(status int, headers Headers) error {
		err := given(status, headers)
		t.stopped.CompareAndSwap(false, err != nil)
		return err
	}
}

// afterFailure decides about a failed try: the pause before the next one, or the
// error that ends the request.
func (t *retrying) afterFailure(err error) (time.Duration, error) {
	if !isRetriable(err) || t.isRefused(err) || t.stopped != nil && t.stopped.Load() {
		return 0, err
	}
	next, giveUp := t.tries.Increment(t.p.Method, t.p.URL, nil, err)
	if giveUp != nil {
		return 0, t.usedUp(giveUp, nil)
	}
	if !t.replayable(err) {
		return 0, t.unreplayable(err)
	}
	if !t.adapter.budget.Take() {
		return 0, err
	}
	t.tries = next
	return next.backoffTime(), nil
}

// isRetriable reports whether the connection or the server failed: not a bad request,
// a timeout of the whole or a cancellation. A full pool is not tried again, as in urllib3.
func isRetriable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind != ErrPoolTimeout && (e.Kind.Is(ErrConnection) || e.Kind.Is(ErrReadTimeout))
}

// isRefused reports whether the proxy has refused user or password: to offer it the same
// again may lock the user out.
func (t *retrying) isRefused(err error) bool {
	e, ok := errors.AsType[*Error](err)
	asRequests := t.opts.policy != nil && t.opts.policy.ChallengesAsRequests
	return ok && e.Kind == ErrProxy && e.Response != nil && e.Response.StatusCode == 407 && !asRequests
}

// replayable reports whether the next try would send the same body. Where there was
// no connection nothing of it has been read.
func (t *retrying) replayable(err error) bool {
	e, ok := err.(*Error)
	return t.p.body.Replayable() || ok && e.dialing
}

// unreplayable is a failure that is not tried again for the body's sake.
func (t *retrying) unreplayable(err error) error {
	spent := t.p.Rewind()
	if spent == nil || errors.Is(err, ErrUnrewindableBody) {
		return err
	}
	return unrepeated(err, spent)
}

// afterResponse decides about a response: whether it is to be tried again, and after which pause.
func (t *retrying) afterResponse(resp *Response) (wait time.Duration, again bool, err error) {
	now := time.Now()
	_, hasRetryAfter := t.tries.retryAfter(resp, now)
	if !t.tries.IsRetry(t.p.Method, resp.StatusCode, hasRetryAfter) {
		t.adapter.budget.Refund()
		return t.afterBody(resp)
	}
	next, giveUp := t.tries.Increment(t.p.Method, t.p.URL, resp, nil)
	if giveUp == nil && !t.replayable(nil) {
		giveUp = &Error{
			Kind: ErrUnrewindableBody, Request: t.p, Response: resp, written: true,
			Detail: fmt.Sprintf("a response of status %d is to be tried again, and the body cannot be sent again", resp.StatusCode),
		}
	}
	switch {
	case giveUp != nil && t.tries.Left.RaiseOnStatus == Off, giveUp == nil && !t.adapter.budget.Take():
		return 0, false, nil
	case giveUp != nil:
		drainRaw(resp)
		return 0, false, t.usedUp(giveUp, resp)
	}
	drainRaw(resp)
	t.tries = next
	return next.Delay(resp, now), true, nil
}

// afterBody reads the body if RetryBody asks for it. A body that fails for good
// stays with its response, whose reader meets the error.
func (t *retrying) afterBody(resp *Response) (wait time.Duration, again bool, err error) {
	if !t.tries.Left.RetryBody || t.opts.Stream == On {
		return 0, false, nil
	}
	resp.opts = t.opts
	_, failed := resp.Content()
	if failed == nil || !errors.Is(failed, ErrChunkedEncoding) && !isRetriable(failed) || !t.tries.Left.allows(t.p.Method) {
		return 0, false, nil
	}
	next, giveUp := t.tries.Increment(t.p.Method, t.p.URL, nil, failed)
	if giveUp != nil || !t.replayable(nil) || !t.adapter.budget.Take() {
		return 0, false, nil
	}
	t.tries = next
	return next.backoffTime(), true, nil
}

// usedUp gives the end of the retrying its kind: that of the last failure, except
// that a read timeout is ErrConnection, as in Requests, and responses are ErrRetry.
// Other errors than MaxRetryError are returned unchanged.
func (t *retrying) usedUp(err error, resp *Response) error {
	gaveUp, ok := err.(*MaxRetryError)
	if !ok && resp != nil {
		return withResponse(err, resp)
	}
	if !ok {
		return err
	}
	last, ok := gaveUp.Reason.(*Error)
	if !ok {
		return &Error{Kind: ErrRetry, Request: t.p, Response: resp, Err: gaveUp, written: true}
	}
	plain := *last
	plain.Request = nil // the error around it names it
	e := &Error{Kind: last.Kind, Request: t.p, Response: resp, written: last.written}
	e.Err = &MaxRetryError{Reason: &plain, History: gaveUp.History}
	if last.Kind.Is(ErrReadTimeout) {
		e.Kind = ErrConnection
	}
	return e
}

// interrupted is the end of the time, or a cancellation, between two tries, of which
// the first gave resp or, where it is nil, failed.
func (t *retrying) interrupted(end error, resp *Response) error {
	e := *end.(*Error)
	e.Request, e.Response, e.written = t.p, resp, true
	e.Err = &MaxRetryError{Reason: e.Err, History: t.tries.History}
	return &e
}

// maxDrainTime bounds the reading of a response that nobody will see.
const maxDrainTime = time.Second

// drainRaw reads what is left of a response that is tried again, so that its
// connection can be used for that, unless that would take too much of it or too long.
func drainRaw(r *Response) {
	body := wire.StreamOf(r.Raw)
	body.LimitUntil(time.Now().Add(maxDrainTime))
	_, _ = io.CopyN(io.Discard, body, maxDrain)
	r.Close()
}

// pause is backoff.Pause, with an error of this package.
func pause(ctx context.Context, d time.Duration, deadline time.Time) error {
	const text = "a pause of %v before the next try would outlast "
	switch shown := d.Round(time.Millisecond); backoff.Pause(ctx, d, deadline) {
	case nil:
		return nil
	case backoff.ErrPastDeadline:
		return &Error{Kind: ErrTotalTimeout, Err: errOverdue, Detail: fmt.Sprintf(text+"Timeouts.Total", shown)}
	case backoff.ErrPastContext:
		return &Error{Kind: contextKind(context.DeadlineExceeded), Err: context.DeadlineExceeded, Detail: fmt.Sprintf(text+"the context", shown)}
	}
	return contextError(ctx)
}
