package cookie

import (
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/uri"
)

// Rules are the rules by which a jar takes cookies and gives them back: those of
// RFC 6265bis, or, in netscape.go, those of Python's http.cookiejar.
type Rules struct {
	Netscape  bool // http.cookiejar's
	AnySuffix bool // hosts may set cookies for public suffixes
}

// origin is what of a URL matters for cookies. The host is the one that is
// connected to, never that of a Host header, and an IPv6 zone
// is not part of it.
type origin struct {
	host   string
	path   string
	port   int // 0 where ports do not matter
	secure bool
	ip     bool
}

// origin returns the origin of a URL, not ok if it has no cookies. Hosts of other
// schemes than http and https can be any text: one that is not a host, or none, would be
// another one where the jar is read from a file.
func (r Rules) origin(u *uri.URL) (o origin, ok bool) {
	host := ascii.Lower(u.Hostname())
	if u.Scheme != "http" && u.Scheme != "https" {
		host, _ = normalDomain(host)
	}
	if host == "" || host[0] == '.' || hasControl(host) || strings.ContainsAny(host, " \t") {
		return o, false
	}
	if r.Netscape {
		return netscapeOrigin(u, host), true
	}
	o = origin{host: host, path: u.Path}
	if o.path == "" {
		o.path = "/"
	}
	addr, isIP := addressOf(o.host)
	o.ip = isIP
	o.secure = isSecureScheme(u.Scheme) || isIP && addr.IsLoopback() || isBelow(o.host, "localhost")
	return o, strings.HasPrefix(u.Scheme, "http") || u.Scheme == "ws" || u.Scheme == "wss"
}

func isSecureScheme(scheme string) bool {
	return strings.HasPrefix(scheme, "https") || scheme == "wss"
}

// addressOf reads a host that is an address. Names are told apart at a glance.
func addressOf(host string) (netip.Addr, bool) {
	if host == "" {
		return netip.Addr{}, false
	}
	if last := host[len(host)-1]; strings.IndexByte(host, ':') < 0 && (last < '0' || last > '9') {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

// parse yields what Set-Cookie fields say, in the order in which it is to be applied.
func (r Rules) parse(fields []string, now time.Time) iter.Seq[setCookie] {
	return func(yield func(setCookie) bool) {
		if r.Netscape {
			slices.Values(parseNetscape(fields, now))(yield)
			return
		}
		for _, field := range fields {
			if c, ok := parseSetCookie(field, now); ok && !yield(c) {
				return
			}
		}
	}
}

// admit decides whether a server may set a cookie (RFC 6265bis section 5.7).
//
// One step is wider than the draft: a Secure cookie may come over plain http, as
// RFC 6265 and every server written for it have it; but it must not take the
// place of one that came over https.
func (r Rules) admit(o *origin, c *setCookie) (Stored, bool) {
	if r.Netscape {
		return admitNetscape(o, c)
	}
	domain, ok := r.domain(o, c.domain)
	if !ok || !c.prefixAllowed(o, domain) {
		return Stored{}, false
	}
	s := Stored{Cookie: c.Cookie, trusted: o.secure}
	s.Domain, s.HostOnly = domain, domain == o.host
	if s.Path == "" {
		s.Path = defaultPath(o.path)
	}
	return s, true
}

// domain returns the Domain of a cookie that the host of o sets with the given
// attribute, not ok if it may not.
func (r Rules) domain(o *origin, attr string) (string, bool) {
	if attr == "" || o.ip && attr == o.host {
		return o.host, true
	}
	domain := canonicalName(strings.TrimPrefix(attr, "."))
	switch {
	case domain == "" || o.ip || !isBelow(o.host, domain):
		return "", false
	case !r.AnySuffix && isPublicSuffix(domain):
		return o.host, domain == o.host
	}
	return "." + domain, true
}

// isPublicSuffix reports whether cookies for domain would reach hosts of other
// owners. Letter case is out of the way by now, a trailing dot is here.
func isPublicSuffix(domain string) bool {
	domain = strings.TrimSuffix(domain, ".")
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// canonicalName returns a Domain attribute as hosts are written: encoded by IDNA
// where it is not ASCII. Bytes that are no UTF-8 are taken for ISO-8859-1.
func canonicalName(domain string) string {
	if ascii.Only(domain) {
		return domain
	}
	if !utf8.ValidString(domain) {
		runes := make([]rune, len(domain))
		for i := range len(domain) {
			runes[i] = rune(domain[i])
		}
		domain = string(runes)
	}
	if name, ok := normalDomain(domain); ok {
		return name
	}
	return ""
}

// prefixAllowed holds cookies to what their name promises (RFC 6265bis section
// 4.1.3), letter case aside, and blanks that servers take off. Sent back, a value without a
// name can be taken for one.
func (c *setCookie) prefixAllowed(o *origin, domain string) bool {
	name := c.readAs()
	secure, host := ascii.HasPrefixFold(name, "__secure-"), ascii.HasPrefixFold(name, "__host-")
	switch {
	case c.Name == "":
		return !secure && !host
	case secure:
		return c.Secure && o.secure
	case host:
		return c.Secure && o.secure && domain == o.host && c.Path == "/"
	}
	return true
}

// defaultPath is the directory of a path (RFC 6265bis section 5.1.4).
func defaultPath(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 && path[0] == '/' {
		return path[:i]
	}
	return "/"
}

// reaches reports whether a cookie found under a domain above the origin's host,
// or its own, is sent there. Paths are looked at later.
func (r Rules) reaches(c *Stored, o *origin) bool {
	if c.Secure && !o.secure {
		return false
	}
	if r.Netscape {
		return c.reachesPort(o.port)
	}
	return c.Domain == "" || c.Domain == o.host || !c.HostOnly && (!o.ip || c.Domain[1:] == o.host)
}
