// Package httpdate reads the dates of HTTP's fields, which follow four rules that must
// not be mixed up:
//
//	function   reads                       whose rule                 a year of two digits
//	Cookie     Expires of a Set-Cookie     RFC 6265bis, 5.1.1         70 to 99 are 19xx, 0 to 69 are 20xx
//	Netscape   Expires as Requests reads   http.cookiejar             is less than half a century from now
//	HTTP       Retry-After and the like    RFC 9110, 5.6.7, and mail  69 to 99 are 19xx, 0 to 68 are 20xx
//	Strict     what a cache lives by       RFC 9111, 4.2              is less than half a century from now
//
// All results are in UTC.
package httpdate

import (
	"strconv"
	"strings"
	"time"
)

var months = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// shortMonth returns the month that s abbreviates with three letters, 0 for none.
func shortMonth(s string) time.Month {
	if len(s) != 3 {
		return 0
	}
	return time.Month(indexOf(months, s))
}

// indexOf counts from 1 the name that s is, in full or by its first three letters; 0 if
// it is none.
func indexOf(names []string, s string) int {
	for i, name := range names {
		if strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return i + 1
		}
	}
	return 0
}

// cookieYear completes a year as RFC 6265bis does.
func cookieYear(y int) int {
	switch {
	case y >= 70 && y <= 99:
		return y + 1900
	case y <= 69:
		return y + 2000
	}
	return y
}

// mailYear completes a year as POSIX does for strptime's %y, and Python for mail.
func mailYear(y int) int {
	switch {
	case y >= 100:
		return y
	case y > 68:
		return y + 1900
	}
	return y + 2000
}

// nearestYear puts a year of fewer than four digits into the century that is nearest to
// now.
func nearestYear(y int, now time.Time) int {
	if y >= 1000 {
		return y
	}
	current := now.Year()
	behind := current%100 - y
	y += current - current%100
	switch {
	case behind > 50:
		y += 100
	case behind < -50:
		y -= 100
	}
	return y
}

// atoi reads what is known to be digits, or nothing.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
