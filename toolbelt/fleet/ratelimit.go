package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/backoff"
)

// RateLimit sends at most perHost requests a second to each host and port, over all members of the
// fleet, evenly spaced. What a server asks for with Retry-After (in a 429 or 503) or with the
// RateLimit fields, up to an hour, holds for all of them, too.
//
//	the limiter of a process    the bucket of the fleet, by host
//	needs moments               takes the next ones, with compare and set; up to a second's worth
//	                            where as many requests wait
//	comes too late for one      lets it go, and takes another
//	sees Retry-After            moves the next moment of the host
//
// So a request is sent within one interval of a moment that is its own, and no second has more than
// one request above perHost. The clocks of the members must agree, as NTP has them do.
//
// A request that waits under [Fleet.Run] holds no worker, and its Timeouts.Total does not run.
// Elsewhere a wait that the deadline does not allow is [requests.ErrTotalTimeout] at once.
func (f *Fleet) RateLimit(ctx context.Context, perHost float64) (requests.Wrapper, error) {
	if !(perHost > 0) || math.IsInf(perHost, 1) {
		return nil, invalid("RateLimit(%v): expected more than 0, and an end", perHost)
	}
	rates, err := f.bucket(ctx, "rates")
	if err != nil {
		return nil, failure(err, "the limits of the fleet cannot be read")
	}
	interval := time.Duration(float64(time.Second) / perHost)
	if interval <= 0 {
		return nil, invalid("RateLimit(%v): no clock tells such moments apart", perHost)
	}
	limits := &limits{rates: rates, interval: interval, ahead: max(1, int(perHost)), hosts: map[string]*gate{}}
	return func(base requests.Adapter) requests.Adapter {
		if base == nil {
			base = requests.AdapterFunc(nil)
		}
		return &limited{Adapter: base, limits: limits}
	}, nil
}

// limits are those of one process.
type limits struct {
	rates    jetstream.KeyValue
	interval time.Duration
	ahead    int                            // moments that may be taken at a time
	granted  func(host string, t time.Time) // told of each moment that is used; nil but in tests

	// mu protects the field below.
	mu    sync.Mutex
	hosts map[string]*gate
}

// gate lets the requests for one host through, one at a time.
type gate struct {
	waiting atomic.Int64
	until   atomic.Int64  // Unix time in nanoseconds: the server wants nothing before
	turn    chan struct{} // held by the one that waits for its moment

	// turn protects the field below.
	moments []time.Time // that are ours
}

// schedule is what the bucket has for a host.
type schedule struct {
	Next int64 `json:"next"` // Unix time in nanoseconds: the first moment that is nobody's
}

type limited struct {
	requests.Adapter
	limits *limits
}

// CloseIdle passes on.
func (l *limited) CloseIdle() {
	if c, ok := l.Adapter.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

// Send implements [requests.Adapter].
func (l *limited) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	host := hostToken(p.URL)
	begun := time.Now()
	end := ends(ctx, opts)
	if err := l.limits.admit(ctx, host, end); err != nil {
		return nil, requests.CarrierError(p, failure(err, "the rate limit was waited for"))
	}
	if t := turnOf(ctx); t != nil && t.admitted != nil {
		if err := t.admitted(); err != nil {
			return nil, err
		}
	}
	if turnOf(ctx) != nil && !opts.Deadline.IsZero() {
		opts.Deadline = opts.Deadline.Add(time.Since(begun))
	}
	r, err := l.Adapter.Send(ctx, p, opts)
	if r != nil {
		if asked := backoff.Asked(r.StatusCode, r.Headers.Values, time.Now(), maxAsked); asked > 0 {
			l.limits.hold(ctx, host, time.Now().Add(asked))
		}
	}
	return r, err
}

const maxAsked = time.Hour // what a server can make us wait

// ends is when waiting is of no more use; zero for never.
func ends(ctx context.Context, opts requests.SendOptions) time.Time {
	end, ok := ctx.Deadline()
	if turnOf(ctx) == nil && !opts.Deadline.IsZero() && (!ok || opts.Deadline.Before(end)) {
		end = opts.Deadline
	}
	return end
}

