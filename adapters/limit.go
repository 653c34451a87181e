package adapters

import (
	"context"

	"github.com/mountable/requests"
)

// Limit has at most n requests under way at a time; the others wait for their turn, in
// the order they came. A request is under way until its response has been read to the
// end or closed, so that a streamed response keeps its turn.
//
// Timeouts.Pool bounds the wait ([requests.ErrPoolTimeout]), as do Timeouts.Total and
// the context; nothing has been sent then. With n below 1 every Send is
// [requests.ErrInvalidArgument].
func Limit(n int) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter {
		return &limited{Adapter: base, n: n, turns: make(chan struct{}, max(n, 1))}
	}
}

type limited struct {
	requests.Adapter
	n     int
	turns chan struct{} // holds one for each request under way
}

// CloseIdle passes on.
func (l *limited) CloseIdle() { closeIdle(l.Adapter) }

// Send implements [requests.Adapter].
func (l *limited) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if l.n < 1 {
		return nil, invalid("Limit(%d): expected 1 or more", l.n)
	}
	if err := l.wait(ctx, p, opts); err != nil {
		return nil, err
	}
	var r *requests.Response
	defer func() {
		if r == nil { // failed, or the adapter has panicked
			l.release()
		}
	}()
	r, err := l.Adapter.Send(ctx, p, opts)
	if err != nil || r == nil {
		r = nil
		return nil, err
	}
	whenEnded(r, l.release)
	return r, nil
}

// wait takes a turn.
func (l *limited) wait(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) error {
	w := newWatch(ctx, opts)
	defer w.end()
	if e := w.unsent(p); e != nil {
		return e
	}
	select {
	case l.turns <- struct{}{}:
		return nil
	default:
	}
	w.start(opts.Timeouts.Pool, inQueue)
	select {
	case l.turns <- struct{}{}:
		return nil
	case <-w.ctx.Done():
		return w.unsent(p)
	}
}

func (l *limited) release() { <-l.turns }
