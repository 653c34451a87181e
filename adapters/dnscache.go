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
// Names that were not found are not remembered. It holds up to 1,000 answers. Set its fields
// before it is used; from then on it is safe for concurrent use, by several adapters too.
type DNSCache struct {
	Resolver requests.Resolver // who is asked; nil: the system's
	TTL      time.Duration     // how long an answer counts; 0 is a minute. [DNSOverHTTPS] says how long its own do
	Stale    time.Duration     // how much longer it counts where asking again fails; 0: not at all
	Spread   bool              // each lookup begins with another address, so that connections go to all of them

	// mu protects the fields below.
	mu      sync.Mutex
	answers map[dnsQuestion]*dnsAnswer
}

type dnsQuestion struct{ network, host string }

type dnsAnswer struct {
	addrs []netip.Addr
	until time.Time
	turn  int // of the address that is first next time
}

// maxAnswers bounds what is remembered: more hosts than most programs talk to in an hour.
const maxAnswers = 1000

// LookupNetIP implements [requests.Resolver].
func (c *DNSCache) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	q := dnsQuestion{network, strings.ToLower(strings.TrimSuffix(host, "."))}
	if addrs := c.recall(q, 0); addrs != nil {
		return addrs, nil
	}
	addrs, ttl, err := c.ask(ctx, network, host)
	if err == nil && len(addrs) > 0 {
		c.keep(q, addrs, ttl)
		if kept := c.recall(q, time.Hour); kept != nil { // an answer that does not last at all counts once
			return kept, nil
		}
		return addrs, nil // it has made room for another one already
	}
	if missing, ok := errors.AsType[*net.DNSError](err); err == nil || ok && missing.IsNotFound || ctx.Err() != nil {
		return addrs, err
	}
	if addrs := c.recall(q, c.Stale); addrs != nil {
		return addrs, nil
	}
	return nil, err
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
