package cache

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests"
)

// flight is a request that others wait for.
type flight struct {
	done chan struct{} // closed when the fields below are set

	entry     *entry // what it brought; nil if that cannot be used again
	abandoned bool   // its caller gave up
}

// ask sends q, or waits for a request that asks for the same. What the server gives to one may
// be nothing for others: then they go by themselves.
func (c *cached) ask(ctx context.Context, q *question, old *entry) (*requests.Response, error) {
	if !q.shareable() {
		r, _, err := c.fetch(ctx, q, old)
		return r, err
	}
	key := q.flightKey()
	for {
		f, first := c.board(key)
		if first {
			return c.fly(ctx, key, f, q, old)
		}
		if err := wait(ctx, q, f); err != nil {
			return nil, err
		}
		if f.entry != nil && c.judge(f.entry, q, time.Now()) == fresh {
			return q.answer(f.entry, Hit), nil
		}
		if !f.abandoned {
			r, _, err := c.fetch(ctx, q, old)
			return r, err
		}
	}
}

// shareable reports whether q may wait for others, and others for it: a body that is streamed
// is read when its caller likes.
func (q *question) shareable() bool {
	return q.p.Method == "GET" && !q.ranged && !q.conditions && !q.asks.noStore && !q.asks.noCache &&
		q.opts.Stream != requests.On && q.opts.Interim == nil
}

// flightKey is what requests have in common that ask for the same, whatever the response
// varies by.
func (q *question) flightKey() string {
	parts := []string{q.key, q.trust}
	for name, value := range q.p.Headers.All() {
		parts = append(parts, strings.ToLower(name), value)
	}
	return digest(parts...)
}

// board returns the flight that is under way, or begins one.
func (c *cached) board(key string) (f *flight, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f = c.flights[key]; f == nil {
		f, first = &flight{done: make(chan struct{})}, true
		c.flights[key] = f
	}
	return f, first
}

// fly sends the request for all. A panic, of the adapter or the store, leaves the flight abandoned.
func (c *cached) fly(ctx context.Context, key string, f *flight, q *question, old *entry) (*requests.Response, error) {
	var e *entry
	abandoned := true
	defer func() { c.land(key, f, e, abandoned) }()
	if c.landed.Load() != q.landed { // perhaps between the look into the store and now
		q.landed, old = c.landed.Load(), c.lookup(ctx, q)
		if c.judge(old, q, time.Now()) == fresh {
			e, abandoned = old, false
			return q.answer(old, Hit), nil
		}
	}
	r, e, err := c.fetch(ctx, q, old)
	abandoned = ctx.Err() != nil
	return r, err
}

// land ends a flight: nobody waits for it any more.
func (c *cached) land(key string, f *flight, e *entry, abandoned bool) {
	f.entry, f.abandoned = e, abandoned
	c.mu.Lock()
	delete(c.flights, key)
	c.mu.Unlock()
	c.landed.Add(1)
	close(f.done)
}

// wait waits for f, as long as q may.
func wait(ctx context.Context, q *question, f *flight) error {
	if !q.opts.Deadline.IsZero() {
		late := &requests.Error{Kind: requests.ErrTotalTimeout, Detail: "not finished in time (Timeouts.Total)", Err: os.ErrDeadlineExceeded}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, q.opts.Deadline, late)
		defer cancel()
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return requests.CarrierError(q.p, context.Cause(ctx))
	}
}

// renewals are the validations in the background of one adapter.
type renewals struct {
	// mu protects the fields below.
	mu    sync.Mutex
	batch *batch          // that of the next one; nil before the first, and once it was stopped
	keys  map[string]bool // those under way
}

// batch is what one stop ends: nothing is added to it any more when that waits for it.
type batch struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newRenewals() *renewals {
	return &renewals{keys: map[string]bool{}}
}

// start runs f, unless that of its key is running already.
func (b *renewals) start(key string, f func(ctx context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys[key] {
		return
	}
	if b.batch == nil {
		b.batch = &batch{}
		b.batch.ctx, b.batch.cancel = context.WithCancel(context.Background())
	}
	b.keys[key] = true
	ctx := b.batch.ctx
	b.batch.running.Go(func() {
		defer b.end(key)
		f(ctx)
	})
}

func (b *renewals) end(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.keys, key)
}

// stop cancels what is running and waits for it.
func (b *renewals) stop() {
	b.mu.Lock()
	last := b.batch
	b.batch = nil
	b.mu.Unlock()
	if last != nil {
		last.cancel()
		last.running.Wait()
	}
}

// renew validates e in the background.
func (c *cached) renew(q *question, e *entry) {
	own := *q
	own.p, own.ranged, own.conditions = q.p.Clone(), false, false
	for _, name := range []string{"Range", "If-Range", "If-None-Match", "If-Modified-Since"} {
		own.p.Headers.Del(name)
	}
	own.opts.Stream, own.opts.Interim, own.opts.Deadline = requests.Off, nil, time.Time{}
	if total := q.opts.Timeouts.Total; total > 0 && total != requests.Forever {
		own.opts.Deadline = time.Now().Add(total)
	}
	c.renewals.start(q.flightKey(), func(ctx context.Context) { c.renewNow(ctx, &own, e) })
}

// renewNow validates e. Nobody waits for it: what goes wrong, a panic included, is logged.
func (c *cached) renewNow(ctx context.Context, q *question, e *entry) {
	defer func() {
		if v := recover(); v != nil {
			c.log.Error("cache: the adapter panicked", slog.Any("panic", v))
		}
	}()
	if r, _, err := c.fetch(ctx, q, e); err == nil {
		discard(r)
	}
}
