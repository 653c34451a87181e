package cache

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// answer is the response to q by what is stored: all of it, the part that was asked for, or
// 304. It is nil where the server has to be asked about the part.
func (q *question) answer(e *entry, s Status) *requests.Response {
	if e.status == 200 && q.conditions && e.unmodified(q.p.Headers) {
		return marked(q.response(e, 304, shortened(e.headers), nil), s)
	}
	if e.status != 200 || !q.ranged || q.p.Method == "HEAD" || !e.rangeHolds(q.p.Headers) {
		return marked(q.response(e, e.status, reused(e.headers), e.body), s)
	}
	part, ok := parseRange(first(q.p.Headers, "Range"), int64(len(e.body)))
	if !ok {
		return nil
	}
	headers := reused(e.headers)
	size := strconv.Itoa(len(e.body))
	if part.empty() {
		headers = requests.Headers{{"Date", first(e.headers, "Date")}, {"Content-Range", "bytes */" + size}, {"Content-Length", "0"}}
		return marked(q.response(e, 416, headers, nil), s)
	}
	headers.Set("Content-Length", strconv.FormatInt(part.end-part.start, 10))
	headers.Set("Content-Range", "bytes "+strconv.FormatInt(part.start, 10)+"-"+strconv.FormatInt(part.end-1, 10)+"/"+size)
	return marked(q.response(e, 206, headers, e.body[part.start:part.end]), s)
}

// response makes a response of stored parts. Its headers become its own.
func (q *question) response(e *entry, status int, headers requests.Headers, body []byte) *requests.Response {
	seconds := int64(e.age(time.Now()) / time.Second)
	headers = append(headers, [2]string{"Age", strconv.FormatInt(seconds, 10)})
	if q.p.Method == "HEAD" {
		body = nil
	}
	r := requests.NewResponse(q.p, status, headers, &wire.Held{Content: body})
	r.Proto = e.proto
	if status == e.status {
		r.Reason = e.reason
	} else {
		r.Reason = http.StatusText(status)
	}
	return r
}

// revalidated is the response where the server has said, with r, that e still holds.
func (q *question) revalidated(e *entry, r *requests.Response) *requests.Response {
	again := q.response(e, e.status, reused(e.headers), e.body)
	again.Proto, again.TLS, again.Attempts = r.Proto, r.TLS, r.Attempts
	for _, value := range r.Headers.Values("Set-Cookie") {
		again.Headers.Add("Set-Cookie", value)
	}
	return marked(again, Revalidated)
}

// reused are the fields that are repeated, in a list of their own.
func reused(h requests.Headers) requests.Headers {
	own := make(requests.Headers, 0, len(h)+2)
	for _, field := range h {
		if !strings.EqualFold(field[0], "Set-Cookie") && !strings.EqualFold(field[0], "Age") {
			own = append(own, field)
		}
	}
	return own
}

// shortened are the fields of a 304 (RFC 9110 section 15.4.5).
func shortened(h requests.Headers) requests.Headers {
	var own requests.Headers
	for name, value := range h.All() {
		switch strings.ToLower(name) {
		case "cache-control", "content-location", "date", "etag", "expires", "vary", "last-modified":
			own.Add(name, value)
		}
	}
	return own
}

// rangeHolds reports whether a Range is about e (RFC 9110 section 13.1.5). If-Range compares
// strongly.
func (e *entry) rangeHolds(h requests.Headers) bool {
	want := first(h, "If-Range")
	switch {
	case want == "":
		return true
	case strings.HasPrefix(want, `"`):
		return want == first(e.headers, "ETag")
	case strings.HasPrefix(want, "W/"):
		return false
	}
	return want == first(e.headers, "Last-Modified")
}

// part is a range of bytes, from start to before end.
type part struct{ start, end int64 }

func (p part) empty() bool { return p.start >= p.end }

// parseRange reads a Range of one part. What is not one, or is malformed, is the server's.
func parseRange(value string, size int64) (part, bool) {
	unit, spec, _ := strings.Cut(value, "=")
	from, to, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !strings.EqualFold(unit, "bytes") || !dash {
		return part{}, false
	}
	start, errFrom := strconv.ParseUint(from, 10, 62)
	last, errTo := strconv.ParseUint(to, 10, 62)
	switch {
	case from == "" && errTo == nil: // the last bytes
		return part{max(0, size-int64(last)), size}, true
	case to == "" && errFrom == nil:
		return part{int64(start), size}, true
	case errFrom != nil || errTo != nil || last < start:
		return part{}, false
	}
	return part{int64(start), min(size, int64(last)+1)}, true
}
