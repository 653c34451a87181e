package requests

import (
	"fmt"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/uri"
)

// Cookie is one cookie of a [CookieJar].
//
// Domain, Path and Name together tell cookies apart. The Domain of a cookie that
// a server set is the server's host name, with HostOnly, or starts with a dot
// where the server named a domain. A cookie put in by hand may have any of them;
// without HostOnly it is sent to the domain and to everything below it, whether
// or not there is a dot, and with no Domain at all to every host that the caller
// addresses.
type Cookie struct {
	Name     string    `json:"name"`
	Value    string    `json:"value"`              // raw: quotes are part of it
	NoValue  bool      `json:"no_value,omitempty"` // sent as the name alone, without "=": only by Netscape's rules
	Domain   string    `json:"domain"`
	Path     string    `json:"path"`                // "/" if empty
	Expires  time.Time `json:"expires,omitzero"`    // zero: a session cookie, which no date ends
	Secure   bool      `json:"secure,omitempty"`    // sent over https only
	HTTPOnly bool      `json:"http_only,omitempty"` // kept for the record: there are no scripts here
	HostOnly bool      `json:"host_only,omitempty"` // not sent to the subdomains of Domain
	SameSite string    `json:"same_site,omitempty"` // "Strict", "Lax", "None" or "": kept for the record
}

// String names the cookie without telling its value.
func (c Cookie) String() string {
	return fmt.Sprintf("<Cookie %s for %s%s>", cleanText(c.Name), cleanText(c.Domain), cleanText(c.Path))
}

func (c *Cookie) expired(now time.Time) bool {
	return !c.Expires.IsZero() && !c.Expires.After(now)
}

// checked returns c as a jar keeps it: domain in its normalised form, with a path
// that is encoded as in a URL. A name, value, domain or path that would break out of a header or a
// cookie file is refused, as is a name that could not be told from the value.
func (c Cookie) checked() (Cookie, error) {
	switch {
	case c.Name == "" || strings.ContainsAny(c.Name, "=;") || ascii.TrimBlanks(c.Name) != c.Name:
		return c, fail(ErrInvalidArgument, "the name of a cookie cannot be %q", c.Name)
	case hasCookieControl(c.Name) || hasCookieControl(c.Value) || hasCookieControl(c.Path):
		return c, fail(ErrInvalidArgument, "the cookie %q contains control characters", c.Name)
	case c.Path != "" && c.Path[0] != '/':
		return c, fail(ErrInvalidArgument, "the path %q of the cookie %q does not start with a slash", c.Path, c.Name)
	}
	if c.Path = escapeCookiePath(c.Path, false); c.Path == "" {
		c.Path = "/"
	}
	domain, ok := normalDomain(c.Domain)
	if !ok {
		return c, fail(ErrInvalidArgument, "the domain %q of the cookie %q is no host name", c.Domain, c.Name)
	}
	c.Domain = domain
	return c, nil
}

// normalDomain returns the domain of a cookie in the form in which URLs are
// compared: lower-case, IDNA-encoded. A leading dot stays.
func normalDomain(domain string) (string, bool) {
	bare := strings.TrimPrefix(domain, ".")
	if bare == "" {
		return domain, domain == ""
	}
	if strings.ContainsAny(bare, "/?#@\\% ") {
		return "", false
	}
	if strings.HasPrefix(bare, "[") && strings.HasSuffix(bare, "].local") { // of Netscape's rules
		return ascii.Lower(domain), true
	}
	if strings.Count(bare, ":") > 1 && bare[0] != '[' {
		bare = "[" + bare + "]"
	}
	u, err := uri.Parse("http://" + bare + "/")
	if err != nil || u.Port >= 0 {
		return "", false
	}
	if domain[0] == '.' {
		return "." + u.Host, true
	}
	return u.Host, true
}

// hasCookieControl reports whether s has a control character, tab aside
// (RFC 6265bis section 5.6 step 1).
func hasCookieControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
