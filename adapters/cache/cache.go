package cache

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// Option configures a cache.
type Option func(*settings)

type settings struct {
	store     Store
	shared    bool
	namespace string
	maxEntry  int64
	log       *slog.Logger
}

// Shared makes it the cache of several users: it heeds s-maxage and proxy-revalidate, leaves what
// is private alone, and keeps a response to a request with credentials only where the server
// allows that by public, s-maxage or must-revalidate (RFC 9111 section 3.5). Without it a cache
// keeps responses to different credentials apart, unless the server says public. Credentials are
// Authorization, Cookie, and the fields that [requests.AddSecretNames] knows.
func Shared() Option { return func(s *settings) { s.shared = true } }

// Namespace keeps the entries apart from those of other caches on the same store.
func Namespace(name string) Option { return func(s *settings) { s.namespace = name } }

// MaxEntry is the longest body that is stored, in bytes; 8 MiB by default, as of 0 and less.
func MaxEntry(bytes int64) Option { return func(s *settings) { s.maxEntry = bytes } }

// Logger is told of failures of the store and of damaged entries; [slog.Default] by default.
func Logger(l *slog.Logger) Option { return func(s *settings) { s.log = l } }

// defaultMaxEntry: a page with all it embeds, and not a download.
const defaultMaxEntry = 8 << 20

// New wraps adapters with a cache on a store, which is the caller's to close. Each wrapped
// adapter validates in the background by itself; its Close ends that. A nil store makes
// every Send [requests.ErrInvalidArgument].
func New(store Store, options ...Option) requests.Wrapper {
	s := settings{store: store}
	for _, o := range options {
		o(&s)
	}
	if s.maxEntry <= 0 {
		s.maxEntry = defaultMaxEntry
	}
	s.log = cmp.Or(s.log, slog.Default())
	return func(base requests.Adapter) requests.Adapter {
		return &cached{Adapter: base, settings: s, flights: map[string]*flight{}, renewals: newRenewals()}
	}
}

// Status says what a cache did for a response.
type Status uint8

// The statuses.
const (
	Uncached    Status = iota // no cache, or nothing for one to do
	Miss                      // sent, and the response of the server
	Hit                       // from the store, or from another request that was under way
	Stale                     // from the store, though it had become stale
	Revalidated               // from the store, and the server said that it still holds
)

// String names the status.
func (s Status) String() string {
	names := [...]string{"uncached", "miss", "hit", "stale", "revalidated"}
	return names[min(int(s), len(names)-1)]
}

type statusKey struct{}

// StatusOf returns what the cache did for r.
func StatusOf(r *requests.Response) Status {
	s, _ := r.Value(statusKey{}).(Status)
	return s
}

func marked(r *requests.Response, s Status) *requests.Response {
	r.SetValue(statusKey{}, s)
	return r
}

// cached is an adapter with a cache around it.
type cached struct {
	requests.Adapter
	settings
	renewals *renewals
	landed   atomic.Uint64 // how many flights have ended

	// mu protects the fields below.
	mu      sync.Mutex
	flights map[string]*flight // by flightKey
}

// CloseIdle passes on.
func (c *cached) CloseIdle() {
	if a, ok := c.Adapter.(interface{ CloseIdle() }); ok {
		a.CloseIdle()
	}
}

// Close ends what is validated in the background, and closes the adapter. The store stays.
func (c *cached) Close() error {
	c.renewals.stop()
	return c.Adapter.Close()
}

// Send implements [requests.Adapter].
func (c *cached) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	switch {
	case c.store == nil:
		return nil, &requests.Error{Kind: requests.ErrInvalidArgument, Request: p, Detail: "cache.New(nil): expected a store"}
	case ctx.Err() != nil:
		return nil, requests.CarrierError(p, context.Cause(ctx))
	}
	q := c.question(p, opts)
	if q.bypass {
		r, err := c.Adapter.Send(ctx, p, opts)
		if err == nil && r != nil && !safe(p.Method) && r.StatusCode < 400 {
			holding(r, func() { c.invalidate(ctx, q, r) })
		}
		return r, err
	}
	e := c.lookup(ctx, q)
	return c.serve(ctx, q, e)
}

