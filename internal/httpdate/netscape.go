package httpdate

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// maxNetscape bounds what the regular expressions see; real dates have some 30 bytes.
const maxNetscape = 1024

// netscapeDate matches the dates that http.cookiejar reads, the day of the week aside:
// day, month and year, then perhaps a clock and a time zone.
var netscapeDate = sync.OnceValue(func() *regexp.Regexp {
	const (
		date  = `^(\d\d?)(?:\s+|[-/])(\w+)(?:\s+|[-/])(\d+)`
		clock = `(?:(?:\s+|:)(\d\d?):(\d\d)(?::(\d\d))?)?\s*`
		zone  = `(?:([-+]?\d{2,4}|[A-Za-z]+)\s*)?(?:\(\w+\)\s*)?$`
	)
	return regexp.MustCompile(date + clock + zone)
})

var netscapeWeekday = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?i:Sun|Mon|Tue|Wed|Thu|Fri|Sat)[A-Za-z]*,?\s*`)
})

var netscapeZone = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([-+])?(\d\d?):?(\d\d)?$`)
})

// Netscape reads Expires as http.cookiejar does. A date before 1970 is refused.
func Netscape(s string, now time.Time) (time.Time, bool) {
	if len(s) > maxNetscape {
		return time.Time{}, false
	}
	for s != "" && s[0] < 0x80 && ascii.IsSpace(s[0]) {
		s = s[1:]
	}
	s = s[len(netscapeWeekday().FindString(s)):]
	m := netscapeDate().FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	year, err := strconv.Atoi(m[3])
	month, known := netscapeMonth(m[2])
	offset, zoned := netscapeOffset(m[7])
	if err != nil || year > 9999 || !known || !zoned {
		return time.Time{}, false
	}
	year = nearestYear(year, now)
	day, hour, minute, second := atoi(m[1]), atoi(m[4]), atoi(m[5]), atoi(m[6])
	if year < 1970 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 61 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC).Add(-offset)
	return Unix(t.Unix()), true
}

// Unix is [time.Unix] in UTC, at least a second behind 1970 and not beyond the years that
// can be written down.
func Unix(seconds int64) time.Time {
	const lastSecond = 253402300799 // of the year 9999
	return time.Unix(max(min(seconds, lastSecond), 1), 0).UTC()
}

func netscapeMonth(s string) (time.Month, bool) {
	if month := shortMonth(s); month != 0 {
		return month, true
	}
	n, err := strconv.Atoi(s)
	return time.Month(n), err == nil && n >= 1 && n <= 12
}

// netscapeOffset returns what the zone is ahead of UTC. Of the names only those of UTC are
// known.
func netscapeOffset(zone string) (time.Duration, bool) {
	switch strings.ToUpper(zone) {
	case "", "GMT", "UTC", "UT", "Z":
		return 0, true
	}
	m := netscapeZone().FindStringSubmatch(zone)
	if m == nil {
		return 0, false
	}
	offset := time.Duration(atoi(m[2]))*time.Hour + time.Duration(atoi(m[3]))*time.Minute
	if m[1] == "-" {
		offset = -offset
	}
	return offset, true
}
