package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/uri"
)

// question is a request as the cache sees it.
type question struct {
	p    *requests.PreparedRequest
	opts requests.SendOptions
	asks directives

	bypass     bool // nothing stored can answer it, and its response is not stored
	ranged     bool // it asks for a part
	conditions bool // it has conditions of the caller's

	key    string // of its URL
	who    string // the credentials it carries; "" for nobody's
	signed bool   // an adapter below has sent it with other ones, which cannot be looked up
	trust  string // what the server was trusted for, and given to; "" for the usual
	landed uint64 // the flights of the cache that had ended when the store was asked
	index  *index // of the variants of its URL, as the store had it; nil if there are none
}

func (c *cached) question(p *requests.PreparedRequest, opts requests.SendOptions) *question {
	h := p.Headers
	q := &question{p: p, opts: opts, landed: c.landed.Load()}
	key, ok := c.keyOf(p.URL, first(h, "Host"), p.Target())
	q.key = key
	q.bypass = !ok || p.Method != "GET" && p.Method != "HEAD" || p.ContentLength() != 0 || h.Has("If-Match") || h.Has("If-Unmodified-Since") || h.Has("Upgrade")
	if q.bypass {
		return q
	}
	q.ranged = h.Has("Range")
	q.conditions = h.Has("If-None-Match") || h.Has("If-Modified-Since") || h.Has("If-Range")
	q.asks = parseDirectives(h)
	if !h.Has("Cache-Control") && strings.EqualFold(first(h, "Pragma"), "no-cache") {
		q.asks.noCache = true // section 5.4
	}
	q.who = whoAsks(h)
	q.trust, q.bypass = trustOf(p, opts)
	return q
}

// whoAsks are the fields that tell one user from another: Authorization, Cookie, and whatever else
// has the name of a secret, such as X-Api-Key.
func whoAsks(h requests.Headers) string {
	var who []byte
	for _, field := range h {
		if ordinary[field[0]] || !secret.Is(field[0]) {
			continue
		}
		who = append(append(who, ascii.Lower(field[0])...), ':')
		who = append(append(who, field[1]...), '\n')
	}
	return string(who)
}

// ordinary are fields that most requests have, and whose names need not be looked at.
var ordinary = map[string]bool{"User-Agent": true, "Accept": true, "Accept-Encoding": true, "Accept-Language": true, "Connection": true, "Host": true}

// usual is how the authorities of the system, or of the environment, are called.
var usual = requests.Verify(true).String()

// trustOf tells apart what a server was trusted for, and given to. A client certificate that has no
// file cannot be told from others, so that nothing is stored.
func trustOf(p *requests.PreparedRequest, opts requests.SendOptions) (trust string, unknown bool) {
	if verify := opts.Verify.String(); verify != usual && strings.HasPrefix(p.URL, "https:") {
		trust = "\nverify " + verify
	}
	if opts.Cert != (requests.Certificate{}) && opts.Cert != requests.NoCert {
		cert, key := opts.Cert.Files()
		trust += fmt.Sprintf("\ncert %q %q", cert, key)
		unknown = cert == ""
	}
	return trust, unknown
}

// keyOf is the key of a target on the server that a URL leads to, however the URL is spelled. ok is
// false if it leads to none.
func (c *cached) keyOf(url, host, target string) (key string, ok bool) {
	origin := uri.OriginOf(url)
	return digest(c.namespace, origin, ascii.Lower(host), target), origin != ""
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

// variant is the key of the response to who asks that was chosen by these fields (section 4.1).
func (q *question) variant(x *index, who string) string {
	parts := []string{q.key, x.generation, q.trust, who}
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
			one, v = fieldvalue.CutItem(v)
			elements = append(elements, ascii.TrimBlanks(one))
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