// serve returns the stored response where it may be used, and asks the server where not.
func (c *cached) serve(ctx context.Context, q *question, e *entry) (*requests.Response, error) {
	switch c.judge(e, q, time.Now()) {
	case fresh:
		if r := q.answer(e, Hit); r != nil {
			return r, nil
		}
	case tolerated:
		if r := q.answer(e, Stale); r != nil {
			return r, nil
		}
	case renewed:
		if r := q.answer(e, Stale); r != nil {
			c.renew(q, e)
			return r, nil
		}
	}
	if q.asks.onlyIfCached {
		return marked(requests.NewResponse(q.p, 504, requests.Headers{{"Content-Length", "0"}}, nil), Miss), nil
	}
	return c.ask(ctx, q, e)
}

// fetch sends the request, with the conditions that validate old if there is one.
func (c *cached) fetch(ctx context.Context, q *question, old *entry) (*requests.Response, *entry, error) {
	p, conditional := q.p, false
	if old != nil && !q.conditions && !q.ranged && q.p.Method == "GET" {
		p, conditional = old.conditional(q.p)
	}
	asked := time.Now()
	r, err := c.Adapter.Send(ctx, p, q.opts)
	if broken(r, err) && ctx.Err() == nil && c.mayRescue(old, q, time.Now()) {
		if stale := q.answer(old, Stale); stale != nil {
			discard(r)
			return stale, nil, nil
		}
	}
	if err != nil || r == nil {
		return r, nil, err
	}
	q.signed = r.Request != nil && whoAsks(r.Request.Headers) != q.who || r.Value(wire.Identified{}) != nil
	r.Request = q.p // without the conditions: a challenge is answered with all of the request
	var got *requests.Response
	var e *entry
	holding(r, func() { got, e, err = c.received(ctx, q, old, r, times{asked, time.Now()}, conditional) })
	return got, e, err
}

// received takes in what the server has said.
func (c *cached) received(ctx context.Context, q *question, old *entry, r *requests.Response, t times, conditional bool) (*requests.Response, *entry, error) {
	switch {
	case r.StatusCode == 304:
		return c.notModified(ctx, q, old, r, t, conditional)
	case q.p.Method == "HEAD":
		c.headed(ctx, q, old, r, t)
		return marked(r, Miss), nil, nil
	}
	e := c.take(ctx, q, old, r, t)
	return marked(r, Miss), e, nil
}

// notModified is for a 304, to conditions of this package's or of the caller's.
func (c *cached) notModified(ctx context.Context, q *question, old *entry, r *requests.Response, t times, ours bool) (*requests.Response, *entry, error) {
	agrees := old != nil && old.agrees(r.Headers, ours)
	switch {
	case agrees:
		e := old.freshened(r.Headers, t)
		c.keepFreshened(ctx, q, e)
		if ours {
			discard(r)
			return q.revalidated(e, r), e, nil
		}
	case ours: // it is about another response than the one that is stored (section 4.3.4)
		discard(r)
		c.forget(ctx, q.key)
		return c.fetch(ctx, q, nil)
	}
	return marked(r, Miss), nil, nil
}

// holding calls f, and lets the connection of r go if f panics: the store and the logger are the caller's code.
func holding(r *requests.Response, f func()) {
	done := false
	defer func() {
		if !done && r.Raw != nil {
			_ = r.Raw.Close()
		}
	}()
	f()
	done = true
}

// broken reports whether a failure may be covered up by a stale response (RFC 5861 section 4).
func broken(r *requests.Response, err error) bool {
	if err != nil || r == nil {
		return err != nil
	}
	return r.StatusCode == 500 || r.StatusCode >= 502 && r.StatusCode <= 504
}

// maxDiscarded is how much of a body that nobody wants is read to keep its connection.
const maxDiscarded = 64 << 10

func discard(r *requests.Response) {
	if r != nil && r.Raw != nil {
		_, _ = io.CopyN(io.Discard, r.Raw, maxDiscarded)
		_ = r.Raw.Close()
	}
}
