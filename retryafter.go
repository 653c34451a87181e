package requests

import (
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
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
	date, ok := parseMailDate(text)
	if !ok {
		return 0, fail(ErrInvalidHeader, "Invalid Retry-After header: %s", value)
	}
	return max(0, min(date.Sub(now), limit)), nil
}

// parseMailDate reads a date as mail programs write it, which takes in HTTP's
// three forms. A day of the week is not looked at; the month may stand before the
// day, the year behind the time; a zone that is missing or unknown is UTC; numbers
// beyond their range carry over. All of that is as in Python.
func parseMailDate(s string) (time.Time, bool) {
	fields := dateFields(s)
	if len(fields) < 5 {
		return time.Time{}, false
	}
	day, month, year, clock, zone := fields[0], indexOf(months, fields[1]), fields[2], fields[3], fields[4]
	if month == 0 {
		day, month = fields[1], indexOf(months, fields[0])
	}
	if strings.Index(year, ":") > 0 {
		year, clock = clock, year
	}
	if year = strings.TrimSuffix(year, ","); year != "" && !ascii.IsDigits(year[:1]) {
		year, zone = zone, year
	}
	d, badDay := strconv.Atoi(strings.TrimSuffix(day, ","))
	y, badYear := strconv.Atoi(year)
	t, ok := parseClock(strings.TrimSuffix(clock, ","))
	if month == 0 || badDay != nil || badYear != nil || !ok || y > 9999 || max(d, -d) > 9999 {
		return time.Time{}, false
	}
	date := time.Date(fullYear(y), time.Month(month), d, t[0], t[1], t[2], 0, time.UTC)
	return date.Add(-time.Duration(zoneOffset(zone)) * time.Second), true
}

// dateFields splits a date into day, month, year, time and zone, the last empty
// where there is none. It leaves out the day of the week.
func dateFields(s string) []string {
	fields := strings.Fields(s)
	if len(fields) == 0 {
		return nil
	}
	first := fields[0]
	if strings.HasSuffix(first, ",") || indexOf(weekdays, first) > 0 {
		fields = fields[1:]
	} else {
		fields[0] = first[strings.LastIndex(first, ",")+1:]
	}
	if len(fields) == 3 {
		if date := strings.Split(fields[0], "-"); len(date) == 3 { // 03-Jun-19
			fields = append(date, fields[1:]...)
		}
	}
	if len(fields) == 4 {
		last := fields[3]
		if i := strings.IndexAny(last, "+-"); i > 0 { // 11:30:12+0100
			return append(fields[:3], last[:i], last[i:])
		}
		return append(fields, "")
	}
	return fields
}

// parseClock reads "hh:mm" and "hh:mm:ss", or the same with dots.
func parseClock(s string) (clock [3]int, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) == 1 {
		parts = strings.Split(s, ".")
	}
	if len(parts) < 2 || len(parts) > 3 {
		return clock, false
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || max(n, -n) > 9999 {
			return clock, false
		}
		clock[i] = n
	}
	return clock, true
}

// fullYear completes years of two digits, which are those from 1969 to 2068.
func fullYear(y int) int {
	switch {
	case y >= 100:
		return y
	case y > 68:
		return y + 1900
	}
	return y + 2000
}

var (
	months   = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// indexOf counts from 1 the name that s is, in full or by its first three letters;
// 0 if it is none.
func indexOf(names []string, s string) int {
	for i, name := range names {
		if strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return i + 1
		}
	}
	return 0
}

// zoneHours are the named zones of RFC 5322 that are not UTC.
var zoneHours = map[string]int{
	"AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}

// zoneOffset reads "+hhmm" or a name, and gives the seconds east of UTC.
func zoneOffset(zone string) int {
	n, err := strconv.Atoi(zone)
	if err != nil || n < -9999 || n > 9999 {
		return zoneHours[strings.ToUpper(zone)] * 3600
	}
	return (n/100)*3600 + (n%100)*60
}
