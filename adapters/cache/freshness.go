package cache

import (
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// verdict says what may be done with a stored response.
type verdict uint8

const (
	unusable  verdict = iota // there is none, or it has to be validated first
	fresh                    // it can be used
	tolerated                // it is stale, and the caller takes it (max-stale)
	renewed                  // it is stale, can be used, and is to be validated (RFC 5861 section 3)
)

// longest is what times are cut to (section 1.2.2): sums of a few do not overflow.
const longest = 1 << 31 * time.Second

// maxHeuristic is how long a response is fresh at most whose server says nothing about it.
const maxHeuristic = 24 * time.Hour

// judge decides by RFC 9111 section 4 and the request's directives (section 5.2.1).
func (c *cached) judge(e *entry, q *question, now time.Time) verdict {
	if e == nil || q.asks.noCache {
		return unusable
	}
	says := parseDirectives(e.headers)
	life, age := c.lifetime(e, says), e.age(now)
	if says.noCache || q.asks.maxAge == 0 || q.asks.maxAge != absent && age > q.asks.maxAge {
		return unusable
	}
	over := age - life // not below 0: stale
	switch {
	case over+max(0, q.asks.minFresh) < 0:
		return fresh
	case c.strict(says) || q.asks.minFresh > 0:
		return unusable
	case over <= q.asks.maxStale:
		return tolerated
	case over < says.whileRevalidate:
		return renewed
	}
	return unusable
}

// mayRescue reports whether old may be used instead of a failure (RFC 5861 section 4).
func (c *cached) mayRescue(old *entry, q *question, now time.Time) bool {
	if old == nil || q.asks.noCache {
		return false
	}
	says := parseDirectives(old.headers)
	over := old.age(now) - c.lifetime(old, says)
	return !says.noCache && !c.strict(says) && over <= max(says.ifError, q.asks.ifError)
}

// strict reports whether a response must never be used when it is stale (section 4.2.4).
func (c *cached) strict(says directives) bool {
	return says.mustRevalidate || c.shared && (says.proxyRevalidate || says.sMaxAge != absent)
}

// lifetime is how long a response is fresh (section 4.2.1).
func (c *cached) lifetime(e *entry, says directives) time.Duration {
	switch {
	case c.shared && says.sMaxAge != absent:
		return says.sMaxAge
	case says.maxAge != absent:
		return says.maxAge
	case e.headers.Has("Expires"):
		if expires, ok := dateOf(e.headers, "Expires"); ok {
			return min(max(0, expires.Sub(e.date())), longest)
		}
		return 0 // what is not a date has passed (section 5.3)
	case says.public || heuristic(e.status):
		return e.guessed()
	}
	return 0
}

// guessed is a tenth of the time that the response had been the same (section 4.2.2).
func (e *entry) guessed() time.Duration {
	modified, ok := dateOf(e.headers, "Last-Modified")
	if !ok {
		return 0
	}
	return min(max(0, e.date().Sub(modified)/10), maxHeuristic)
}

// heuristic reports whether a status can be stored without anything being said about it
// (RFC 9110 section 15.1).
func heuristic(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

// date is the origin's, or when the response came.
func (e *entry) date() time.Time {
	if date, ok := dateOf(e.headers, "Date"); ok {
		return date
	}
	return e.received
}

// age is how long ago the origin made or validated the response (section 4.2.3).
func (e *entry) age(now time.Time) time.Duration {
	corrected := e.received.Sub(e.asked)
	value, _, _ := strings.Cut(first(e.headers, "Age"), ",") // the first counts (section 5.1)
	if value = ascii.TrimBlanks(value); ascii.IsDigits(value) {
		corrected += seconds(value)
	}
	apparent := min(e.received.Sub(e.date()), longest) // of the year 1, it would be all that a Duration holds
	return min(max(apparent, corrected, 0)+max(0, now.Sub(e.received)), longest)
}

// useful is how long a store should keep an entry: while it is fresh, while it may be used
// though it is stale, and for a month if it can be validated.
func (c *cached) useful(e *entry, now time.Time) time.Duration {
	says := parseDirectives(e.headers)
	ttl := c.lifetime(e, says) - e.age(now) + max(says.whileRevalidate, says.ifError, 0)
	if e.headers.Has("ETag") || e.headers.Has("Last-Modified") {
		ttl = max(ttl, month)
	}
	return max(ttl, time.Minute)
}

const month = 30 * 24 * time.Hour
