package requests

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/secret"
)

// How values print. Whatever may hold credentials has a String and a GoString, so
// that no verb of package fmt shows them (rule 39): %+v and %#v would otherwise
// walk through the fields. Methods of values serve pointers to them as well.

// String shows the session's size, not what is in it.
func (s *Session) String() string {
	return fmt.Sprintf("<Session [%d adapters, %d cookies]>", len(s.mounts.all()), s.Cookies.Len())
}

// GoString is String, so that no secret is printed by %#v either.
func (s *Session) GoString() string { return s.String() }

// String returns the method and the URL, user info and secret parameters masked.
func (r Request) String() string { return printRequest("Request", r.Method, r.URL) }

// GoString is String, so that no secret is printed by %#v either.
func (r Request) GoString() string { return r.String() }

// String returns the method and the URL, user info and secret parameters masked.
func (p PreparedRequest) String() string { return printRequest("PreparedRequest", p.Method, p.URL) }

// GoString is String, so that no secret is printed by %#v either.
func (p PreparedRequest) GoString() string { return p.String() }

func printRequest(what, method, url string) string {
	if method == "" {
		method = "GET"
	}
	return cleanText(fmt.Sprintf("<%s [%s %s]>", what, method, redactURL(url)))
}

// String returns "<Response [200]>".
func (r Response) String() string { return fmt.Sprintf("<Response [%d]>", r.StatusCode) }

// GoString is String, so that no secret is printed by %#v either.
func (r Response) GoString() string { return r.String() }

// String shows the options, the credentials of proxies masked.
func (o SendOptions) String() string {
	return fmt.Sprintf("{Stream:%v Redirects:%v Timeouts:%+v Verify:%v Cert:%v Proxies:%v Deadline:%v}",
		o.Stream, o.Redirects, o.Timeouts, o.Verify, o.Cert, o.Proxies, o.Deadline)
}

// GoString is String, so that no secret is printed by %#v either.
func (o SendOptions) GoString() string { return o.String() }

// String names the state.
func (t Toggle) String() string {
	switch t {
	case On:
		return "On"
	case Off:
		return "Off"
	}
	return "Inherit"
}

// printPairs shows pairs as %v would, the values of those that are secret masked.
func printPairs(pairs [][2]string, isSecret func(name string) bool) string {
	var b strings.Builder
	for i, kv := range pairs {
		if i > 0 {
			b.WriteByte(' ')
		}
		value := kv[1]
		if value != "" && isSecret(kv[0]) {
			value = secret.Mask
		}
		b.WriteString("[" + kv[0] + " " + value + "]")
	}
	return cleanText("[" + b.String() + "]")
}

func anything(string) bool { return true }
func nothing(string) bool  { return false }

// AddSecretNames makes further names of headers, parameters, form and JSON fields secret
// for the whole process: their values are masked in errors, String methods, logs, dumps
// and cassettes, as those of the usual names are. Letter case does not matter, nor how
// words are joined. It is safe for concurrent use.
func AddSecretNames(names ...string) { secret.Add(names...) }

// redactURL masks what is secret in a URL that is shown.
func redactURL(url string) string { return secret.URL(url) }

// String shows the fields, the values of Authorization, Cookie and other secret ones
// masked.
func (h Headers) String() string { return printPairs(secret.Default().Fields(h), nothing) }

// GoString is String, so that no secret is printed by %#v either.
func (h Headers) GoString() string { return h.String() }

// String shows the params, the values of secret ones such as "token" masked.
func (p Params) String() string { return printPairs(p, secret.Is) }

// GoString is String, so that no secret is printed by %#v either.
func (p Params) GoString() string { return p.String() }

// String shows the fields, the values of secret ones such as "password" masked.
func (f Form) String() string { return printPairs(f, secret.Is) }

// GoString is String, so that no secret is printed by %#v either.
func (f Form) GoString() string { return f.String() }

// String shows the names, and no value.
func (c Cookies) String() string { return printPairs(c, anything) }

// GoString is String, so that no secret is printed by %#v either.
func (c Cookies) GoString() string { return c.String() }

// String shows the proxies, user info masked.
func (p Proxies) String() string {
	var b strings.Builder
	for i, key := range slices.Sorted(maps.Keys(p)) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(key + ":" + redactURL(p[key]))
	}
	return cleanText("map[" + b.String() + "]")
}

// GoString is String, so that no secret is printed by %#v either.
func (p Proxies) GoString() string { return p.String() }

// String shows the fields, the values of secret ones masked.
func (h ProxyFields) String() string { return h.All().String() }

// GoString is String, so that no secret is printed by %#v either.
func (h ProxyFields) GoString() string { return h.String() }

// String names the proxy, without credentials.
func (c ProxyConfig) String() string {
	if c.Scheme == "" {
		return "none"
	}
	return c.Scheme + "://" + ascii.JoinHostPort(c.Host, c.Port)
}

// GoString is String, so that no secret is printed by %#v either.
func (c ProxyConfig) GoString() string { return c.String() }

// GoString is String, so that no secret is printed by %#v either.
func (c ConnConfig) GoString() string { return c.String() }

// GoString is String, so that no secret is printed by %#v either.
func (c Certificate) GoString() string { return c.String() }

// GoString is String, so that no secret is printed by %#v either.
func (c Cookie) GoString() string { return c.String() }

// GoString is String, so that no secret is printed by %#v either.
func (j *CookieJar) GoString() string { return j.String() }

// GoString is String, so that no secret is printed by %#v either.
func (a *HTTPAdapter) GoString() string { return a.String() }

// GoString is String, so that no secret is printed by %#v either.
func (a Attempt) GoString() string { return a.String() }

// GoString is String, so that no secret is printed by %#v either.
func (r Retry) GoString() string { return r.String() }

// String names the session.
func (t sessionTransport) String() string { return "RoundTripper(" + t.session.String() + ")" }

// GoString is String, so that no secret is printed by %#v either.
func (t sessionTransport) GoString() string { return t.String() }

// String names the adapter.
func (t adapterTransport) String() string { return fmt.Sprintf("RoundTripper(%v)", t.adapter) }

// GoString is String, so that no secret is printed by %#v either.
func (t adapterTransport) GoString() string { return t.String() }
