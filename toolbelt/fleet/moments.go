package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
)

// limits are those of one process. Moments are in nanoseconds of the server's Unix time.
type limits struct {
	rates    jetstream.KeyValue
	clock    *clock
	interval time.Duration
	ahead    int                            // moments that may be taken at a time
	granted  func(host string, t time.Time) // told of each moment that is used; nil but in tests
	metrics  *metrics                       // nil without a MeterProvider

	// mu protects the field below.
	mu    sync.Mutex
	hosts map[string]*gate
}

// gate has the moments of one host that are this process's.
//
//	a moment            by
//	taken               whoever waits and finds none
//	used                the first in line when it has come, or who was late for another
//	let go              whoever finds that it has passed, or that the host wants silence
type gate struct {
	host    string
	waiting atomic.Int64
	until   atomic.Int64  // the server wants nothing before
	turn    chan struct{} // held by the first in line

	// mu protects the fields below.
	mu      sync.Mutex
	moments []int64 // in order
	known   schedule
}

// schedule is what the bucket has for a host.
type schedule struct {
	Next int64 `json:"next"` // the first moment that is nobody's

	revision uint64 // 0 if it is not known to be there
}

// gate returns that of a host, with one more that waits. Beyond ten thousand, those that nobody waits
// at are forgotten: what they hold was never promised to others.
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
		g = &gate{host: host, turn: make(chan struct{}, 1)}
		l.hosts[host] = g
	}
	g.waiting.Add(1)
	return g
}

const maxGates = 10_000

// wait waits in line for a moment of the host.
func (l *limits) wait(ctx context.Context, host string, end time.Time) (moment int64, err error) {
	defer l.metrics.wait(ctx, host, time.Now(), &err)
	g := l.gate(host)
	defer g.waiting.Add(-1)
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	defer func() { <-g.turn }()
	for {
		moment, err = l.first(ctx, g, end)
		if err == nil {
			err = l.sleep(ctx, moment)
		}
		if err != nil {
			return 0, err
		}
		if l.isNow(moment) && g.use(moment) {
			return moment, nil
		}
	}
}

// isNow reports whether a request may still be written at its moment.
func (l *limits) isNow(moment int64) bool {
	now, sure := l.clock.now()
	return sure && now >= moment && now-moment <= int64(validity)
}

// sleep waits for a moment.
func (l *limits) sleep(ctx context.Context, moment int64) error {
	now, _ := l.clock.now()
	if moment <= now {
		return nil
	}
	return pause(ctx, time.Duration(moment-now))
}

// first is the first moment that is still to be used, taken from the fleet where there is none.
func (l *limits) first(ctx context.Context, g *gate, end time.Time) (int64, error) {
	for {
		now, sure := l.clock.now()
		if !sure {
			if err := l.clock.ensure(ctx); err != nil {
				return 0, err
			}
			continue
		}
		if moment, ok := g.next(now - int64(validity)); ok {
			if wait := time.Duration(moment - now); !end.IsZero() && time.Until(end) < wait {
				return 0, &requests.Error{Kind: requests.ErrTotalTimeout, Err: os.ErrDeadlineExceeded, Detail: fmt.Sprintf("the fleet's rate limit asks for a wait of %v, which the deadline does not allow", wait.Round(time.Millisecond))}
			}
			return moment, nil
		}
		if err := l.take(ctx, g, max(1, min(l.ahead, int(g.waiting.Load())))); err != nil {
			return 0, err
		}
	}
}

// next lets go of what is before that time, and returns the first moment of the rest.
func (g *gate) next(from int64) (int64, bool) {
	from = max(from, g.until.Load())
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.moments) > 0 && g.moments[0] < from {
		g.moments = g.moments[1:]
	}
	if len(g.moments) == 0 {
		return 0, false
	}
	return g.moments[0], true
}

// use makes a moment the caller's, if nobody was faster and the server does not want silence.
func (g *gate) use(moment int64) bool {
	if moment < g.until.Load() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.moments, moment)
	if i < 0 {
		return false
	}
	g.moments = slices.Delete(g.moments, i, i+1)
	return true
}

// take takes the next n moments of a host.
func (l *limits) take(ctx context.Context, g *gate, n int) error {
	l.clock.keep(ctx)
	var first int64
	err := l.change(ctx, g, func(next int64) int64 {
		now, _ := l.clock.now()
		first = max(next, now)
		return first + int64(n)*int64(l.interval)
	})
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range n {
		g.moments = append(g.moments, first+int64(i)*int64(l.interval))
	}
	slices.Sort(g.moments)
	return nil
}

// hold keeps everybody from a host for so long. The moments that were taken before are given up
// here; those of other processes, a quarter of a second's worth at most, are used.
func (l *limits) hold(ctx context.Context, host string, asked time.Duration) {
	now, _ := l.clock.now()
	until := now + int64(asked)
	g := l.gate(host)
	defer g.waiting.Add(-1)
	l.change(ctx, g, func(next int64) int64 { return max(next, until) }) // a lost server is what the next wait ends with
	for {
		old := g.until.Load()
		if old >= until || g.until.CompareAndSwap(old, until) {
			return
		}
	}
}

// change edits the schedule of a host, against all others who do: what was known of it last is tried
// first, as mostly nobody did.
func (l *limits) change(ctx context.Context, g *gate, edit func(next int64) int64) error {
	g.mu.Lock()
	s := g.known
	g.mu.Unlock()
	for ctx.Err() == nil {
		changed, err := l.update(ctx, g.host, s, edit)
		switch {
		case err == nil:
			g.mu.Lock()
			g.known = changed
			g.mu.Unlock()
			return nil
		case isTaken(err):
			s, err = l.read(ctx, g.host)
		case isPassing(failure(err, "")) && pause(ctx, reconnectWait) == nil:
			s, err = l.read(ctx, g.host) // which it may have changed
		}
		if err != nil && (errors.Is(err, nats.ErrConnectionClosed) || !isPassing(failure(err, ""))) {
			return err
		}
	}
	return context.Cause(ctx)
}

func (l *limits) update(ctx context.Context, host string, s schedule, edit func(next int64) int64) (schedule, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	s.Next = edit(s.Next)
	data, err := json.Marshal(s)
	if err == nil {
		s.revision, err = l.rates.Update(ctx, host, data, s.revision)
	}
	return s, err
}

// read reads the schedule of a host; what is not one begins anew.
func (l *limits) read(ctx context.Context, host string) (s schedule, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	entry, err := l.rates.Get(ctx, host)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if json.Unmarshal(entry.Value(), &s) != nil {
		s = schedule{}
	}
	s.revision = entry.Revision()
	return s, nil
}
