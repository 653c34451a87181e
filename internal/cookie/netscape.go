package cookie

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/httpdate"
	"github.com/mountable/requests/internal/uri"
)

// The rules of Python's http.cookiejar, as recorded of Requests. Unlike Python,
// nothing set for one domain is deleted by another, and control characters are
// refused.

// netscapeOrigin adds ".local" to hosts without a dot, and takes port 80 where
// the URL names none, for https as well.
func netscapeOrigin(u *uri.URL, host string) origin {
	o := origin{host: host, path: escapePath(u.Path, false), port: u.Port, secure: isSecureScheme(u.Scheme)}
	if strings.IndexByte(o.host, ':') >= 0 {
		o.host, o.port = "["+o.host+"]", 80
	}
	if strings.IndexByte(o.host, '.') < 0 {
		o.host += ".local"
	}
	if o.port < 0 {
		o.port = 80
	}
	if !strings.HasPrefix(o.path, "/") {
		o.path = "/" + o.path
	}
	return o
}

// parseNetscape reads the fields of a response. Deletions are applied before the
// cookies that are set. A Max-Age without a value spoils the whole response.
func parseNetscape(fields []string, now time.Time) []setCookie {
	var received []setCookie
	for _, field := range fields {
		c, verdict := readNetscape(field, now)
		if verdict == dropReply {
			return nil
		}
		if verdict == keepCookie {
			received = append(received, c)
		}
	}
	slices.SortStableFunc(received, func(a, b setCookie) int {
		return endOrder(&b.Cookie, now) - endOrder(&a.Cookie, now)
	})
	return received
}

func endOrder(c *Cookie, now time.Time) int {
	if c.Expired(now) {
		return 1
	}
	return 0
}

// verdict is what becomes of a field.
type verdict int

const (
	keepCookie verdict = iota
	dropCookie
	dropReply
)

func readNetscape(field string, now time.Time) (c setCookie, v verdict) {
	if hasControl(field) || len(field) > maxNetscapeField {
		return c, dropCookie
	}
	pair, attrs, more := strings.Cut(field, ";")
	name, value, hasValue := cutTrimmed(pair)
	if name == "" {
		return c, dropCookie
	}
	c.Name, c.Value, c.NoValue = name, dropEscapedQuotes(value), !hasValue
	p := netscapeAttributes{now: now, seen: map[string]bool{}}
	for more {
		var attr string
		attr, attrs, more = strings.Cut(attrs, ";")
		name, value, hasValue := cutTrimmed(attr)
		if v := p.read(&c, strings.ToLower(name), value, hasValue); v != keepCookie {
			return c, v
		}
	}
	return c, keepCookie
}

// maxNetscapeField bounds a Set-Cookie field where http.cookiejar has no bound.
const maxNetscapeField = 64 << 10

func cutTrimmed(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, "=")
	return trimPython(name), trimPython(value), ok
}

// netscapeAttributes knows which attributes have been read: the first counts,
// but for Max-Age.
type netscapeAttributes struct {
	now    time.Time
	seen   map[string]bool
	maxAge bool
}

func (p *netscapeAttributes) read(c *setCookie, name, value string, hasValue bool) verdict {
	if p.seen[name] {
		return keepCookie
	}
	switch name {
	case "expires":
		return p.readExpires(c, value, hasValue)
	case "max-age":
		return p.readMaxAge(c, value, hasValue)
	case "version":
		version, ok := pythonInt(stripQuotes(value))
		c.slashPath = version == 1
		if !ok || version != 0 && version != 1 {
			return dropCookie
		}
	case "domain":
		c.domain, c.hasDomain = ascii.Lower(value), true
	case "path":
		c.Path = escapePath(value, true)
	case "port":
		c.port, c.hasPort = strings.Join(strings.Fields(value), ""), true
		c.barePort = !hasValue
	case "secure":
		c.Secure = !hasValue || value != ""
	case "httponly":
		c.HTTPOnly = true
	case "samesite":
		c.SameSite = sameSite(value)
	default:
		return keepCookie
	}
	p.seen[name] = true
	if !hasValue && (name == "domain" || name == "path") {
		return dropCookie
	}
	return keepCookie
}

// readExpires takes a date that can be read, unless Max-Age has been seen.
func (p *netscapeAttributes) readExpires(c *setCookie, value string, hasValue bool) verdict {
	if t, ok := httpdate.Netscape(stripQuotes(value), p.now); ok && hasValue && !p.maxAge {
		c.Expires = t
		p.seen["expires"] = true
	}
	return keepCookie
}

