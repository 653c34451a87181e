// Package cookie keeps the cookies that servers set and says which of them a request
// takes along, by the rules of RFC 6265bis or by those of Python's http.cookiejar.
package cookie

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/uri"
)

// Cookie is the public Cookie of package requests, which documents the fields.
type Cookie struct {
	Name     string    `json:"name"`
	Value    string    `json:"value"`
	NoValue  bool      `json:"no_value,omitempty"`
	Domain   string    `json:"domain"`
	Path     string    `json:"path"`
	Expires  time.Time `json:"expires,omitzero"`
	Secure   bool      `json:"secure,omitempty"`
	HTTPOnly bool      `json:"http_only,omitempty"`
	HostOnly bool      `json:"host_only,omitempty"`
	SameSite string    `json:"same_site,omitempty"`
}

// Expired reports whether the cookie has ended by now.
func (c *Cookie) Expired(now time.Time) bool {
	return !c.Expires.IsZero() && !c.Expires.After(now)
}

// Check returns c, which a caller put in by hand, as a jar keeps it: the domain in its
// normalised form, with a path that is encoded as in a URL. A name, value, domain or
// path that would break out of a header or a cookie file is refused, as is a missing name:
// servers can set such a cookie, but nobody could tell its text from a name.
func (c Cookie) Check() (Cookie, error) {
	if c.Name == "" {
		return c, errors.New("a cookie has no name")
	}
	c, err := c.checkAll()
	c.Path = escapePath(c.Path, false)
	return c, err
}

// checkAll is Check for any cookie: one that a server set may have no name, and its path
// stays as it is.
func (c Cookie) checkAll() (Cookie, error) {
	switch {
	case c.Name == "" && (c.Value == "" || c.NoValue) || strings.ContainsAny(c.Name, "=;") || ascii.TrimBlanks(c.Name) != c.Name:
		return c, fmt.Errorf("the name of a cookie cannot be %q", c.Name)
	case hasControl(c.Name) || hasControl(c.Value) || hasControl(c.Path):
		return c, fmt.Errorf("the cookie %q contains control characters", c.Name)
	case c.Path != "" && c.Path[0] != '/':
		return c, fmt.Errorf("the path %q of the cookie %q does not start with a slash", c.Path, c.Name)
	}
	if c.Path == "" {
		c.Path = "/"
	}
	domain, ok := normalDomain(c.Domain)
	if !ok {
		return c, fmt.Errorf("the domain %q of the cookie %q is not a host name", c.Domain, c.Name)
	}
	c.Domain = domain
	if c.HostOnly { // a dot would be for all below
		c.Domain = strings.TrimPrefix(domain, ".")
	}
	if c.NoValue {
		c.Value = ""
	}
	return c, nil
}

// Is reports whether c has a name, a domain and a path; empty ones match all.
func (c *Cookie) Is(name, domain, path string) bool {
	return (name == "" || c.Name == name) && (path == "" || c.Path == path) &&
		(domain == "" || strings.EqualFold(c.Domain, domain))
}

// normalDomain returns the domain of a cookie in the form in which URLs are
// compared: lower-case, IDNA-encoded. A leading dot stays.
func normalDomain(domain string) (string, bool) {
	bare := strings.TrimPrefix(domain, ".")
	if bare == "" {
		return domain, domain == ""
	}
	if strings.HasPrefix(bare, "[") && strings.HasSuffix(bare, "].local") { // of Netscape's rules
		return ascii.Lower(domain), true
	}
	if strings.Count(bare, ":") > 1 && bare[0] != '[' {
		bare = "[" + bare + "]"
	}
	host := uri.ASCIIHost(bare)
	if host != "" && domain[0] == '.' {
		return "." + host, true
	}
	return host, host != ""
}

// hasControl reports whether s has a control character, tab aside
// (RFC 6265bis section 5.6 step 1).
func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// readable reports whether a file may hold the cookie: not one without a domain, which
// must not go to every host when it is read back, and none that
// could not be read, such as one with a path that no URL has.
func (c Cookie) readable() bool {
	_, err := c.checkAll()
	return err == nil && c.Domain != ""
}

// ByHand returns a cookie that passed Check as one that no server set.
func ByHand(c Cookie, rules Rules) Stored {
	if rules.Netscape {
		c.Value = dropEscapedQuotes(c.Value)
	}
	return Stored{Cookie: c, trusted: true, byHand: true}
}
