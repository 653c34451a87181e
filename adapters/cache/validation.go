package cache

import (
	"context"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/uri"
)

// conditional returns p with the conditions that validate e (RFC 9111 section 4.3.1), and
// whether there are any.
func (e *entry) conditional(p *requests.PreparedRequest) (*requests.PreparedRequest, bool) {
	tag, modified := first(e.headers, "ETag"), first(e.headers, "Last-Modified")
	if tag == "" && modified == "" {
		return p, false
	}
	own := p.Clone()
	if tag != "" {
		own.Headers.Set("If-None-Match", tag)
	}
	if modified != "" {
		own.Headers.Set("If-Modified-Since", modified)
	}
	return own, true
}

// agrees reports whether a 304 is about e (section 4.3.4): by its validators or, where it has
// none and the conditions were those of e, without.
func (e *entry) agrees(h requests.Headers, ours bool) bool {
	if tag := first(h, "ETag"); tag != "" {
		return weakly(tag, first(e.headers, "ETag"))
	}
	if modified := first(h, "Last-Modified"); modified != "" {
		return modified == first(e.headers, "Last-Modified")
	}
	return ours
}

// freshened is e with the fields of a response that says it still holds (section 3.2).
func (e *entry) freshened(h requests.Headers, t times) *entry {
	own := *e
	own.times, own.headers = t, e.headers.Clone()
	updates := newEntry(requests.NewResponse(nil, e.status, h, nil), t).headers
	own.headers.Del("Age") // that of the new response counts, if it has one
	seen := map[string]bool{}
	for name, value := range updates.All() {
		switch lower := strings.ToLower(name); {
		case lower == "content-length" || lower == "content-encoding" || lower == "content-range" || lower == "content-type":
		case seen[lower]:
			own.headers.Add(name, value)
		default:
			seen[lower] = true
			own.headers.Set(name, value)
		}
	}
	return &own
}

// headed uses the response to HEAD for what is stored of GET (section 4.3.5).
func (c *cached) headed(ctx context.Context, q *question, old *entry, r *requests.Response, t times) {
	if old == nil || r.StatusCode != 200 || q.asks.noStore {
		return
	}
	if !old.same(r.Headers) {
		c.forget(ctx, q.key)
		return
	}
	c.keepFreshened(ctx, q, old.freshened(r.Headers, t))
}

// keepFreshened stores e, which was stored before, unless what the server has said since forbids it:
// then it goes.
func (c *cached) keepFreshened(ctx context.Context, q *question, e *entry) {
	switch {
	case c.storable(q, requests.NewResponse(nil, e.status, e.headers, nil)):
		c.keep(ctx, q, e)
	case !q.asks.noStore:
		c.forget(ctx, q.key)
	}
}

// same reports whether the fields of a response to HEAD are those of e.
func (e *entry) same(h requests.Headers) bool {
	for _, name := range []string{"ETag", "Last-Modified", "Content-Length"} {
		if now, then := first(h, name), first(e.headers, name); now != "" && now != then {
			return false
		}
	}
	return e.status == 200
}

// weakly compares entity tags (RFC 9110 section 8.8.3.2).
func weakly(a, b string) bool {
	return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/") && b != ""
}

// unmodified reports whether a condition of the caller's is met by e (section 4.3.2).
func (e *entry) unmodified(h requests.Headers) bool {
	if tags := h.Get("If-None-Match"); tags != "" {
		tag := first(e.headers, "ETag")
		for rest := tags; rest != ""; {
			var one string
			one, rest = fieldvalue.CutItem(rest)
			if one = ascii.TrimBlanks(one); one == "*" || weakly(one, tag) {
				return true
			}
		}
		return false
	}
	since, ok := dateOf(h, "If-Modified-Since")
	if !ok {
		return false
	}
	modified, ok := dateOf(e.headers, "Last-Modified")
	if !ok {
		modified = e.date()
	}
	return !modified.After(since)
}

// sameOrigin resolves a reference; ok is false unless it leads to the origin of base.
func sameOrigin(base, reference string) (url string, ok bool) {
	if reference == "" {
		return "", false
	}
	url, err := uri.ResolveRedirect(base, reference, "")
	return url, err == nil && uri.ShareOrigin(base, url)
}
