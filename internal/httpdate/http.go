package httpdate

import (
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// HTTP reads the three forms of RFC 9110 section 5.6.7, and what mail programs write
// (RFC 5322). A day of the week is ignored; the month may stand before the day, the year
// behind the time; a zone that is missing or unknown is UTC; numbers beyond their range
// carry over. All of that is as in Python's email.utils.
func HTTP(s string) (time.Time, bool) {
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
	date := time.Date(mailYear(y), time.Month(month), d, t[0], t[1], t[2], 0, time.UTC)
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
