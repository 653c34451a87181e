package fleet

import (
	"context"
	"sync"
	"time"
)

// clock tells the time of the fleet's server, whatever the clock of this machine says:
//
//	when                              what
//	it is made                        asks the server, up to five times, and believes the fastest answer
//	a minute has passed               asks again, when moments are taken
//	the machine has slept, or its     asks again, and until then nobody may be sure of the time
//	clock was set
type clock struct {
	ask   func(ctx context.Context) (time.Time, error)
	local func() time.Time // time.Now, but in tests

	asking sync.Mutex // held by the one who asks

	// mu protects the fields below.
	mu     sync.Mutex
	at     time.Time // here, with the monotonic reading
	server time.Time // there, at that time
}

const (
	clockAge  = time.Minute           // two clocks go apart by some milliseconds in it
	clockSlip = 20 * time.Millisecond // by which the two clocks of a machine may differ without a reason
	fastReply = 2 * time.Millisecond  // is sure to a millisecond
	clockAsks = 5                     // of a busy server, one is answered soon
)

func newClock(ask func(ctx context.Context) (time.Time, error)) *clock {
	return &clock{ask: ask, local: time.Now}
}

// serverTime asks the server for its time.
func (f *Fleet) serverTime(ctx context.Context) (time.Time, error) {
	info, err := f.results.Info(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return info.TimeStamp, nil
}

// now is the time of the server, in nanoseconds of Unix time, and whether it can be relied on.
func (c *clock) now() (nanoseconds int64, sure bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.local()
	passed := t.Sub(c.at)
	slip := t.Round(0).Sub(c.at.Round(0)) - passed
	return c.server.Add(passed).UnixNano(), slip.Abs() < clockSlip
}

// keep asks again where it is time to; who finds somebody asking goes on with what is known.
func (c *clock) keep(ctx context.Context) {
	c.mu.Lock()
	old := c.local().Sub(c.at) > clockAge
	c.mu.Unlock()
	if old && c.asking.TryLock() {
		defer c.asking.Unlock()
		c.set(ctx) // a lost server is what the taking of moments ends with
	}
}

// ensure asks where the time is not sure, a server that is restarted as long as it takes.
func (c *clock) ensure(ctx context.Context) error {
	c.asking.Lock()
	defer c.asking.Unlock()
	for {
		if _, sure := c.now(); sure {
			return nil
		}
		if err := c.set(ctx); err != nil && (!isPassing(failure(err, "")) || pause(ctx, reconnectWait) != nil) {
			return err
		}
	}
}

// set asks the server.
func (c *clock) set(ctx context.Context) error {
	at, server, err := c.fastest(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.server = at, server
	return nil
}

// fastest is the fastest of some answers of the server, and when that was here.
func (c *clock) fastest(ctx context.Context) (at, server time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	best := time.Duration(-1)
	for range clockAsks {
		asked := c.local()
		said, err := c.ask(ctx)
		if err != nil && best < 0 {
			return at, server, err
		}
		took := c.local().Sub(asked)
		if err == nil && (best < 0 || took < best) {
			best, at, server = took, asked.Add(took/2), said
		}
		if err != nil || best < fastReply {
			break
		}
	}
	return at, server, nil
}
