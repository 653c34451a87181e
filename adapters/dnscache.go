package adapters

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests"
)

// DNSCache is a [requests.Resolver] that remembers what another one has found:
//
//	requests.NewHTTPAdapter(requests.ResolveWith(&adapters.DNSCache{TTL: time.Minute, Stale: time.Hour, Spread: true}))
//
// A name is looked up once at a time, however many callers wait for it. Where asking again fails,
// or takes longer than 100 ms or half of what is left of the caller's time, the old answer is
// used, and for 5 seconds no request waits for a new one. A lookup goes on without its callers for
// up to 10 seconds, a limit that the resolver must honor. Names that were not found, and failures
// without an old answer, are not remembered. It holds up to 1,000 answers. Set its fields before
// it is used; from then on it is safe for concurrent use, by several adapters too. A negative TTL
// or Stale is [requests.ErrInvalidArgument] of each lookup.
type DNSCache struct {
	Resolver requests.Resolver // who is asked; nil: the system's
	TTL      time.Duration     // how long an answer counts; 0 is a minute. [DNSOverHTTPS] says how long its own do
	Stale    time.Duration     // how much longer it counts where asking again fails; 0: not at all
	Spread   bool              // each lookup begins with another address, so that connections go to all of them

	// mu protects the fields below.
	mu      sync.Mutex
	answers map[dnsQuestion]*dnsAnswer
	flights map[dnsQuestion]*dnsFlight
}

type dnsQuestion struct{ network, host string }

type dnsAnswer struct {
	addrs []netip.Addr
	until time.Time
	rest  time.Time // until when it counts, late as it is, because asking has failed or is slow
	turn  int       // of the address that is first next time
}

// dnsFlight is a question that is under way.
type dnsFlight struct {
	done     chan struct{} // closed when the fields below are set
	addrs    []netip.Addr
	err      error
	panicked any
}

const (
	maxAsking   = 10 * time.Second       // two tries of a usual system resolver
	staleWait   = 100 * time.Millisecond // most answers come sooner
	restOfStale = 5 * time.Second        // between two tries while a resolver is down
)

// maxAnswers bounds what is remembered: more hosts than most programs talk to in an hour.
const maxAnswers = 1000

// LookupNetIP implements [requests.Resolver].
func (c *DNSCache) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if c.TTL < 0 || c.Stale < 0 {
		return nil, invalid("DNSCache: TTL (%v) or Stale (%v) is negative", c.TTL, c.Stale)
	}
	q := dnsQuestion{network, strings.ToLower(strings.TrimSuffix(host, "."))}
	if addrs := c.recall(q, 0); addrs != nil {
		return addrs, nil
	}
	if addrs := c.resting(q); addrs != nil {
		return addrs, nil
	}
	f := c.board(q, host)
	late, stop := c.patience(ctx, q)
	defer stop()
	for {
		select {
		case <-f.done:
			return c.landed(ctx, q, f)
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late:
			late = nil
			if addrs := c.stale(q); addrs != nil {
				return addrs, nil
			}
		}
	}
}

// board returns the asking of q that is under way, and begins one where there is none.
func (c *DNSCache) board(q dnsQuestion, host string) *dnsFlight {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[q]; f != nil {
		return f
	}
	if c.flights == nil {
		c.flights = map[dnsQuestion]*dnsFlight{}
	}
	f := &dnsFlight{done: make(chan struct{}), err: &net.DNSError{Err: "the resolver gave up", Name: host, IsTemporary: true}}
	c.flights[q] = f
	go c.fly(q, host, f)
	return f
}

// fly asks, for all who wait. Whatever the resolver does, they go on.
func (c *DNSCache) fly(q dnsQuestion, host string, f *dnsFlight) {
	ctx, cancel := context.WithTimeout(context.Background(), maxAsking)
	defer func() {
		cancel()
		f.panicked = recover()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.flights, q)
		close(f.done)
	}()
	addrs, ttl, err := c.ask(ctx, q.network, host)
	if err == nil && len(addrs) > 0 {
		c.keep(q, addrs, ttl)
	}
	f.addrs, f.err = addrs, err
}

