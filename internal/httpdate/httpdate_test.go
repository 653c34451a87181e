package httpdate

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
)

// now is a Sunday: two-digit years from 1975 to 2074 are nearest to it.
var now = time.Date(2024, 6, 9, 12, 0, 0, 0, time.UTC)

// TestDates reads each text by the three rules; "" says it is none.
func TestDates(t *testing.T) {
	type dates struct{ Cookie, Netscape, HTTP string }
	same := func(s string) dates { return dates{s, s, s} }
	const nov = "Sun, 06 Nov 1994 08:49:37 GMT"
	tests := map[string]dates{
		"Sun, 06 Nov 1994 08:49:37 GMT":  same(nov),
		"Sunday, 06-Nov-94 08:49:37 GMT": same(nov),
		"Sun Nov  6 08:49:37 1994":       {nov, "", nov},
		"06 Nov 94 8:9:7":                {"Sun, 06 Nov 1994 08:09:07 GMT", "", "Sun, 06 Nov 1994 08:09:07 GMT"},
		"06 Nov 94 8:09:07":              same("Sun, 06 Nov 1994 08:09:07 GMT"),
		// The three rules for a year of two digits.
		"06 Nov 68 08:49:37": {"Tue, 06 Nov 2068 08:49:37 GMT", "Tue, 06 Nov 2068 08:49:37 GMT", "Tue, 06 Nov 2068 08:49:37 GMT"},
		"06 Nov 69 08:49:37": {"Wed, 06 Nov 2069 08:49:37 GMT", "Wed, 06 Nov 2069 08:49:37 GMT", "Thu, 06 Nov 1969 08:49:37 GMT"},
		"06 Nov 70 08:49:37": {"Fri, 06 Nov 1970 08:49:37 GMT", "Thu, 06 Nov 2070 08:49:37 GMT", "Fri, 06 Nov 1970 08:49:37 GMT"},
		"06 Nov 75 08:49:37": same("Thu, 06 Nov 1975 08:49:37 GMT"),
		"06 Nov 07 08:49:37": same("Tue, 06 Nov 2007 08:49:37 GMT"),
		// Zones count for two of them.
		"06 Nov 1994 08:49:37 -0500":   {nov, "Sun, 06 Nov 1994 13:49:37 GMT", "Sun, 06 Nov 1994 13:49:37 GMT"},
		"06 Nov 1994 08:49:37 EST":     {nov, "", "Sun, 06 Nov 1994 13:49:37 GMT"},
		"06 Nov 1994 08:49:37+0100":    {nov, "Sun, 06 Nov 1994 07:49:37 GMT", "Sun, 06 Nov 1994 07:49:37 GMT"},
		"06 Nov 1994 08:49:37 Nowhere": {nov, "", nov},
		"06 Nov 1994 08:49:37 -00:30":  {nov, "", nov},
		// Order, and what may be missing.
		"Nov 6 1994 08:49:37":       {nov, "", nov},
		"1994 Nov 6 08:49:37":       {nov, "", "Mon, 16 Apr 2012 08:49:37 GMT"}, // day 1994 from November 2006: Python's reading
		"6/11/1994":                 {"", "Sun, 06 Nov 1994 00:00:00 GMT", ""},
		"06 Nov 1994":               {"", "Sun, 06 Nov 1994 00:00:00 GMT", ""},
		"06 Nov 1994 08:49 GMT":     {"", "Sun, 06 Nov 1994 08:49:00 GMT", "Sun, 06 Nov 1994 08:49:00 GMT"},
		"06 Nov 1994 08.49.37":      {"", "", nov},
		"06 November 1994 08:49:37": {nov, "", nov},
		// Beyond the range of a number.
		"31 Feb 2000 08:49:37":                              {"", "Thu, 02 Mar 2000 08:49:37 GMT", "Thu, 02 Mar 2000 08:49:37 GMT"},
		"06 Nov 1600 08:49:37":                              {"", "", "Mon, 06 Nov 1600 08:49:37 GMT"},
		"06 Nov 1994 24:00:00":                              {"", "Mon, 07 Nov 1994 00:00:00 GMT", "Mon, 07 Nov 1994 00:00:00 GMT"},
		"06 Nov 1994 08:60:37":                              {"", "", "Sun, 06 Nov 1994 09:00:37 GMT"},
		"006 Nov 1994 08:49:37":                             {"", "", nov},
		"06 Nov 19945 08:49:37":                             {},
		"06 Nov 1994 08:49:37 " + strings.Repeat("x", 1024): {nov, "", nov},
		"": {}, "Sun,": {}, "Sun": {}, ",": {}, "-": {}, "now": {}, "0": {}, "\xff\xfe": {},
	}
	show := func(date time.Time, ok bool) string {
		if !ok {
			return ""
		}
		return date.Format(http.TimeFormat)
	}
	for text, want := range tests {
		got := dates{show(Cookie(text)), show(Netscape(text, now)), show(HTTP(text))}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestUnix(t *testing.T) {
	for seconds, want := range map[int64]string{
		-1 << 63: "1970-01-01T00:00:01Z", 0: "1970-01-01T00:00:01Z", 86400: "1970-01-02T00:00:00Z", 1<<63 - 1: "9999-12-31T23:59:59Z",
	} {
		if diff := cmp.Diff(want, Unix(seconds).Format(time.RFC3339)); diff != "" {
			t.Errorf("%d: %s", seconds, diff)
		}
	}
}

// FuzzDates holds every reader to its bounds, and HTTP to what net/http reads, but for years below 100: those have two
// digits for mail, however many are written.
func FuzzDates(f *testing.F) {
	for _, seed := range []string{
		"Wed, 09 Jun 2100 10:18:14 GMT", "Wednesday, 09-Jun-00 10:18:14 GMT", "Wed Jun  9 10:18:14 2100", "1/1/1", "09 Feb 1994 22:23 -0500",
		"9:9:9 31 Feb 99", "0 0 0", "01 01 0001 (x)", "29 Feb 1900 0:0:0", "1 Jan 9999 24:59:61 +9999", "31 Dec 1999 23:59 +0130", "\xff\xfe",
	} {
		f.Add(seed)
	}
	for _, seed := range append(cases.Seeds("extras.json", "cookie_dates", "value"), cases.FieldSeeds("Date")...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if date, ok := Cookie(s); ok {
			again, ok := Cookie(date.Format(time.RFC1123))
			if diff := cmp.Diff(date, again); diff != "" || !ok || date.Year() < 1601 || date.Year() > 9999 {
				t.Errorf("%q is %v, written and read again (-want +got):\n%s", s, date, diff)
			}
		}
		if date, ok := Netscape(s, now); ok && (date.Year() < 1970 || date.Year() > 9999) {
			t.Errorf("Netscape(%q) = %v", s, date)
		}
		date, ok := HTTP(s)
		if want, err := http.ParseTime(s); err == nil && want.Location() == time.UTC && want.Year() >= 100 && !strings.Contains(s, "-") && (!ok || !date.Equal(want)) {
			t.Errorf("HTTP(%q) = %v, %v", s, date, ok)
		}
	})
}

// TestStrict: what is not exactly one of the three forms is not a date; case and the day of the week
// are ignored.
func TestStrict(t *testing.T) {
	for text, want := range map[string]string{
		"Sun, 06 Nov 1994 08:49:37 GMT":      "1994-11-06T08:49:37Z",
		"sun, 06 NOV 1994 08:49:37 gmt":      "1994-11-06T08:49:37Z",
		"Mon, 06 Nov 1994 08:49:37 GMT":      "1994-11-06T08:49:37Z",
		"Sunday, 06-Nov-94 08:49:37 GMT":     "1994-11-06T08:49:37Z",
		"Tuesday, 06-Nov-68 08:49:37 GMT":    "2068-11-06T08:49:37Z",
		"Saturday, 06-Nov-76 08:49:37 GMT":   "1976-11-06T08:49:37Z",
		"Sun Nov  6 08:49:37 1994":           "1994-11-06T08:49:37Z",
		"Wed Nov 16 08:49:37 1994":           "1994-11-16T08:49:37Z",
		"":                                   "",
		"0":                                  "",
		"GMT":                                "",
		"Sun, 6 Nov 1994 08:49:37 GMT":       "",
		"Sun, 06  Nov 1994 08:49:37 GMT":     "",
		"Sun, 06 Nov 1994 8:49:37 GMT":       "",
		"Sun, 06 Nov 1994 08:49 GMT":         "",
		"Sun, 06 Nov 1994 08:49:37 UTC":      "",
		"Sun, 06 Nov 1994 08:49:37 +0000":    "",
		"Sun, 06 Nov 1994 08:49:37.5 GMT":    "",
		"Sun, 06 Nov 1994 08:49:37":          "",
		"Sun, 31 Feb 1994 08:49:37 GMT":      "",
		"Sun, 06 Nov 94 08:49:37 GMT":        "",
		"Sun, 06-Nov-1994 08:49:37 GMT":      "",
		"06 Nov 1994 08:49:37 GMT":           "",
		"Sun 06 Nov 1994 08:49:37 GMT":       "",
		"Sun Nov 6 08:49:37 1994":            "",
		"Sun, 06 Nov 1994 08:49:37 GMT, x":   "",
		"Sun, 06 Nov 1994 08:49:37 GMT\x00":  "",
		"Sun,\u00a006 Nov 1994 08:49:37 GMT": "",
	} {
		got := ""
		if when, ok := Strict(text, now); ok {
			got = when.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
