package cache

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/wire"
)

// storable decides whether a response to GET may be stored (RFC 9111 section 3).
func (c *cached) storable(q *question, r *requests.Response) bool {
	says := parseDirectives(r.Headers)
	switch {
	case r.StatusCode < 200 || r.StatusCode == 206 || r.StatusCode == 304:
		return false
	case r.StatusCode == 416: // it is about the Range, and not about what is there
		return false
	case q.asks.noStore, varies(r.Headers, "*"):
		return false
	case says.mustUnderstand && !understood(r.StatusCode):
		return false
	case says.noStore && !says.mustUnderstand:
		return false
	case c.shared && says.private:
		return false
	case (q.signed || c.shared && q.who != "") && !c.opens(says):
		return false
	}
	return says.public || says.private || says.maxAge != absent || c.shared && says.sMaxAge != absent ||
		r.Headers.Has("Expires") || heuristic(r.StatusCode)
}

// understood reports whether this package knows what a status asks of a cache.
func understood(status int) bool {
	return status == 200 || heuristic(status) || status >= 302 && status <= 307 || status >= 400 && status <= 417 ||
		status == 421 || status == 422 || status == 426 || status >= 500 && status <= 505
}

// times are when a request was sent and when the head of its response came.
type times struct{ asked, received time.Time }

// take stores the response to q, or lets the one that is stored go. The entry that it returns
// is complete; one of a body that the caller streams is stored when that has ended.
func (c *cached) take(ctx context.Context, q *question, old *entry, r *requests.Response, t times) *entry {
	if !c.storable(q, r) || wire.StreamOf(r.Raw).Remaining() > c.maxEntry {
		if old != nil && r.StatusCode < 500 {
			c.forget(ctx, q.key)
		}
		return nil
	}
	e := newEntry(r, t)
	if q.opts.Stream == requests.On {
		record := &recorder{limit: c.maxEntry, whole: func(body []byte) {
			if e.body = body; e.fits(body) {
				c.keep(ctx, q, e)
			}
		}}
		record.source = wire.Tap(r.Raw, record.see)
		r.Raw = record.source
		return nil
	}
	if !e.read(r, c.maxEntry) {
		return nil
	}
	c.keep(ctx, q, e)
	return e
}

// newEntry is the head of a response as it is stored (section 3.1).
func newEntry(r *requests.Response, t times) *entry {
	e := &entry{times: t, status: r.StatusCode, reason: r.Reason, proto: r.Proto, headers: storedFields(r.Headers)}
	if !e.headers.Has("Date") {
		e.headers.Add("Date", t.received.UTC().Format(http.TimeFormat))
	}
	return e
}

// storedFields leaves out what holds for one connection.
func storedFields(h requests.Headers) requests.Headers {
	drop := maps.Clone(ofConnection)
	for _, name := range fieldvalue.Names(h.Values("Connection")) {
		drop[name] = true
	}
	return slices.DeleteFunc(h.Clone(), func(f [2]string) bool { return drop[ascii.Lower(f[0])] })
}

// ofConnection are the fields that are never stored.
var ofConnection = map[string]bool{
	"connection": true, "keep-alive": true, "proxy-connection": true, "te": true, "transfer-encoding": true, "upgrade": true, "trailer": true,
	"proxy-authenticate": true, "proxy-authentication-info": true, "proxy-authorization": true,
}

func varies(h requests.Headers, name string) bool {
	return slices.Contains(fieldvalue.Names(h.Values("Vary")), name)
}

// read takes the body into memory and gives r what it has read, with what is behind it where
// that is too long or fails. It reports whether e is complete.
func (e *entry) read(r *requests.Response, limit int64) bool {
	if r.Raw == nil {
		return true
	}
	raw := wire.StreamOf(r.Raw)
	content, err := io.ReadAll(io.LimitReader(raw, limit+1))
	if err == nil && int64(len(content)) > limit {
		r.Raw = wire.Resume(content, raw)
		return false
	}
	e.body = content
	complete := err == nil && raw.Verifiable()
	r.Raw = &wire.Held{Content: content, Cut: err, Fields: raw.Trailers()}
	_ = raw.Close()
	return complete && e.fits(content)
}

// fits reports whether the body has the length that was announced.
func (e *entry) fits(body []byte) bool {
	announced := first(e.headers, "Content-Length")
	return announced == "" || announced == strconv.Itoa(len(body))
}
