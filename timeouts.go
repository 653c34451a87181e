package requests

import (
	"cmp"
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

// Forever as a field of [Timeouts] means no limit, where zero means "what the session says".
const Forever = time.Duration(math.MaxInt64)

// NoTimeout lifts the limits of the session for one call.
var NoTimeout = Timeouts{Connect: Forever, Read: Forever, Total: Forever, Pool: Forever}

// Timeouts bound the phases of a request. Zero takes the session's value, and in a session
// means no limit; so does [Forever]. A negative one is [ErrInvalidTimeout]. A new session has
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
// elapsed has passed since the beginning: Total bounds both. Forever means no limit,
// and 0 that the time is over. An [Adapter] of another kind can keep to these.
func (t Timeouts) Limits(elapsed time.Duration) (connect, read time.Duration) {
	connect, read = cmp.Or(t.Connect, Forever), cmp.Or(t.Read, Forever)
	total := cmp.Or(t.Total, Forever)
	if total == Forever {
		return connect, read
	}
	return min(connect, total), max(0, min(read, total-elapsed))
}

// or takes zero fields from other.
func (t Timeouts) or(other Timeouts) Timeouts {
	return Timeouts{
		Connect: cmp.Or(t.Connect, other.Connect), Read: cmp.Or(t.Read, other.Read), Total: cmp.Or(t.Total, other.Total),
		Pool: cmp.Or(t.Pool, other.Pool), Continue: cmp.Or(t.Continue, other.Continue),
	}
}

func (t Timeouts) check() error {
	for i, d := range [...]time.Duration{t.Connect, t.Read, t.Total, t.Continue, t.Pool} {
		if d < 0 {
			return fail(ErrInvalidTimeout, "Timeouts.%s is negative: %v", [...]string{"Connect", "Read", "Total", "Continue", "Pool"}[i], d)
		}
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

// Limits bound what a response may bring. Zero takes the session's value, and the default
// where that is zero too; a negative one means no limit. It is an [Option].
type Limits struct {
	// MaxBody is the largest body in bytes, its content coding undone. What is longer is
	// [ErrBodyTooLarge], however it is read. By default Content, and all that reads
	// into memory with it, takes 256 MiB, and a body that is streamed may be of any length.
	MaxBody int64
	// MaxLine is the longest line, or part between delimiters, in bytes; 1 MiB by
	// default. A longer one is [ErrLineTooLong] in [Response.Lines] and its kin.
	MaxLine int
}

const (
	// defaultMaxBody is more than anybody reads into memory without a thought, and
	// less than a small machine has.
	defaultMaxBody = 256 << 20
	// defaultMaxLine is sixteen times what bufio.Scanner takes: lines of JSON are long.
	defaultMaxLine = 1 << 20
)

// Apply sets the fields of l that are not zero.
func (l Limits) Apply(r *Request) error {
	r.Send.Limits = l.or(r.Send.Limits)
	return nil
}

// or takes zero fields from other.
func (l Limits) or(other Limits) Limits {
	return Limits{MaxBody: cmp.Or(l.MaxBody, other.MaxBody), MaxLine: cmp.Or(l.MaxLine, other.MaxLine)}
}

// unlimited reports whether nothing is bounded but what the call or the session bounds.
func (p *Policy) unlimited() bool { return p != nil && p.UnlimitedDecoding }

// maxLine is the longest line, 0 for any length.
func (r *Response) maxLine() int {
	n := r.opts.Limits.MaxLine
	if n == 0 && !r.opts.policy.unlimited() {
		n = defaultMaxLine
	}
	return max(n, 0)
}

// maxContent is the most that Content takes, 0 for any amount.
func (r *Response) maxContent() int64 {
	n := r.opts.Limits.MaxBody
	if n == 0 && !r.opts.policy.unlimited() {
		n = defaultMaxBody
	}
	return max(n, 0)
}

func (r *Response) lineTooLong() error {
	return withResponse(fail(ErrLineTooLong, "a line is longer than %d bytes (Limits.MaxLine)", r.maxLine()), r)
}

func bodyTooLarge(limit int64) error {
	return fail(ErrBodyTooLarge, "the body is longer than %d bytes (Limits.MaxBody)", limit)
}
