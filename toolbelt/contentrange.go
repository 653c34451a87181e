package toolbelt

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// rangeOf asks for the bytes from first to last, or to the end if that is -1.
func rangeOf(first, last int64) string {
	text := "bytes=" + strconv.FormatInt(first, 10) + "-"
	if last >= 0 {
		text += strconv.FormatInt(last, 10)
	}
	return text
}

// parseContentRange reads "bytes 5-9/10" (RFC 9110 section 14.4). total is -1 where it
// is "*", and first and last are in "bytes */10", which answers a range beyond the end.
func parseContentRange(value string) (first, last, total int64, ok bool) {
	unit, rest, _ := strings.Cut(value, " ")
	span, whole, found := strings.Cut(strings.TrimSpace(rest), "/")
	if !strings.EqualFold(unit, "bytes") || !found {
		return 0, 0, 0, false
	}
	if total, ok = parseSize(whole); !ok && whole != "*" {
		return 0, 0, 0, false
	}
	if span == "*" {
		return -1, -1, total, total >= 0
	}
	from, to, _ := strings.Cut(span, "-")
	first, ok = parseSize(from)
	last, ok2 := parseSize(to)
	return first, last, total, ok && ok2 && first <= last && (total < 0 || last < total)
}

// parseSize reads digits, and gives -1 for anything else, and for a number that has no successor.
func parseSize(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n == math.MaxInt64 || s[0] < '0' || s[0] > '9' {
		return -1, false
	}
	return n, true
}

// isPart reports whether a Content-Range says that r is not the whole. A 200 has no use
// for the field (RFC 9110 section 14.4), and some servers send parts under that status.
func isPart(r *requests.Response) bool {
	field := r.Headers.Get("Content-Range")
	first, last, total, ok := parseContentRange(field)
	return field != "" && !(ok && first == 0 && last+1 == total)
}

// endsWith reports whether a 416 says that there is no more than what is in the file.
func (t *transfer) endsWith(r *requests.Response) bool {
	first, _, total, ok := parseContentRange(r.Headers.Get("Content-Range"))
	return ok && first < 0 && total == t.offset && (t.total < 0 || t.total == total) && !t.isOther(r)
}

// continues reports whether r is the rest of what is in the file.
func (t *transfer) continues(r *requests.Response) bool {
	first, last, total, ok := parseContentRange(r.Headers.Get("Content-Range"))
	if !ok || first != t.offset || r.Headers.Has("Content-Encoding") || t.isOther(r) {
		return false
	}
	if n := bodyLength(r, true); n >= 0 && n != last-first+1 {
		return false
	}
	if t.total >= 0 && total >= 0 && t.total != total {
		return false
	}
	t.total, t.due = max(t.total, total), last+1
	return true
}

// isWhole reports whether a 200 to a request for the rest is certain to be all there is:
// of another representation, or as long as the one in the file.
func (t *transfer) isWhole(r *requests.Response) bool {
	return t.isOther(r) || t.total >= 0 && bodyLength(r, true) == t.total
}

// isOther reports whether r has a validator that is not that of what is in the file.
func (t *transfer) isOther(r *requests.Response) bool {
	field := "Last-Modified"
	if strings.HasPrefix(t.validator, `"`) {
		field = "ETag"
	}
	other := r.Headers.Get(field)
	return other != "" && other != t.validator
}

// oneLength makes sure that a strong ETag, which stands for the very bytes, stands for
// one length of them.
func (t *transfer) oneLength(r *requests.Response) error {
	now := partialNote{Validator: validatorOf(r), Total: bodyLength(r, true)}
	if r.StatusCode == 206 || isPart(r) {
		var ok bool
		if _, _, now.Total, ok = parseContentRange(r.Headers.Get("Content-Range")); !ok {
			return nil
		}
	}
	if !strings.HasPrefix(now.Validator, `"`) || now.Total < 0 {
		return nil
	}
	if err := t.sameLength(now); err != nil {
		return err
	}
	t.seen = now
	return nil
}

// sameLength is oneLength for what is known by now: the length of a body that does not say
// how long it is, is known at its end.
func (t *transfer) sameLength(now partialNote) error {
	if strings.HasPrefix(now.Validator, `"`) && t.seen.Validator == now.Validator && t.seen.Total >= 0 && t.seen.Total != now.Total {
		return fail(ErrStreaming, nil, "the server gives the ETag %s to %d bytes and to %d", now.Validator, t.seen.Total, now.Total)
	}
	return nil
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
