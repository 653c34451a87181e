package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

// question is a request as the cache sees it.
type question struct {
	p    *requests.PreparedRequest
	opts requests.SendOptions
	asks directives

	bypass     bool // nothing stored can answer it, and its response is not stored
	ranged     bool // it asks for a part
	conditions bool // it has conditions of the caller's

	key      string // of its URL
	identity string // whose it is; "" for anybody's
	landed   uint64 // the flights of the cache that had ended when the store was asked
	index    *index // of the variants of its URL, as the store had it; nil if there are none
}

func (c *cached) question(p *requests.PreparedRequest, opts requests.SendOptions) *question {
	h := p.Headers
	q := &question{p: p, opts: opts, key: c.keyOf(p, p.Target()), landed: c.landed.Load()}
	q.bypass = p.Method != "GET" && p.Method != "HEAD" || p.ContentLength() != 0 || h.Has("If-Match") || h.Has("If-Unmodified-Since") || h.Has("Upgrade")
	if q.bypass {
		return q
	}
	q.ranged = h.Has("Range")
	q.conditions = h.Has("If-None-Match") || h.Has("If-Modified-Since") || h.Has("If-Range")
	q.asks = parseDirectives(h)
	if !h.Has("Cache-Control") && strings.EqualFold(first(h, "Pragma"), "no-cache") {
		q.asks.noCache = true // section 5.4
	}
	q.identity, q.bypass = c.identityOf(p, opts)
	return q
}

// identityOf tells users of one store apart: by Authorization, unless the cache is shared, and
// by what a response was trusted for or given to. A client certificate that has no file
// cannot be told from others, so that nothing is stored.
func (c *cached) identityOf(p *requests.PreparedRequest, opts requests.SendOptions) (id string, unknown bool) {
	if !c.shared && p.Headers.Has("Authorization") {
		id = "auth " + p.Headers.Get("Authorization")
	}
	if strings.HasPrefix(p.URL, "https:") && !opts.Verify.Enabled() {
		id += "\nunverified"
	}
	if opts.Cert != (requests.Certificate{}) && opts.Cert != requests.NoCert {
		cert, key := opts.Cert.Files()
		id += fmt.Sprintf("\ncert %q %q", cert, key)
		unknown = cert == ""
	}
	return id, unknown
}

// keyOf is the key of a target on the server that p is for.
func (c *cached) keyOf(p *requests.PreparedRequest, target string) string {
	return digest(c.namespace, originOf(p.URL), first(p.Headers, "Host"), target)
}

// originOf is what stands before the path of a URL.
func originOf(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return url[:min(len(url), len(scheme)+len("://")+len(rest))]
}

// digest makes a key of parts, which it does not show.
func digest(parts ...string) string {
	var buffer [512]byte
	text := buffer[:0]
	for _, part := range parts {
		text = strconv.AppendInt(text, int64(len(part)), 10)
		text = append(append(text, ':'), part...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// variant is the key of the response that was chosen by these fields (section 4.1).
func (q *question) variant(x *index) string {
	parts := []string{q.key, x.generation, q.identity}
	for _, name := range x.names {
		value := "absent"
		if values := q.p.Headers.Values(name); values != nil {
			value = "=" + normal(values)
		}
		parts = append(parts, name, value)
	}
	return digest(parts...)
}

// normal joins the lines of a field, without the blanks that mean nothing between elements.
func normal(values []string) string {
	var elements []string
	for _, v := range values {
		for v != "" {
			var one string
			one, v = cutList(v)
			elements = append(elements, strings.TrimSpace(one))
		}
	}
	return strings.Join(elements, ",")
}

// safe reports whether a method changes nothing (RFC 9110 section 9.2.1, RFC 10008).
func safe(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "REPORT", "SEARCH":
		return true
	}
	return false
}
