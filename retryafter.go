package requests

import (
	"strconv"
	"strings"
	"time"
)

// ParseRetryAfter reads the value of a Retry-After field (RFC 9110 section
// 10.2.3): seconds, or a date in any of HTTP's three forms or of mail's, from
// which now is taken away. The result lies between 0 and RetryAfterMax. Anything
// else is [ErrInvalidHeader]; an [HTTPAdapter] then takes the field as absent,
// where urllib3 fails.
func (r Retry) ParseRetryAfter(value string, now time.Time) (time.Duration, error) {
	limit := r.retryAfterMax()
	text := strings.TrimSpace(value)
	if isDigits(text) {
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

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// parseMailDate reads a date as mail programs write it, which takes in HTTP's
// three forms: day, month, year and time in whatever order these have, a day of
// the week, which is not looked at, and a zone, UTC where there is none. Numbers
// beyond their range carry over, as in Python.
func parseMailDate(s string) (time.Time, bool) {
	var d mailDate
	fields := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	for i, field := range fields {
		if i == 0 && isWeekday(field) {
			continue
		}
		parts := []string{field}
		if strings.Count(field, "-") == 2 {
			parts = strings.Split(field, "-") // 03-Jun-19
		}
		for _, part := range parts {
			if !d.add(part) {
				return time.Time{}, false
			}
		}
	}
	return d.time()
}

// mailDate collects the parts of a date; seen tells which have come.
type mailDate struct {
	day, year, month int
	clock            [3]int
	offset           int // east of UTC, in seconds
	seen             struct{ day, month, year, clock, zone bool }
}

// add takes the next part; false if it cannot be one.
func (d *mailDate) add(part string) bool {
	month := indexFold(months, part)
	switch {
	case strings.Contains(part, ":") && !d.seen.clock:
		d.seen.clock = true
		return d.setClock(part)
	case month > 0 && !d.seen.month:
		d.month, d.seen.month = month, true
	case isDigits(part) && len(part) <= 4 && !d.seen.day:
		d.day, _ = strconv.Atoi(part)
		d.seen.day = true
	case isDigits(part) && len(part) <= 4 && !d.seen.year:
		d.year, _ = strconv.Atoi(part)
		d.seen.year = true
	case d.seen.clock && !d.seen.zone:
		d.offset, d.seen.zone = zoneOffset(part), true
	default:
		return false
	}
	return true
}

// setClock reads "hh:mm" or "hh:mm:ss".
func (d *mailDate) setClock(s string) bool {
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return false
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || !isDigits(part) || n > 9999 {
			return false
		}
		d.clock[i] = n
	}
	return true
}

// time puts the parts together. Years of two digits are those from 1969 to 2068.
func (d *mailDate) time() (time.Time, bool) {
	if !d.seen.day || !d.seen.month || !d.seen.year || !d.seen.clock {
		return time.Time{}, false
	}
	switch {
	case d.year < 69:
		d.year += 2000
	case d.year < 100:
		d.year += 1900
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.clock[0], d.clock[1], d.clock[2], 0, time.UTC)
	return t.Add(-time.Duration(d.offset) * time.Second), true
}

var (
	months   = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
	weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
)

func isWeekday(s string) bool { return indexFold(weekdays, s) > 0 }

// indexFold counts from 1 the name that s begins with, 0 if there is none. Names
// may be written out: what follows the first three letters is letters.
func indexFold(names []string, s string) int {
	if len(s) < 3 || strings.ContainsFunc(s, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' }) {
		return 0
	}
	for i, name := range names {
		if strings.EqualFold(s[:3], name) {
			return i + 1
		}
	}
	return 0
}

// zoneHours are the named zones of RFC 5322 that are not UTC.
var zoneHours = map[string]int{
	"AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}

// zoneOffset reads "+hhmm" or a name. An unknown one is UTC.
func zoneOffset(zone string) int {
	n, err := strconv.Atoi(zone)
	if err != nil || n < -9999 || n > 9999 {
		return zoneHours[strings.ToUpper(zone)] * 3600
	}
	return (n/100)*3600 + (n%100)*60
}