// patience is how long a caller waits for a new answer where there is an old one. A nil channel
// is for as long as it takes.
func (c *DNSCache) patience(ctx context.Context, q dnsQuestion) (<-chan time.Time, func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, a := time.Now(), c.answers[q]
	if a == nil || !now.Before(a.until.Add(c.Stale)) {
		return nil, func() bool { return false }
	}
	wait := staleWait
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, end.Sub(now)/2)
	}
	timer := time.NewTimer(wait)
	return timer.C, timer.Stop
}

// landed is what a caller gets of an asking that has ended.
func (c *DNSCache) landed(ctx context.Context, q dnsQuestion, f *dnsFlight) ([]netip.Addr, error) {
	if f.panicked != nil {
		panic(f.panicked)
	}
	if f.err == nil && len(f.addrs) > 0 {
		if kept := c.recall(q, time.Hour); kept != nil { // an answer that does not last at all counts once
			return kept, nil
		}
		return slices.Clone(f.addrs), nil // it has made room for another one already
	}
	if missing, ok := errors.AsType[*net.DNSError](f.err); f.err == nil || ok && missing.IsNotFound || ctx.Err() != nil {
		return nil, f.err
	}
	if addrs := c.stale(q); addrs != nil {
		return addrs, nil
	}
	return nil, f.err
}

// resting returns an old answer that is used without asking.
func (c *DNSCache) resting(q dnsQuestion) []netip.Addr {
	c.mu.Lock()
	a := c.answers[q]
	rests := a != nil && time.Now().Before(a.rest)
	c.mu.Unlock()
	if !rests {
		return nil
	}
	return c.recall(q, c.Stale)
}

// stale returns an old answer, which is to do for a while.
func (c *DNSCache) stale(q dnsQuestion) []netip.Addr {
	c.mu.Lock()
	if a, now := c.answers[q], time.Now(); a != nil && !now.Before(a.rest) {
		a.rest = now.Add(restOfStale)
	}
	c.mu.Unlock()
	return c.recall(q, c.Stale)
}

// ask looks up, and says how long the answer counts.
func (c *DNSCache) ask(ctx context.Context, network, host string) (addrs []netip.Addr, ttl time.Duration, err error) {
	if ttl = c.TTL; ttl <= 0 {
		ttl = time.Minute
	}
	switch r := c.Resolver.(type) {
	case nil:
		addrs, err = net.DefaultResolver.LookupNetIP(ctx, network, host)
	case *overHTTPS:
		return r.lookup(ctx, network, host)
	default:
		addrs, err = r.LookupNetIP(ctx, network, host)
	}
	return addrs, ttl, err
}

func (c *DNSCache) keep(q dnsQuestion, addrs []netip.Addr, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil || len(c.answers) >= maxAnswers {
		c.forget()
	}
	c.answers[q] = &dnsAnswer{addrs: slices.Clone(addrs), until: time.Now().Add(ttl)}
}

// forget makes room: what is over goes first, then everything.
func (c *DNSCache) forget() {
	now := time.Now()
	for q, a := range c.answers {
		if now.After(a.until.Add(c.Stale)) {
			delete(c.answers, q)
		}
	}
	if c.answers == nil || len(c.answers) >= maxAnswers {
		c.answers = map[dnsQuestion]*dnsAnswer{}
	}
}

// recall returns an answer that counts, or has counted until no longer than late ago.
func (c *DNSCache) recall(q dnsQuestion, late time.Duration) []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.answers[q]
	if a == nil || !time.Now().Before(a.until.Add(late)) {
		return nil
	}
	first := 0
	if c.Spread {
		first = a.turn % len(a.addrs)
		a.turn++
	}
	return append(slices.Clone(a.addrs[first:]), a.addrs[:first]...)
}