// gate returns that of a host. Beyond ten thousand, those that nobody waits at are forgotten: what
// they hold was never promised to others.
func (l *limits) gate(host string) *gate {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.hosts[host]
	if g == nil {
		if len(l.hosts) >= maxGates {
			for h, g := range l.hosts {
				if g.waiting.Load() == 0 {
					delete(l.hosts, h)
				}
			}
		}
		g = &gate{turn: make(chan struct{}, 1)}
		l.hosts[host] = g
	}
	g.waiting.Add(1)
	return g
}

const maxGates = 10_000

// admit waits for a moment of the host, and uses it. The worker may be needed by others until then,
// and be late itself.
func (l *limits) admit(ctx context.Context, host string, end time.Time) error {
	for {
		var moment time.Time
		err := yieldTurn(ctx, func() (err error) {
			moment, err = l.wait(ctx, host, end)
			return err
		})
		if err != nil {
			return err
		}
		if now := time.Now(); now.Sub(moment) < l.interval {
			if l.granted != nil {
				l.granted(host, now)
			}
			return nil
		}
	}
}

// wait waits for the next moment of the host that is still to be used, and takes it out.
func (l *limits) wait(ctx context.Context, host string, end time.Time) (moment time.Time, err error) {
	g := l.gate(host)
	defer g.waiting.Add(-1)
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return moment, context.Cause(ctx)
	}
	defer func() { <-g.turn }()
	for {
		if len(g.moments) == 0 {
			if g.moments, err = l.take(ctx, host, min(l.ahead, int(g.waiting.Load()))); err != nil {
				return moment, err
			}
		}
		if moment = g.moments[0]; !end.IsZero() && moment.After(end) {
			return moment, &requests.Error{Kind: requests.ErrTotalTimeout, Err: os.ErrDeadlineExceeded, Detail: fmt.Sprintf("the fleet's rate limit asks for a wait of %v, which the deadline does not allow", time.Until(moment).Round(time.Millisecond))}
		}
		if g.moments = g.moments[1:]; g.isHeld(moment) {
			continue
		}
		if err := pause(ctx, time.Until(moment)); err != nil {
			return moment, err
		}
		if !g.isHeld(moment) && time.Since(moment) < l.interval {
			return moment, nil
		}
	}
}

// isHeld reports whether the server has asked for silence at that moment.
func (g *gate) isHeld(moment time.Time) bool { return moment.UnixNano() < g.until.Load() }

// take takes the next n moments of a host.
func (l *limits) take(ctx context.Context, host string, n int) (moments []time.Time, err error) {
	err = l.change(ctx, host, func(s *schedule) {
		moments = moments[:0]
		first := max(s.Next, time.Now().UnixNano())
		for i := range n {
			moments = append(moments, time.Unix(0, first+int64(i)*int64(l.interval)))
		}
		s.Next = first + int64(n)*int64(l.interval)
	})
	return moments, err
}

// hold keeps everybody from a host until then. The moments that were taken before are given up
// here; those of other processes, a second's worth at most, are used.
func (l *limits) hold(ctx context.Context, host string, until time.Time) {
	l.change(ctx, host, func(s *schedule) { s.Next = max(s.Next, until.UnixNano()) }) // a lost server is what the next wait ends with
	g := l.gate(host)
	g.waiting.Add(-1)
	for {
		old := g.until.Load()
		if old >= until.UnixNano() || g.until.CompareAndSwap(old, until.UnixNano()) {
			return
		}
	}
}

// change edits the schedule of a host, against all others who do.
func (l *limits) change(ctx context.Context, host string, edit func(s *schedule)) error {
	for ctx.Err() == nil {
		entry, err := l.rates.Get(ctx, host)
		s := schedule{}
		if err == nil {
			json.Unmarshal(entry.Value(), &s) // what is not one begins anew
		}
		if err == nil || errors.Is(err, jetstream.ErrKeyNotFound) {
			edit(&s)
			data, _ := json.Marshal(s)
			if entry == nil {
				_, err = l.rates.Create(ctx, host, data)
			} else {
				_, err = l.rates.Update(ctx, host, data, entry.Revision())
			}
		}
		switch {
		case err == nil:
			return nil
		case isTaken(err), errors.Is(err, jetstream.ErrKeyExists):
		case !isPassing(failure(err, "")):
			return err
		default:
			pause(ctx, reconnectWait)
		}
	}
	return context.Cause(ctx)
}
