package adapters

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/mountable/requests"
)

// watch keeps the time limits of one send for a carrier that knows nothing but
// contexts: a limit that runs out cancels the context with the error it stands for.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	opts   requests.Timeouts
	total  context.CancelFunc // of SendOptions.Deadline, which is the context's as well

	// mu protects the fields below.
	mu    sync.Mutex
	timer *time.Timer // of the wait that is under way
	ended bool

	refused error // what SendOptions.Interim returned
}

// interim passes a 1xx response on. An error ends the send.
func (w *watch) interim(call func(int, requests.Headers) error, status int, headers requests.Headers) error {
	err := call(status, headers)
	if err != nil {
		w.mu.Lock()
		w.refused = err
		w.mu.Unlock()
	}
	return err
}

// limitError returns the cause of a context that a limit ends.
func limitError(kind requests.Kind, detail string) error {
	return &requests.Error{Kind: kind, Detail: detail, Err: os.ErrDeadlineExceeded}
}

// The limits, for watch.start.
type waitFor struct {
	kind   requests.Kind
	detail string
}

var (
	connecting = waitFor{requests.ErrConnectTimeout, "not connected in time (Timeouts.Connect)"}
	reading    = waitFor{requests.ErrReadTimeout, "nothing received in time (Timeouts.Read)"}
	inBody     = waitFor{requests.ErrBodyTimeout, "nothing more received in time (Timeouts.Read)"}
	inQueue    = waitFor{requests.ErrPoolTimeout, "no turn came in time (Timeouts.Pool)"}
)

func newWatch(ctx context.Context, opts requests.SendOptions) *watch {
	w := &watch{opts: opts.Timeouts, total: func() {}}
	if !opts.Deadline.IsZero() {
		ctx, w.total = context.WithDeadlineCause(ctx, opts.Deadline, limitError(requests.ErrTotalTimeout, "not finished in time (Timeouts.Total)"))
	}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	return w
}

// start begins a wait, instead of the one before.
func (w *watch) start(limit time.Duration, what waitFor) {
	w.stop()
	if limit <= 0 || limit == requests.Forever {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.timer = time.AfterFunc(limit, func() { w.cancel(limitError(what.kind, what.detail)) })
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// end releases the context and the timers.
func (w *watch) end() {
	w.stop()
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.cancel(nil)
	w.total()
}

// failure is the error of a send that was ended from this side: refused, too late or
// canceled. nil if it was not.
func (w *watch) failure(p *requests.PreparedRequest) error {
	w.mu.Lock()
	refused := w.refused
	w.mu.Unlock()
	if refused != nil {
		return (&requests.Error{Kind: requests.ErrRequest, Request: p, Err: refused}).MarkWritten()
	}
	if e := w.unsent(p); e != nil {
		return e.MarkWritten()
	}
	return nil
}

// unsent is the error of a send that was ended before anything of it was written: too
// late or canceled. nil if it was not.
func (w *watch) unsent(p *requests.PreparedRequest) *requests.Error {
	if w.ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(w.ctx)
	if _, known := errors.AsType[*requests.Error](cause); !known && !errors.Is(cause, w.ctx.Err()) {
		cause = errors.Join(w.ctx.Err(), cause)
	}
	return requests.CarrierError(p, cause)
}
