package cookie

import (
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// date collects the parts of a date as they are found.
type date struct {
	hour, minute, second, day, month, year int

	hasTime, hasDay, hasMonth, hasYear bool
}

// parseDate reads the value of Expires by RFC 6265bis section 5.1.1, which
// finds a date in almost anything that people have written there.
func parseDate(s string) (time.Time, bool) {
	var d date
	for token := range strings.FieldsFuncSeq(s, isDateDelimiter) {
		d.read(token)
	}
	return d.time()
}

func isDateDelimiter(r rune) bool {
	return r == '\t' || ' ' <= r && r <= '/' || ';' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
}

// read takes a token for the first part it can be and that is still missing.
func (d *date) read(token string) {
	switch {
	case !d.hasTime && d.readTime(token):
		d.hasTime = true
	case !d.hasDay && readNumber(token, 1, 2, &d.day):
		d.hasDay = true
	case !d.hasMonth && d.readMonth(token):
		d.hasMonth = true
	case !d.hasYear && readNumber(token, 2, 4, &d.year):
		d.hasYear = true
	}
}

// readTime reads "hour:minute:second", anything but a digit following.
func (d *date) readTime(token string) bool {
	hour, rest, _ := strings.Cut(token, ":")
	minute, second, ok := strings.Cut(rest, ":")
	var h, m, s int
	if !ok || !readExactly(hour, &h) || !readExactly(minute, &m) || !readNumber(second, 1, 2, &s) {
		return false
	}
	d.hour, d.minute, d.second = h, m, s
	return true
}

func readExactly(s string, n *int) bool { return ascii.IsDigits(s) && readNumber(s, 1, 2, n) }

// readNumber reads a number of so many digits at the start of s.
func readNumber(s string, least, most int, n *int) bool {
	value, digits := 0, 0
	for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
		if digits++; digits > most {
			return false
		}
		value = value*10 + int(s[digits-1]-'0')
	}
	if digits < least {
		return false
	}
	*n = value
	return true
}

var monthNames = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

func (d *date) readMonth(token string) bool {
	if len(token) < 3 {
		return false
	}
	for i, name := range monthNames {
		if strings.EqualFold(token[:3], name) {
			d.month = i + 1
			return true
		}
	}
	return false
}

func (d *date) time() (time.Time, bool) {
	switch {
	case d.year >= 70 && d.year <= 99:
		d.year += 1900
	case d.year <= 69:
		d.year += 2000
	}
	if !d.hasTime || !d.hasDay || !d.hasMonth || !d.hasYear || d.year < 1601 {
		return time.Time{}, false
	}
	if d.hour > 23 || d.minute > 59 || d.second > 59 {
		return time.Time{}, false
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, time.UTC)
	return t, t.Day() == d.day && int(t.Month()) == d.month
}
