package cookie

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// netscapeDate matches the dates that http.cookiejar reads, the day of the week
// aside: day, month and year, then perhaps a clock and a time zone.
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

// parseNetscapeDate reads Expires as http.cookiejar does.
func parseNetscapeDate(s string, now time.Time) (time.Time, bool) {
	if len(s) > maxAttributeSize {
		return time.Time{}, false
	}
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r < 0x80 && ascii.IsSpace(byte(r)) })
	s = s[len(netscapeWeekday().FindString(s)):]
	m := netscapeDate().FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	year, ok := netscapeYear(m[3], now)
	month, known := netscapeMonth(m[2])
	offset, zoned := netscapeOffset(m[7])
	if !ok || !known || !zoned {
		return time.Time{}, false
	}
	day, hour, minute, second := atoi(m[1]), atoi(m[4]), atoi(m[5]), atoi(m[6])
	if year < 1970 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 61 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC).Add(-offset)
	return unixTime(t.Unix()), true
}

// netscapeYear puts a year of fewer than four digits into the century that is
// nearest to now.
func netscapeYear(s string, now time.Time) (int, bool) {
	year, err := strconv.Atoi(s)
	if err != nil || year > 9999 {
		return 0, false
	}
	if year >= 1000 {
		return year, true
	}
	current := now.Year()
	behind := current%100 - year
	year += current - current%100
	switch {
	case behind > 50:
		year += 100
	case behind < -50:
		year -= 100
	}
	return year, true
}

func netscapeMonth(s string) (time.Month, bool) {
	for i, name := range monthNames {
		if strings.EqualFold(s, name) {
			return time.Month(i + 1), true
		}
	}
	n, err := strconv.Atoi(s)
	return time.Month(n), err == nil && n >= 1 && n <= 12
}

// netscapeOffset is what the zone is ahead of UTC. Of the names only those of UTC
// are known.
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

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
