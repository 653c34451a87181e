package httpdate

import (
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// Strict reads the three forms of RFC 9110 section 5.6.7 and nothing else, as RFC 9111 section 4.2
// asks of a cache: what is not exactly a date has passed. Only case is ignored, and which day of
// the week it is. now is for a year of two digits.
func Strict(s string, now time.Time) (time.Time, bool) {
	if !strings.HasSuffix(s, "GMT") && ascii.HasPrefixFold(s[max(0, len(s)-3):], "gmt") {
		s = s[:len(s)-3] + "GMT"
	}
	comma := strings.IndexByte(s, ',')
	layout, dayEnd := "Mon, 02 Jan 2006 15:04:05 GMT", comma
	switch {
	case comma < 0:
		layout, dayEnd = time.ANSIC, 3
	case comma > 3:
		layout = "Monday, 02-Jan-06 15:04:05 GMT"
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, false
	}
	var buffer [40]byte
	if again := t.AppendFormat(buffer[:0], layout[dayOf(layout):]); !strings.EqualFold(string(again), s[dayEnd:]) {
		return time.Time{}, false // Parse takes one digit for two, and any number of blanks
	}
	if comma > 3 {
		t = t.AddDate(nearestYear(t.Year()%100, now)-t.Year(), 0, 0)
	}
	return t, true
}

// dayOf is where the day of the week ends in a layout.
func dayOf(layout string) int { return strings.IndexAny(layout, ", ") }
