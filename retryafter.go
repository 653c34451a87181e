package requests

import (
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/httpdate"
)

// ParseRetryAfter reads the value of a Retry-After field (RFC 9110 section
// 10.2.3): seconds, or a date in any of HTTP's three forms or of mail's, from
// which now is taken away. The result lies between 0 and RetryAfterMax. Anything
// else is [ErrInvalidHeader]; an [HTTPAdapter] then takes the field as absent,
// where urllib3 fails.
func (s RetryState) ParseRetryAfter(value string, now time.Time) (time.Duration, error) {
	limit := s.Left.retryAfterMax()
	text := strings.TrimSpace(value)
	if ascii.IsDigits(text) {
		seconds, err := strconv.ParseUint(text, 10, 32)
		if err != nil || time.Duration(seconds) > limit/time.Second {
			return limit, nil
		}
		return time.Duration(seconds) * time.Second, nil
	}
	date, ok := httpdate.HTTP(text)
	if !ok {
		return 0, fail(ErrInvalidHeader, "Invalid Retry-After header: %s", value)
	}
	return max(0, min(date.Sub(now), limit)), nil
}