func (p *netscapeAttributes) readMaxAge(c *setCookie, value string, hasValue bool) verdict {
	seconds, ok := pythonInt(value)
	if !hasValue {
		return dropReply
	}
	if !ok {
		return dropCookie
	}
	c.Expires = httpdate.Unix(p.now.Unix() + seconds)
	p.maxAge = true
	return keepCookie
}

// pythonInt reads what Python's int does: digits, single underscores between
// them and a sign. What does not fit into 40 bits is cut down to them.
func pythonInt(s string) (int64, bool) {
	const bound = 1 << 40
	s = trimPython(s)
	digits, negative := strings.CutPrefix(s, "-")
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	n := int64(0)
	for part := range strings.SplitSeq(digits, "_") {
		if part == "" || !ascii.IsDigits(part) {
			return 0, false
		}
		for i := range len(part) {
			n = min(n*10+int64(part[i]-'0'), bound)
		}
	}
	if negative {
		n = -n
	}
	return n, true
}

// admitNetscape fills in what the field left open and decides whether the host
// may set the cookie.
func admitNetscape(o *origin, c *setCookie) (Stored, bool) {
	s := Stored{Cookie: c.Cookie, trusted: o.secure}
	s.Domain, s.HostOnly = o.host, !c.hasDomain
	if c.hasDomain {
		s.Domain = "." + strings.TrimPrefix(c.domain, ".")
		if !mayNameDomain(o.host, s.Domain) {
			return s, false
		}
	}
	if s.Path == "" {
		s.Path = netscapePath(o.path, c.slashPath)
	}
	switch {
	case c.barePort && o.host[0] == '[': // where Python finds no port
	case c.barePort:
		s.port = strconv.Itoa(o.port)
	case c.hasPort:
		s.port = c.port
		return s, isPortList(s.port) && s.reachesPort(o.port)
	}
	return s, true
}

// mayNameDomain: the domain must have a dot inside, unless the host is local, and
// must be the end of the host.
func mayNameDomain(host, domain string) bool {
	local := strings.HasSuffix(host, ".local")
	if !local && !strings.Contains(domain[1:], ".") {
		return false
	}
	return strings.HasSuffix("."+host, domain) || strings.HasSuffix(host, domain[1:]+".local")
}

// netscapePath is the directory of the request path.
func netscapePath(path string, slash bool) string {
	i := strings.LastIndexByte(path, '/')
	if slash {
		i++
	}
	if i <= 0 {
		return "/"
	}
	return path[:i]
}

func isPortList(ports string) bool {
	for port := range strings.SplitSeq(ports, ",") {
		if _, ok := pythonInt(port); !ok {
			return false
		}
	}
	return true
}

// reachesPort reports whether the cookie is for port: for all, or on its list.
func (c *Stored) reachesPort(port int) bool {
	if c.port == "" {
		return true
	}
	return slices.Contains(strings.Split(c.port, ","), strconv.Itoa(port))
}

// dropEscapedQuotes is what Requests does to a value in quotes.
func dropEscapedQuotes(value string) string {
	if strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`) {
		return strings.ReplaceAll(value, `\"`, "")
	}
	return value
}

func stripQuotes(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(s, `"`), `"`)
}

// trimPython trims what Python takes for white space in ISO-8859-1 text.
func trimPython(s string) string {
	for s != "" && ascii.IsSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && ascii.IsSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// escapePath percent-encodes a path and writes escapes in upper case. Text
// of a header is ISO-8859-1 to Python, and goes into the path as UTF-8.
func escapePath(path string, latin1 bool) string {
	if isPlainPath(path) {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '%' && i+2 < len(path) && ascii.IsHex(path[i+1]) && ascii.IsHex(path[i+2]):
			b.WriteString(strings.ToUpper(path[i : i+3]))
			i += 2
		case isPathByte(c):
			b.WriteByte(c)
		case c >= 0x80 && latin1:
			writeEscape(&b, 0xc0|c>>6)
			writeEscape(&b, 0x80|c&0x3f)
		default:
			writeEscape(&b, c)
		}
	}
	return b.String()
}

func writeEscape(b *strings.Builder, c byte) {
	const hex = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(hex[c>>4])
	b.WriteByte(hex[c&15])
}

func isPlainPath(path string) bool {
	for i := range len(path) {
		if path[i] == '%' || !isPathByte(path[i]) {
			return false
		}
	}
	return true
}

func isPathByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_.-~%/;:@&=+$,!*'()", c) >= 0
}
