package httpdate

import (
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// cookieDate collects the parts of a date as they are found.
type cookieDate struct {
	hour, minute, second, day, year int

	month                    time.Month
	hasTime, hasDay, hasYear bool
}

// Cookie reads the value of Expires by RFC 6265bis section 5.1.1, which finds a date in
// almost anything that people have written there.
func Cookie(s string) (time.Time, bool) {
	var d cookieDate
	for token := range strings.FieldsFuncSeq(s, isDelimiter) {
		d.read(token)
	}
	return d.time()
}

func isDelimiter(r rune) bool {
	return r == '\t' || ' ' <= r && r <= '/' || ';' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
}

// read takes a token for the first part it can be and that is still missing.
func (d *cookieDate) read(token string) {
	switch {
	case !d.hasTime && d.readTime(token):
		d.hasTime = true
	case !d.hasDay && readNumber(token, 1, 2, &d.day):
		d.hasDay = true
	case d.month == 0 && d.readMonth(token):
	case !d.hasYear && readNumber(token, 2, 4, &d.year):
		d.hasYear = true
	}
}

// readTime reads "hour:minute:second", anything but a digit following.
func (d *cookieDate) readTime(token string) bool {
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
	for digits < len(s) && ascii.IsDigit(s[digits]) {
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

func (d *cookieDate) readMonth(token string) bool {
	if len(token) >= 3 {
		d.month = shortMonth(token[:3])
	}
	return d.month != 0
}

func (d *cookieDate) time() (time.Time, bool) {
	year := cookieYear(d.year)
	if !d.hasTime || !d.hasDay || d.month == 0 || !d.hasYear || year < 1601 {
		return time.Time{}, false
	}
	if d.hour > 23 || d.minute > 59 || d.second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, d.month, d.day, d.hour, d.minute, d.second, 0, time.UTC)
	return t, t.Day() == d.day && t.Month() == d.month
}
