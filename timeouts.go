package requests

import (
	"math"
	"time"
)

// Timeout bounds both the connecting and every wait for bytes of the response, as
// a single number does in Requests. A d that is not above 0 is [ErrInvalidTimeout]: to
// lift limits there is [NoTimeout].
func Timeout(d time.Duration) Option {
	return OptionFunc(func(r *Request) error {
		if d <= 0 {
			return fail(ErrInvalidTimeout, "Timeout(%v): a time limit is above 0; NoTimeout lifts the limits", d)
		}
		return Timeouts{Connect: d, Read: d}.Apply(r)
	})
}

// DefaultTimeouts are those of a new session: 30 seconds for each attempt to connect and 5
// minutes for each wait for bytes. There is no limit on a request as a whole.
func DefaultTimeouts() Timeouts {
	return Timeouts{Connect: 30 * time.Second, Read: 5 * time.Minute}
}

// timeouts are the session's, unless they are the default ones and Policy lifts them.
func (s *Session) timeouts() Timeouts {
	if s.Policy.NoDefaultTimeouts && s.Timeouts == DefaultTimeouts() {
		return Timeouts{}
	}
	return s.Timeouts
}

// Forever as a field of [Timeouts] means no limit, where zero means "what the
// session says".
const Forever = time.Duration(math.MaxInt64)

// NoTimeout lifts the limits of the session for one call.
var NoTimeout = Timeouts{Connect: Forever, Read: Forever, Total: Forever, Pool: Forever}

// Timeouts bound the phases of a request. Zero takes the session's value, and in a session
// is no limit; so is [Forever]. A negative one is [ErrInvalidTimeout]. A new session has
// [DefaultTimeouts]. It is an [Option].
type Timeouts struct {
	Connect time.Duration // each attempt to connect to one address: ErrConnectTimeout
	Read    time.Duration // each wait for bytes, also in a handshake: ErrReadTimeout; and for the server to take some: ErrWriteTimeout
	Total   time.Duration // everything, redirects, retries and the reading of the body included: ErrTotalTimeout
	Pool    time.Duration // the wait for a connection of a full, blocking pool: ErrPoolTimeout

	// Continue is how long a body is held back for a 100 response where the request says
	// "Expect: 100-continue" (RFC 9110 section 10.1.1): 1 second if 0. It is sent then.
	Continue time.Duration
}

// Apply sets the fields of t that are not zero.
func (t Timeouts) Apply(r *Request) error {
	r.Send.Timeouts = t.or(r.Send.Timeouts)
	return t.check()
}

// Limits returns how long connecting may take, and how long a wait for bytes once
// elapsed has passed since the beginning: Total bounds both. Forever is no limit,
// and 0 that the time is over. An [Adapter] of another kind can keep to these.
func (t Timeouts) Limits(elapsed time.Duration) (connect, read time.Duration) {
	connect, read = orDuration(t.Connect, Forever), orDuration(t.Read, Forever)
	total := orDuration(t.Total, Forever)
	if total == Forever {
		return connect, read
	}
	return min(connect, total), max(0, min(read, total-elapsed))
}

// or takes zero fields from other.
func (t Timeouts) or(other Timeouts) Timeouts {
	return Timeouts{
		Connect: orDuration(t.Connect, other.Connect),
		Read:    orDuration(t.Read, other.Read),
		Total:   orDuration(t.Total, other.Total),
		Pool:    orDuration(t.Pool, other.Pool),

		Continue: orDuration(t.Continue, other.Continue),
	}
}

func orDuration(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

func (t Timeouts) check() error {
	switch {
	case t.Connect < 0:
		return fail(ErrInvalidTimeout, "Timeouts.Connect is negative: %v", t.Connect)
	case t.Read < 0:
		return fail(ErrInvalidTimeout, "Timeouts.Read is negative: %v", t.Read)
	case t.Total < 0:
		return fail(ErrInvalidTimeout, "Timeouts.Total is negative: %v", t.Total)
	case t.Continue < 0:
		return fail(ErrInvalidTimeout, "Timeouts.Continue is negative: %v", t.Continue)
	case t.Pool < 0:
		return fail(ErrInvalidTimeout, "Timeouts.Pool is negative: %v", t.Pool)
	}
	return nil
}

// limit turns Forever into 0, which internal packages read as no limit.
func limit(d time.Duration) time.Duration {
	if d == Forever {
		return 0
	}
	return d
}
