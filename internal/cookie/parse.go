package cookie

import (
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/httpdate"
)

// setCookie is a Set-Cookie field. Of its Cookie, Path is empty where the field
// has none that counts, and a deletion has Expires in the past.
type setCookie struct {
	Cookie
	domain string // the Domain attribute in lower case
	port   string // Netscape: the Port attribute

	hasDomain bool // Netscape: the attribute is there, empty or not
	hasPort   bool // Netscape: the attribute is there
	barePort  bool // Netscape: it has no value, and means the port of the request
	slashPath bool // Netscape: the default path keeps its slash
}

// Bounds of RFC 6265bis: name and value of a cookie, the value of an attribute,
// and how long a cookie lives (sections 5.5 and 5.6).
const (
	maxSize          = 4096
	maxAttributeSize = 1024
	maxAge           = 400 * 24 * time.Hour
)

// parseSetCookie reads a Set-Cookie field by RFC 6265bis section 5.6. What has no "="
// is the value of a cookie without a name.
func parseSetCookie(field string, now time.Time) (c setCookie, ok bool) {
	if hasControl(field) {
		return c, false
	}
	pair, attrs, more := strings.Cut(field, ";")
	name, value, hasName := strings.Cut(pair, "=")
	if !hasName {
		name, value = "", name
	}
	c.Name, c.Value = ascii.TrimBlanks(name), ascii.TrimBlanks(value)
	if size := len(c.Name) + len(c.Value); size == 0 || size > maxSize {
		return c, false
	}
	var p attributes
	for more {
		var attr string
		attr, attrs, more = strings.Cut(attrs, ";")
		name, value, _ := strings.Cut(attr, "=")
		if value = ascii.TrimBlanks(value); len(value) <= maxAttributeSize {
			p.read(&c, ascii.TrimBlanks(name), value, now)
		}
	}
	c.Expires = p.end(now)
	return c, true
}

// attributes are the two that say when a cookie ends.
type attributes struct {
	expires, maxAge time.Time
}

// read takes one attribute; a later one counts where it comes twice. Those that
// make no sense are as if they were not there.
func (p *attributes) read(c *setCookie, name, value string, now time.Time) {
	switch {
	case ascii.EqualFold(name, "expires"):
		if t, ok := httpdate.Cookie(value); ok {
			p.expires = t
		}
	case ascii.EqualFold(name, "max-age"):
		if t, ok := parseMaxAge(value, now); ok {
			p.maxAge = t
		}
	case ascii.EqualFold(name, "domain"):
		if value != "" {
			c.domain = ascii.Lower(value)
		}
	case ascii.EqualFold(name, "path"):
		c.Path = ""
		if strings.HasPrefix(value, "/") {
			c.Path = value
		}
	case ascii.EqualFold(name, "secure"):
		c.Secure = true
	case ascii.EqualFold(name, "httponly"):
		c.HTTPOnly = true
	case ascii.EqualFold(name, "samesite"):
		c.SameSite = sameSite(value)
	}
}

// end is when the cookie expires: Max-Age counts more than Expires.
func (p *attributes) end(now time.Time) time.Time {
	end := p.maxAge
	if end.IsZero() {
		end = p.expires
	}
	if latest := now.Unix() + int64(maxAge/time.Second); end.Unix() > latest {
		return time.Unix(latest, 0).UTC()
	}
	return end
}

// parseMaxAge reads digits after an optional minus. What is not above zero means
// long ago.
func parseMaxAge(value string, now time.Time) (time.Time, bool) {
	digits, negative := strings.CutPrefix(value, "-")
	if digits == "" && negative || value == "" || !ascii.IsDigits(digits) {
		return time.Time{}, false
	}
	seconds := int64(0)
	for i := range len(digits) {
		seconds = min(seconds*10+int64(digits[i]-'0'), int64(maxAge/time.Second)+1)
	}
	if negative || seconds == 0 {
		return time.Unix(0, 0).UTC(), true
	}
	return time.Unix(now.Unix()+seconds, 0).UTC(), true
}

// sameSite returns the value in its usual spelling, "" for one that is unknown.
func sameSite(value string) string {
	for _, known := range []string{"Strict", "Lax", "None"} {
		if strings.EqualFold(value, known) {
			return known
		}
	}
	return ""
}
