package adapters

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mountable/requests"
)

// ErrBreakerOpen is the cause of the [requests.ErrConnect] with which a [Breaker] refuses
// a request. Nothing has been sent.
var ErrBreakerOpen = errors.New("the breaker is open: the host has failed too often")

// Breaker stops sending to a host (scheme, name and port) after so many failures in a row, and
// tries again after cooldown:
//
//	state      lets through         until
//	closed     everything           failures in a row: open
//	open       nothing              cooldown is over: half-open
//	half-open  one request a time   it succeeds: closed; it fails: open
//
// A failure is a connection that could not be made or was lost, a timeout, be it the
// deadline of a context, or a status from 500 on. A request that its caller cancels, or that cannot be sent, is neither
// failure nor success. What is refused is [requests.ErrConnect] with [ErrBreakerOpen].
//
// With failures below 1 or cooldown at or below 0 every Send is
// [requests.ErrInvalidArgument].
func Breaker(failures int, cooldown time.Duration) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter {
		return &breaker{Adapter: base, failures: failures, cooldown: cooldown, hosts: map[string]*circuit{}}
	}
}

type breaker struct {
	requests.Adapter
	failures int
	cooldown time.Duration

	// mu protects the fields below.
	mu    sync.Mutex
	hosts map[string]*circuit
}

// circuit is the state of one host.
type circuit struct {
	failed  int       // in a row
	until   time.Time // nothing before; zero while closed
	probing bool      // the one request of half-open is under way
}

// CloseIdle passes on.
func (b *breaker) CloseIdle() { closeIdle(b.Adapter) }

// Send implements [requests.Adapter].
func (b *breaker) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if b.failures < 1 || b.cooldown <= 0 {
		return nil, invalid("Breaker(%d, %v): expected 1 or more, and more than 0", b.failures, b.cooldown)
	}
	host := originOf(p.URL)
	admitted, probe := b.admit(host, time.Now())
	if !admitted {
		return nil, &requests.Error{Kind: requests.ErrConnect, Request: p, Err: ErrBreakerOpen}
	}
	outcome := unknown
	defer func() { b.note(host, outcome, probe, time.Now()) }() // of a panic too
	r, err := b.Adapter.Send(ctx, p, opts)
	outcome = outcomeOf(r, err)
	return r, err
}

// outcome is what a request says about its host.
type outcome uint8

const (
	unknown outcome = iota
	success
	failure
)

func outcomeOf(r *requests.Response, err error) outcome {
	switch {
	case err == nil && r != nil && r.StatusCode < 500:
		return success
	case err == nil && r != nil:
		return failure
	case errors.Is(err, requests.ErrCanceled), errors.Is(err, requests.ErrPoolTimeout):
		return unknown
	case errors.Is(err, requests.ErrConnection), errors.Is(err, requests.ErrTimeout):
		return failure
	}
	return unknown
}

// admit reports whether a request may be sent, and whether it is the one that tries a
// half-open host.
func (b *breaker) admit(host string, now time.Time) (admitted, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.hosts[host]
	switch {
	case c == nil || c.until.IsZero():
		return true, false
	case now.Before(c.until) || c.probing:
		return false, false
	}
	c.probing = true
	return true, true
}

// note counts the outcome of a request.
func (b *breaker) note(host string, o outcome, probe bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.hosts[host]
	if c != nil && probe {
		c.probing = false
	}
	switch {
	case o == success:
		delete(b.hosts, host)
	case o == failure:
		if c == nil {
			c = b.circuit(host)
		}
		if c.failed++; c.failed >= b.failures {
			c.until = now.Add(b.cooldown)
		}
	}
}

// circuit begins to count for a host. Beyond a thousand, one is forgotten.
func (b *breaker) circuit(host string) *circuit {
	for other := range b.hosts {
		if len(b.hosts) < maxHosts {
			break
		}
		delete(b.hosts, other)
	}
	c := &circuit{}
	b.hosts[host] = c
	return c
}
