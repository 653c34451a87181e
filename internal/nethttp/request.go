// Package nethttp is what the contract of net/http asks of a request on its way over a
// RoundTripper and of the response to it, apart from what this module's own types say.
package nethttp

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/uri"
)

// Header returns the fields as net/http has them. The first values of all names share one
// array: most names have no other.
func Header(h [][2]string) http.Header {
	header := make(http.Header, len(h))
	values := make([]string, len(h))
	for i, f := range h {
		name := http.CanonicalHeaderKey(f[0])
		values[i] = strings.Trim(f[1], " \t")
		if earlier, found := header[name]; found {
			header[name] = append(earlier, values[i])
			continue
		}
		header[name] = values[i : i+1 : i+1]
	}
	return header
}

// Target returns what stands in the request line. It is a part of text, the URL as [Text] writes
// it, where it stands there as it is: nearly always.
func Target(req *http.Request, text string) string {
	u := req.URL
	if req.Method == http.MethodConnect && u.Path == "" {
		return cmp.Or(u.Opaque, req.Host, u.Host)
	}
	head, ok := text, u.Opaque == "" && u.Path != "" && !u.ForceQuery
	if u.RawQuery != "" {
		var found bool
		head, found = strings.CutSuffix(text, u.RawQuery)
		ok = ok && found && strings.HasSuffix(head, "?")
		head = strings.TrimSuffix(head, "?")
	}
	if path := u.EscapedPath(); ok && strings.HasSuffix(head, path) {
		return text[len(head)-len(path):]
	}
	return u.RequestURI()
}

// Absolute returns the target of a request for u in the form in which a proxy is asked for
// it, and whether that is u's origin: an opaque URL may name another one.
func (g *Given) Absolute(method string, u *uri.URL) (string, bool) {
	origin, target, host := u.Scheme+"://", g.Target, u.Netloc()
	if strings.EqualFold(host, g.Host) {
		host = g.Host
	}
	switch {
	case strings.HasPrefix(target, "/"):
		return origin + host + target, true
	case target == "*":
		return origin + host, true // RFC 9112 section 3.2.4; "*" is of the proxy itself
	case method == http.MethodConnect:
		return target, uri.ShareOrigin(origin+target, origin+u.Netloc())
	}
	return target, uri.ShareOrigin(target, origin+u.Netloc())
}

// First returns the request that the redirects which led to req began with.
func First(req *http.Request) *http.Request {
	for req.Response != nil && req.Response.Request != nil {
		req = req.Response.Request
	}
	return req
}

// Text writes a URL as text. [url.URL.String] would write the bytes of a host that is
// not ASCII as escapes, which are refused, and those of a query as they are, which need
// not be text.
func Text(u *url.URL) string {
	if ascii.Only(u.Host) && ascii.Only(u.RawQuery) {
		return u.String()
	}
	c := *u
	c.RawQuery = escapeBytes(u.RawQuery)
	if parsed, err := uri.Parse("http://" + u.Host); err == nil {
		c.Host = parsed.Netloc()
	}
	return c.String()
}

// escapeBytes percent-encodes what is not ASCII.
func escapeBytes(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] < 0x80 {
			out = append(out, s[i])
			continue
		}
		out = fmt.Appendf(out, "%%%02X", s[i])
	}
	return string(out)
}

// framingFields are said by the http.Request's own fields, and skipped in its Header, however they are spelled there: a
// second Host, or a length beside the coding, would be read by one server and not by the next.
var framingFields = []string{"host", "content-length", "transfer-encoding", "trailer"}

func isFraming(name string) bool {
	return slices.ContainsFunc(framingFields, func(field string) bool { return ascii.EqualFold(name, field) })
}

// Fields appends a request's header in an order: net/http's own, the names sorted.
func Fields(headers [][2]string, req *http.Request) [][2]string {
	if host := hostField(req); host != "" {
		headers = append(headers, [2]string{"Host", host})
	}
	if req.Close {
		headers = append(headers, [2]string{"Connection", "close"})
	}
	var values [16]string
	for _, name := range sortedNames(values[:0], req.Header) {
		if isFraming(name) {
			continue
		}
		if name == "User-Agent" && len(req.Header[name]) == 0 {
			headers = append(headers, [2]string{name, ""}) // suppresses the session's
		}
		for i, value := range req.Header[name] {
			if name == "User-Agent" && i > 0 {
				break // net/http sends one
			}
			headers = append(headers, [2]string{name, strings.Trim(value, " \t")})
		}
	}
	if len(req.Trailer) > 0 {
		headers = append(headers, [2]string{"Trailer", strings.Join(sortedNames(nil, req.Trailer), ", ")})
	}
	return headers
}

// hostField is the Host of a request, "" where its URL, normalized, gives the same.
func hostField(req *http.Request) string {
	host := cmp.Or(req.Host, req.URL.Host)
	if host == req.URL.Host && !strings.ContainsFunc(host, isUpper) {
		return ""
	}
	return HostAsGiven(host)
}

// HostAsGiven is a host as net/http writes it: as it is, for programs may have signed it, but
// for a name in ASCII and without the zone of an address.
func HostAsGiven(host string) string {
	if !ascii.Only(host) {
		if parsed, err := uri.Parse("http://" + host); err == nil {
			return parsed.Netloc()
		}
	}
	if before, zone, found := strings.Cut(host, "%"); found && strings.HasPrefix(host, "[") {
		if end := strings.IndexByte(zone, ']'); end >= 0 {
			return before + zone[end:]
		}
	}
	return host
}

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }

// PlainURL is the URL that decides where a request goes: the path of one that is opaque,
// or asks for everything ("*"), counts for nothing.
func PlainURL(u *url.URL) *url.URL {
	if u.Opaque == "" && u.Path != "*" {
		return u
	}
	plain := *u
	plain.Opaque, plain.Path, plain.RawPath = "", "/", ""
	return &plain
}

// MayAskForCoding reports whether a coded body may be asked for on behalf of req's caller.
func MayAskForCoding(req *http.Request) bool {
	return req.Method != http.MethodHead && req.Header.Get("Range") == ""
}

// Trailers returns the fields that follow the body, nil if none are announced. They are
// filled in while the body is read.
func Trailers[Fields ~[][2]string](req *http.Request) func() Fields {
	if len(req.Trailer) == 0 {
		return nil
	}
	return func() (fields Fields) {
		for _, name := range sortedNames(nil, req.Trailer) {
			for _, value := range req.Trailer[name] {
				fields = append(fields, [2]string{name, value})
			}
		}
		return fields
	}
}

// sortedNames appends the names of h.
func sortedNames(names []string, h http.Header) []string {
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Given is what an http.Request asks to be sent, where Requests would normalize it.
type Given struct {
	Target string // of the request line
	Host   string // of the URL, with its upper case
	Away   bool   // a redirect has led to where unbound cookies do not go
}

// AddParams appends a session's params to the target.
func (g *Given) AddParams(params [][2]string) {
	if len(params) == 0 || g.Target == "*" {
		return
	}
	join := "?"
	if strings.Contains(g.Target, "?") {
		join = "&"
	}
	g.Target += join + uri.EncodePairs(params)
}
