// Package backoff is the arithmetic of trying again: how long to wait before the next try,
// what a server says about that, and how many tries there may be over all requests.
package backoff

import (
	crand "crypto/rand"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/httpdate"
)

// Wait is the pause before the nth repeat: none before the first, then factor, doubled with
// each, and up to jitter more at random, but never more than limit.
func Wait(n int, factor, jitter, limit time.Duration) time.Duration {
	if n <= 1 {
		return 0
	}
	wait := math.Ldexp(float64(factor), n-1) + rand.Float64()*float64(jitter)
	if !(wait > 0) {
		return 0
	}
	return max(0, time.Duration(min(wait, float64(limit))))
}

// RetryAfter reads the Retry-After fields of a response; ok is false where there are none,
// or none that can be read. Of different ones the longest counts: whoever sent it, the
// server or something before it, will not take the request any sooner.
func RetryAfter(fields []string, now time.Time, limit time.Duration) (longest time.Duration, ok bool) {
	for _, value := range fields {
		if d, readable := pause(value, now, limit); readable {
			longest, ok = max(longest, d), true
			continue
		}
		for item := range strings.SplitSeq(value, ",") { // "1, 1": two fields that somebody joined
			if d, readable := pause(item, now, limit); readable {
				longest, ok = max(longest, d), true
			}
		}
	}
	return longest, ok
}

// pause is ParseRetryAfter for what servers send besides: seconds with a fraction.
func pause(value string, now time.Time, limit time.Duration) (time.Duration, bool) {
	text := strings.TrimSpace(value)
	whole, fraction, cut := strings.Cut(text, ".")
	if cut && ascii.IsDigits(whole) && ascii.IsDigits(fraction) {
		seconds, _ := strconv.ParseFloat(text, 64) // +Inf at worst, which the bound takes
		return time.Duration(min(math.Ceil(seconds*float64(time.Second)), float64(limit))), true
	}
	return ParseRetryAfter(value, now, limit)
}

// ParseRetryAfter reads the value of one Retry-After field (RFC 9110 section 10.2.3):
// seconds, or a date, from which now is taken away. The result lies between 0 and limit.
func ParseRetryAfter(value string, now time.Time, limit time.Duration) (d time.Duration, ok bool) {
	text := strings.TrimSpace(value)
	if ascii.IsDigits(text) {
		seconds, err := strconv.ParseUint(text, 10, 32)
		if err != nil || time.Duration(seconds) > limit/time.Second {
			return limit, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, ok := httpdate.HTTP(text)
	if !ok {
		return 0, false
	}
	return max(0, min(date.Sub(now), limit)), true
}

// Budget is a token bucket that bounds retries over many requests. A nil one is never
// empty. It is safe for concurrent use.
type Budget struct {
	burst, ratio float64

	// mu protects the field below.
	mu     sync.Mutex
	tokens float64
}

// NewBudget returns a full bucket of burst tokens, of which Refund gives ratio back.
func NewBudget(burst int, ratio float64) *Budget {
	return &Budget{tokens: float64(burst), burst: float64(burst), ratio: ratio}
}

// Take takes a token for a retry, and reports whether there was one.
func (b *Budget) Take() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// Refund gives something back for a response that is not to be tried again.
func (b *Budget) Refund() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.burst, b.tokens+b.ratio)
}

// NewKey returns a value for Idempotency-Key: a random UUID (RFC 9562 section 5.4), the
// common form of such keys.
func NewKey() string {
	var b [16]byte
	_, _ = crand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Idempotent reports whether repeating a request has no further effect (RFC 9110
// section 9.2.2; QUERY by RFC 10008).
func Idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY":
		return true
	}
	return false
}
