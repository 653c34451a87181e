package requests

import (
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/cookie"
	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/uri"
)

// Cookie is one cookie of a [CookieJar].
//
// Domain, Path and Name together tell cookies apart. The Domain of a cookie that
// a server set is the server's host name, with HostOnly, or starts with a dot
// where the server named a domain. A cookie put in by hand may have any of them;
// without HostOnly it is sent to the domain and to everything below it, whether
// or not there is a dot, and with no Domain at all to every host that the caller addresses.
type Cookie struct {
	Name     string    `json:"name"`               // "" where a server set a value alone, which is sent alone
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

// CookieJar stores the cookies that servers set, and sends each back where it belongs.
//
// It follows RFC 6265bis with the public suffix list, so that no host can set a
// cookie for a whole "co.uk". A [Session] whose Policy has NetscapeCookies uses
// its jar by the rules of Python's http.cookiejar instead.
//
// The zero value is an empty jar, ready to use. A jar is safe for concurrent use,
// and several sessions may share one. A nil jar can be read, and is empty. It is
// also an [http.CookieJar].
type CookieJar struct {
	jar   cookie.Jar
	rules cookie.Rules // chosen by options; a Policy may add to them
}

var _ http.CookieJar = (*CookieJar)(nil)

// JarOption configures a [CookieJar].
type JarOption func(*CookieJar)

// CookieFilter keeps only cookies for which keep returns true, from wherever they
// come: set by a server, by hand or copied from another jar. A filter that always
// returns false makes a jar that forgets everything. keep may be called by
// several goroutines at once and must not use the jar.
func CookieFilter(keep func(Cookie) bool) JarOption {
	return func(j *CookieJar) {
		j.jar.Keep = nil
		if keep != nil {
			j.jar.Keep = func(c cookie.Cookie) bool { return keep(Cookie(c)) }
		}
	}
}

// AnyDomain lets hosts set cookies for public suffixes such as "co.uk", for
// private networks whose names look like them.
func AnyDomain() JarOption {
	return func(j *CookieJar) { j.rules.AnySuffix = true }
}

// NetscapeRules makes the jar keep to the rules of Python's http.cookiejar,
// whatever the policy of the session that uses it.
func NetscapeRules() JarOption {
	return func(j *CookieJar) { j.rules.Netscape = true }
}

// NewCookieJar returns an empty jar.
func NewCookieJar(options ...JarOption) *CookieJar {
	j := &CookieJar{}
	for _, option := range options {
		if option != nil {
			option(j)
		}
	}
	return j
}

// under returns the rules by which a session with a policy uses the jar.
func (j *CookieJar) under(policy *Policy) cookie.Rules {
	rules := j.rules
	rules.Netscape = rules.Netscape || policy != nil && policy.NetscapeCookies
	return rules
}

// forgets reports whether cookies are filtered.
func (j *CookieJar) forgets() bool { return j.jar.Keep != nil }

// Set puts a cookie into the jar by hand, instead of one with the same domain,
// path and name. See [Cookie] for where it will be sent. A cookie that is not
// valid header text, or whose domain is not a host name, is [ErrInvalidArgument].
// One that has expired is kept, but not sent.
func (j *CookieJar) Set(c Cookie) error {
	if j == nil {
		return fail(ErrInvalidArgument, "a nil CookieJar cannot keep the cookie %q", c.Name)
	}
	checked, err := cookie.Cookie(c).Check()
	if err != nil {
		return fail(ErrInvalidArgument, "%v", err)
	}
	j.jar.Put(cookie.ByHand(checked, j.rules))
	return nil
}

// Update copies all cookies of other into j, over those with the same domain, path and name.
func (j *CookieJar) Update(other *CookieJar) {
	if j != nil && other != nil && j != other {
		j.jar.Put(other.jar.Snapshot()...)
	}
}

// Clone returns an independent copy with the same options; of nil, an empty jar.
func (j *CookieJar) Clone() *CookieJar {
	c := &CookieJar{}
	if j != nil {
		c.rules = j.rules
		j.jar.CloneInto(&c.jar)
	}
	return c
}

// forCall returns a copy for the cookies of a single call and its redirects. What
// the jar filters out is kept from later calls, not from this one.
func (j *CookieJar) forCall(policy *Policy) *CookieJar {
	c := j.Clone()
	c.jar.Keep = nil
	c.rules = c.under(policy)
	return c
}

// bound is forCall without the cookies that have no domain, which go to every host.
func (j *CookieJar) bound(policy *Policy) *CookieJar {
	c := j.forCall(policy)
	c.jar.RemoveIf(func(s *cookie.Stored) bool { return s.Domain == "" })
	return c
}

// maxSetCookies is how many Set-Cookie fields of one response are looked at.
const maxSetCookies = 256

// store keeps the cookies of a response: its Set-Cookie fields, for the URL that
// the request was sent to. A Host header of the caller has no say in it.
func (j *CookieJar) store(r *Response, policy *Policy) {
	if j == nil || r == nil || r.Request == nil {
		return
	}
	var array [8]string
	fields := array[:0]
	for _, f := range r.Headers {
		if len(fields) < maxSetCookies && ascii.EqualFold(f[0], "set-cookie") {
			fields = append(fields, f[1])
		}
	}
	if len(fields) > 0 {
		j.jar.Receive(r.URL, fields, j.under(policy))
	}
}

// Header returns the value of the Cookie header for a request to url, "" if there
// are no cookies for it. Longer paths come first, then cookies set earlier
// (RFC 6265bis section 5.8.3).
func (j *CookieJar) Header(url string) string {
	to := uri.AddressOf(url)
	return j.header(&to, nil, true)
}

// header leaves out cookies without a domain if they are not wanted.
func (j *CookieJar) header(to *uri.Address, policy *Policy, unbound bool) string {
	if j == nil || to.Err != nil {
		return ""
	}
	return j.jar.Header(&to.URL, j.under(policy), unbound)
}

// SetCookies keeps cookies that the server at u set, for [http.CookieJar].
func (j *CookieJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	if j == nil || u == nil {
		return
	}
	j.jar.Receive(nethttp.Text(u), cookie.SetCookieFields(cookies[:min(len(cookies), maxSetCookies)]), j.rules)
}

// Cookies returns the cookies for a request to u, for [http.CookieJar]; those without
// a name are left out, as net/http has no way to send them.
func (j *CookieJar) Cookies(u *url.URL) []*http.Cookie {
	if j == nil || u == nil {
		return nil
	}
	return cookie.HTTP(j.jar.Match(nethttp.Text(u), j.rules))
}

// kept is what j holds, nil for a nil jar.
func (j *CookieJar) kept() *cookie.Jar {
	if j == nil {
		return nil
	}
	return &j.jar
}

// All iterates over the cookies, expired ones included, in the order in which
// their domain, within it their path, and within that their name was first seen.
// The jar may be changed meanwhile; the iteration shows it as it was.
func (j *CookieJar) All() iter.Seq[Cookie] {
	return func(yield func(Cookie) bool) {
		for _, c := range j.kept().Snapshot() {
			if !yield(Cookie(c.Cookie)) {
				return
			}
		}
	}
}

// Len returns how many cookies the jar holds, expired ones included.
func (j *CookieJar) Len() int { return j.kept().Len() }

// Get returns the value of the cookie with a name. It is [ErrNoCookie] if there
// is none, and [ErrCookieConflict] if there are several.
func (j *CookieJar) Get(name string) (string, error) {
	c, err := j.Find(name, "", "")
	return c.Value, err
}

// Find returns the cookie with a name, a domain and a path, where an empty domain
// or path stands for any. The domain is compared as [Cookie] shows it. It is
// [ErrNoCookie] if there is none, and [ErrCookieConflict] if there are several.
func (j *CookieJar) Find(name, domain, path string) (Cookie, error) {
	found := j.kept().Find(name, domain, path)
	switch len(found) {
	case 0:
		return Cookie{}, fail(ErrNoCookie, "there is no cookie %q", name)
	case 1:
		return Cookie(found[0]), nil
	}
	return Cookie{}, fail(ErrCookieConflict, "there are %d cookies %q: name the domain or the path", len(found), name)
}

// Has reports whether there is a cookie with a name.
func (j *CookieJar) Has(name string) bool { return j.kept().Has(name) }

// Delete removes every cookie with a name, a domain and a path, where an empty
// one stands for any, and returns how many there were.
func (j *CookieJar) Delete(name, domain, path string) int { return j.kept().Delete(name, domain, path) }

// Clear removes all cookies.
func (j *CookieJar) Clear() { j.kept().Clear() }

// ClearExpired removes the cookies that have expired and returns how many.
func (j *CookieJar) ClearExpired() int { return j.kept().DeleteExpired() }

// ClearSession removes the cookies that no date ends, as when a browser is
// closed, and returns how many there were.
func (j *CookieJar) ClearSession() int { return j.kept().DeleteSession() }

// Domains returns the domains of the cookies, each once, in the jar's order.
func (j *CookieJar) Domains() []string { return j.kept().Domains() }

// Paths returns the paths of the cookies, each once, in the jar's order.
func (j *CookieJar) Paths() []string { return j.kept().Paths() }

// Map returns the values by name of the cookies with a domain and a path, where
// an empty one stands for any. Of several with the same name, the last counts.
func (j *CookieJar) Map(domain, path string) map[string]string { return j.kept().Values(domain, path) }
