package toolbelt

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests"
)

func rangeFrom(offset int64) string { return "bytes=" + strconv.FormatInt(offset, 10) + "-" }

// parseContentRange reads "bytes 5-9/10" (RFC 9110 section 14.4). total is -1 where it
// is "*", and first is -1 in "bytes */10", which answers a range beyond the end.
func parseContentRange(value string) (first, total int64, ok bool) {
	unit, rest, _ := strings.Cut(value, " ")
	span, whole, found := strings.Cut(strings.TrimSpace(rest), "/")
	if !strings.EqualFold(unit, "bytes") || !found {
		return 0, 0, false
	}
	if total, ok = parseSize(whole); !ok && whole != "*" {
		return 0, 0, false
	}
	if span == "*" {
		return -1, total, total >= 0
	}
	from, to, _ := strings.Cut(span, "-")
	first, ok = parseSize(from)
	last, ok2 := parseSize(to)
	return first, total, ok && ok2 && first <= last && (total < 0 || last < total)
}

// parseSize reads digits, and gives -1 for anything else.
func parseSize(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] < '0' || s[0] > '9' {
		return -1, false
	}
	return n, true
}

// unsatisfied returns the size that a 416 says there is, -1 if it does not say.
func unsatisfied(r *requests.Response) int64 {
	first, total, ok := parseContentRange(r.Headers.Get("Content-Range"))
	if !ok || first >= 0 {
		return -1
	}
	return total
}

// continues reports whether a 206 is the rest of what is in the file.
func (t *transfer) continues(r *requests.Response) bool {
	first, total, ok := parseContentRange(r.Headers.Get("Content-Range"))
	if !ok || first != t.offset || r.Headers.Has("Content-Encoding") {
		return false
	}
	if t.total >= 0 && total >= 0 && t.total != total {
		return false
	}
	field := "Last-Modified"
	if strings.HasPrefix(t.validator, `"`) {
		field = "ETag"
	}
	if other := r.Headers.Get(field); other != "" && other != t.validator {
		return false
	}
	t.total = max(t.total, total)
	return true
}

// validatorOf returns what If-Range may have for the representation in r: a strong
// ETag, or a date that is old enough to be strong (RFC 9110 sections 8.8.2.2 and 13.1.5);
// "" where parts of it cannot be had, or are not of what is saved.
func validatorOf(r *requests.Response) string {
	if r.Headers.Has("Content-Encoding") || strings.EqualFold(r.Headers.Get("Accept-Ranges"), "none") {
		return ""
	}
	if tag := r.Headers.Get("ETag"); tag != "" {
		if len(tag) > 1 && tag[0] == '"' && tag[len(tag)-1] == '"' {
			return tag
		}
		return ""
	}
	modified := r.Headers.Get("Last-Modified")
	when, err := http.ParseTime(modified)
	date, err2 := http.ParseTime(r.Headers.Get("Date"))
	if err != nil || err2 != nil || date.Sub(when) < time.Second {
		return ""
	}
	return modified
}
