package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http/httptrace"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/backoff"
)

// RateLimit sends at most perHost requests a second to each host and port, over all members of the
// fleet, evenly spaced, 1.05 s / perHost apart. What a server asks for with Retry-After (in a 429 or
// 503) or with the RateLimit fields, up to an hour, holds for all of them, too.
//
//	the limiter of a process    the bucket of the fleet, by host
//	needs moments               takes the next ones, with compare and set; up to a quarter of a
//	                            second's worth where as many requests wait
//	has waited for one          -
//	has the connection          looks again: 50 ms after its moment a request may not use it any
//	                            more, and waits for another, connection in hand
//	is asked to try again       another moment for each try of the adapter
//	sees Retry-After            moves the next moment of the host
//
// So a request is written within 50 ms of a moment that is its own, however long it took to connect
// and however long the process was stopped meanwhile, and no second has more than one request above
// perHost. What the limiter cannot see is how long the system keeps the process from running between
// its last look and the write: up to 1.05 s / perHost changes nothing. Time is that of the server of
// the fleet: the clocks of the members do not matter.
//
// An adapter that does not call the GotConn of [httptrace.ClientTrace], as [requests.HTTPAdapter]
// does, is sent to within 50 ms of the moment, and what it does then is not seen.
//
// A request that waits under [Fleet.Run] holds no worker, and its Timeouts.Total does not run.
// Elsewhere a wait that the deadline does not allow is [requests.ErrTotalTimeout] at once.
func (f *Fleet) RateLimit(ctx context.Context, perHost float64) (requests.Wrapper, error) {
	if !(perHost > 0) || math.IsInf(perHost, 1) {
		return nil, invalid("RateLimit(%v): expected more than 0, and an end", perHost)
	}
	interval := time.Duration(float64(time.Second+validity) / perHost)
	if interval <= 0 {
		return nil, invalid("RateLimit(%v): no clock tells such moments apart", perHost)
	}
	rates, err := f.bucket(ctx, "rates")
	if err != nil {
		return nil, failure(err, "the limits of the fleet cannot be read")
	}
	limits := &limits{rates: rates, interval: interval, ahead: max(1, int(perHost/4)), hosts: map[string]*gate{}, clock: newClock(f.serverTime), metrics: f.metrics}
	if err := limits.clock.set(ctx); err != nil {
		return nil, failure(err, "the time of the server cannot be read")
	}
	return func(base requests.Adapter) requests.Adapter {
		if base == nil {
			base = requests.AdapterFunc(nil)
		}
		return &limited{Adapter: base, limits: limits}
	}, nil
}

// validity is how late a request may be for its moment. Moments are so far apart that as many as the
// rate says fit into a second although each is late by this, which leaves one to the system.
const validity = 50 * time.Millisecond

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
func (l *limited) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (r *requests.Response, err error) {
	begun := time.Now()
	a := &admission{limits: l.limits, ctx: ctx, host: hostToken(p.URL), end: ends(ctx, opts)}
	if err := a.await(); err != nil {
		return nil, requests.CarrierError(p, failure(err, "the rate limit was waited for"))
	}
	if t := turnOf(ctx); t != nil && t.admitted != nil {
		if err := t.admitted(); err != nil {
			return nil, err
		}
	}
	if err := a.renew(); err != nil {
		return nil, requests.CarrierError(p, failure(err, "the rate limit was waited for"))
	}
	if turnOf(ctx) != nil && !opts.Deadline.IsZero() {
		opts.Deadline = opts.Deadline.Add(time.Since(begun))
		a.end = opts.Deadline
	}
	defer a.handBack(p, &err)
	r, err = l.Adapter.Send(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: a.connected}), p, opts)
	if r != nil {
		if asked := backoff.Asked(r.StatusCode, r.Headers.Values, time.Now(), maxAsked); asked > 0 {
			l.limits.hold(ctx, a.host, asked)
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

// admission is how one request comes to its moment.
type admission struct {
	limits *limits
	ctx    context.Context
	host   string
	end    time.Time // when waiting is of no more use; zero for never
	moment int64     // which it may use; 0 once it was used
}

// await waits for a moment. The worker may be needed by others until then, and be late itself.
func (a *admission) await() error {
	return yieldTurn(a.ctx, func() (err error) {
		a.moment, err = a.limits.wait(a.ctx, a.host, a.end)
		return err
	})
}

// renew takes another moment, and waits for it, as long as the one that it has is not to be used.
func (a *admission) renew() (err error) {
	if a.limits.isNow(a.moment) {
		return nil
	}
	defer a.limits.metrics.wait(a.ctx, a.host, time.Now(), &err)
	for !a.limits.isNow(a.moment) {
		g := a.limits.gate(a.host)
		moment, err := a.limits.first(a.ctx, g, a.end)
		if err == nil && !g.use(moment) {
			moment = 0
		}
		if a.moment = moment; err == nil {
			err = a.limits.sleep(a.ctx, moment)
		}
		if g.waiting.Add(-1); err != nil {
			return err
		}
	}
	return nil
}

// connected is told that the head is about to be written, at each try of the adapter.
func (a *admission) connected(httptrace.GotConnInfo) {
	err := a.renew()
	late := errors.Is(err, requests.ErrTotalTimeout)
	if late {
		a.sitOut()
	}
	switch {
	case a.ctx.Err() != nil || late: // the adapter sees that, and writes nothing
		return
	case err != nil:
		panic(&notAdmitted{err})
	}
	a.moment = 0
	a.limits.metrics.grant(a.ctx, a.host)
	if a.limits.granted != nil {
		a.limits.granted(a.host, time.Now())
	}
}

// sitOut waits until the request has run out of time.
func (a *admission) sitOut() {
	pause(a.ctx, time.Until(a.end))
	if end, ok := a.ctx.Deadline(); ok && !end.After(a.end) {
		<-a.ctx.Done()
	}
}

// notAdmitted leaves an adapter that must not write.
type notAdmitted struct{ error }

// handBack makes an error of leaving the adapter.
func (a *admission) handBack(p *requests.PreparedRequest, err *error) {
	switch v := recover().(type) {
	case nil:
	case *notAdmitted:
		*err = requests.CarrierError(p, failure(fmt.Errorf("waiting for the rate: %w", v.error), "the rate limit was waited for"))
	default:
		panic(v)
	}
}
