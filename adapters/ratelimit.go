package adapters

import (
	"cmp"
	"context"
	"math"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/backoff"
	"github.com/mountable/requests/internal/uri"
)

// RateLimit sends at most perSecond requests a second to each host (scheme, name and
// port), with bursts of up to burst at once; [math.Inf](1) means no limit of its own.
// Requests beyond that wait. It also waits for as long as a server asks for:
//
//	429 or 503 with Retry-After            seconds or a date (RFC 9110 section 10.2.3)
//	RateLimit: "name";r=0;t=30             draft-ietf-httpapi-ratelimit-headers, and its older
//	RateLimit: remaining=0, reset=30       form
//	RateLimit-Remaining and -Reset         the first form of all, in seconds
//	X-RateLimit-Remaining and -Reset       the same, or as GitHub has it, a Unix time
//
// A wait that the send's deadline or the context's does not allow is
// [requests.ErrTotalTimeout] at once, with nothing sent. What a server asks for counts up
// to one hour.
func RateLimit(perSecond float64, burst int) (requests.Wrapper, error) {
	switch {
	case !(perSecond > 0):
		return nil, invalid("RateLimit: perSecond is %v: expected more than 0", perSecond)
	case burst < 1:
		return nil, invalid("RateLimit: burst is %d: expected 1 or more", burst)
	}
	limit := rate.Limit(perSecond)
	if math.IsInf(perSecond, 1) {
		limit = rate.Inf
	}
	return func(base requests.Adapter) requests.Adapter {
		return &rateLimited{Adapter: base, limit: limit, burst: burst, hosts: map[string]*hostLimit{}}
	}, nil
}

type rateLimited struct {
	requests.Adapter
	limit rate.Limit
	burst int

	// mu protects the field below.
	mu    sync.Mutex
	hosts map[string]*hostLimit
}

// hostLimit is the state of one host.
type hostLimit struct {
	limiter *rate.Limiter

	// mu protects the field below.
	mu    sync.Mutex
	until time.Time // nothing before, by the server's word
}

const (
	maxHosts = 1000      // remembered at a time
	maxAsked = time.Hour // what a server can make us wait
)

// CloseIdle passes on.
func (l *rateLimited) CloseIdle() { closeIdle(l.Adapter) }

// Send implements [requests.Adapter].
func (l *rateLimited) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	host := l.host(p.URL)
	if err := host.wait(ctx, p, opts); err != nil {
		return nil, err
	}
	r, err := l.Adapter.Send(ctx, p, opts)
	if r != nil {
		host.obey(r, time.Now())
	}
	return r, err
}

// host returns the state of a URL's host. Beyond a thousand, those that hold nothing back
// are forgotten.
func (l *rateLimited) host(url string) *hostLimit {
	key := originOf(url)
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.hosts[key]
	if h == nil {
		if len(l.hosts) >= maxHosts {
			l.forget()
		}
		h = &hostLimit{limiter: rate.NewLimiter(l.limit, l.burst)}
		l.hosts[key] = h
	}
	return h
}

// originOf names scheme, host and port of a URL, or is the text itself where it has none.
func originOf(url string) string { return cmp.Or(uri.OriginOf(url), url) }

func (l *rateLimited) forget() {
	now := time.Now()
	for key, h := range l.hosts {
		if h.asked(now) <= 0 && h.limiter.TokensAt(now) >= float64(l.burst) {
			delete(l.hosts, key)
		}
	}
}

// asked is how long the server wants us to wait.
func (h *hostLimit) asked(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.until.Sub(now)
}

// wait waits for its turn, and for the server. The server may have spoken meanwhile.
func (h *hostLimit) wait(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) error {
	w := newWatch(ctx, opts)
	defer w.end()
	turn := h.limiter.Reserve()
	for {
		now := time.Now()
		delay := max(turn.DelayFrom(now), h.asked(now))
		if delay <= 0 {
			return w.failure(p)
		}
		if tooLate(ctx, opts, now.Add(delay)) {
			turn.CancelAt(now)
			return &requests.Error{Kind: requests.ErrTotalTimeout, Request: p, Err: os.ErrDeadlineExceeded, Detail: "the rate limit asks for a wait of " + delay.Round(time.Millisecond).String() + ", which the deadline does not allow"}
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-w.ctx.Done():
			timer.Stop()
			turn.CancelAt(time.Now())
			return w.failure(p)
		}
	}
}

func tooLate(ctx context.Context, opts requests.SendOptions, then time.Time) bool {
	end, ok := ctx.Deadline()
	return ok && then.After(end) || !opts.Deadline.IsZero() && then.After(opts.Deadline)
}

// obey notes what a response says about the next request.
func (h *hostLimit) obey(r *requests.Response, now time.Time) {
	asked := backoff.Asked(r.StatusCode, r.Headers.Values, now, maxAsked)
	if asked <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if until := now.Add(asked); until.After(h.until) {
		h.until = until
	}
}
