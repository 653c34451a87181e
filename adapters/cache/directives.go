package cache

import (
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/httpdate"
)

// directives are those of a Cache-Control field, of a request or a response (RFC 9111 section
// 5.2). A time that is absent is below 0. Of a directive that is repeated the first counts.
type directives struct {
	noStore, noCache, private, public, onlyIfCached bool
	mustRevalidate, proxyRevalidate, mustUnderstand bool

	maxAge, sMaxAge, minFresh, maxStale time.Duration
	whileRevalidate, ifError            time.Duration // RFC 5861
}

const absent = time.Duration(-1)

func parseDirectives(h requests.Headers) directives {
	d := directives{maxAge: absent, sMaxAge: absent, minFresh: absent, maxStale: absent, whileRevalidate: absent, ifError: absent}
	for _, field := range h {
		if !ascii.EqualFold(field[0], "cache-control") {
			continue
		}
		for rest := field[1]; rest != ""; {
			var one string
			one, rest = fieldvalue.CutItem(rest)
			d.set(one)
		}
	}
	return d
}

func (d *directives) set(text string) {
	name, value, _ := strings.Cut(text, "=")
	name, value = ascii.TrimBlanks(name), strings.Trim(value, " \t\"")
	for _, flag := range []struct {
		name string
		to   *bool
	}{
		{"no-store", &d.noStore}, {"no-cache", &d.noCache}, {"private", &d.private}, {"public", &d.public},
		{"only-if-cached", &d.onlyIfCached}, {"must-revalidate", &d.mustRevalidate},
		{"proxy-revalidate", &d.proxyRevalidate}, {"must-understand", &d.mustUnderstand},
	} {
		if ascii.EqualFold(name, flag.name) {
			*flag.to = true // with field names too: the directive holds for all of the response then
			return
		}
	}
	d.setTime(name, value)
}

func (d *directives) setTime(name, value string) {
	switch {
	case ascii.EqualFold(name, "max-age"):
		setFirst(&d.maxAge, value, 0) // what makes no sense is stale (section 4.2.1)
	case ascii.EqualFold(name, "s-maxage"):
		setFirst(&d.sMaxAge, value, 0)
	case ascii.EqualFold(name, "max-stale"):
		if value == "" {
			value = "2147483648" // any
		}
		setFirst(&d.maxStale, value, absent)
	case ascii.EqualFold(name, "min-fresh"):
		setFirst(&d.minFresh, value, absent)
	case ascii.EqualFold(name, "stale-while-revalidate"):
		setFirst(&d.whileRevalidate, value, absent)
	case ascii.EqualFold(name, "stale-if-error"):
		setFirst(&d.ifError, value, absent)
	}
}

func setFirst(to *time.Duration, value string, otherwise time.Duration) {
	if *to != absent {
		return
	}
	if *to = otherwise; ascii.IsDigits(value) {
		*to = seconds(value)
	}
}

// seconds reads digits; what is larger than 2^31 is that (section 1.2.2).
func seconds(digits string) time.Duration {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > int64(longest/time.Second) {
		return longest
	}
	return time.Duration(n) * time.Second
}

// first returns the first value of a field.
func first(h requests.Headers, name string) string {
	for _, field := range h {
		if strings.EqualFold(field[0], name) {
			return ascii.TrimBlanks(field[1])
		}
	}
	return ""
}

// dateOf reads the date in a field, which is to be there once.
func dateOf(h requests.Headers, name string) (time.Time, bool) {
	var value string
	for _, field := range h {
		if !strings.EqualFold(field[0], name) {
			continue
		}
		if value != "" {
			return time.Time{}, false
		}
		value = ascii.TrimBlanks(field[1])
	}
	return httpdate.Strict(value, time.Now())
}
