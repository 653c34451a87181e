package backoff

import (
	"strconv"
	"strings"
	"time"
)

// Asked is how long a response asks those who sent the request to wait, up to a limit: with
// Retry-After in a 429 or 503, or with the RateLimit fields where nothing remains. values returns
// the values of a field.
func Asked(status int, values func(name string) []string, now time.Time, limit time.Duration) time.Duration {
	var retry time.Duration
	if status == 429 || status == 503 {
		retry, _ = RetryAfter(values("Retry-After"), now, limit)
	}
	return max(0, min(limit, max(retry, askedReset(values, now))))
}

// askedReset reads the RateLimit fields where nothing remains.
func askedReset(values func(name string) []string, now time.Time) time.Duration {
	get := func(name string) string { return strings.Join(values(name), ", ") }
	remaining, reset := rateLimitField(get("RateLimit"))
	if remaining == "" {
		remaining, reset = get("RateLimit-Remaining"), get("RateLimit-Reset")
	}
	if remaining == "" {
		remaining, reset = get("X-RateLimit-Remaining"), get("X-RateLimit-Reset")
	}
	if left, ok := parseSeconds(remaining); !ok || left > 0 {
		return 0
	}
	wait, ok := parseSeconds(reset)
	if !ok {
		return 0
	}
	const unixTimes = 1e8 * time.Second // three years: beyond, it is a moment
	if wait > unixTimes {
		return time.Unix(int64(wait/time.Second), 0).Sub(now)
	}
	return wait
}

// rateLimitField reads what remains and when that changes, in either form of RateLimit.
func rateLimitField(value string) (remaining, reset string) {
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(name) {
		case "r", "remaining":
			remaining = value
		case "t", "reset":
			reset = value
		}
	}
	return remaining, reset
}

// parseSeconds reads a number of seconds, fractions left out.
func parseSeconds(text string) (time.Duration, bool) {
	text, _, _ = strings.Cut(strings.TrimSpace(text), ".")
	n, err := strconv.ParseUint(text, 10, 33)
	return time.Duration(n) * time.Second, err == nil
}
