package toolbelt

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mountable/requests"
)

// Strategy is the auth for one domain: a URL of which scheme, user info, host, port
// and path count. "http://h" and "http://h:80" are two domains, and so is each
// subdomain; letter case makes a difference in the path only. A path stands for
// itself and for all below it: "https://h/api" is for "https://h/api" and
// "https://h/api/users", and neither for "https://h/apis" nor for "https://h/". A
// domain without "//" is that of all URLs without.
type Strategy struct {
	Domain string
	Auth   requests.Auth
}

// AuthHandler is an auth that has another auth for each domain and authenticates
// with the one for the request's URL: of several the one with the longest path.
// Requests to domains it does not know go out without credentials, those of the URL
// and of netrc included, and a request that has an Authorization field already goes
// out with that. A redirect takes along what any request takes along: credentials to
// the same origin only.
//
// It is a [requests.Auth], safe for concurrent use. The zero value knows no
// domain.
type AuthHandler struct {
	// mu protects the fields below.
	mu         sync.RWMutex
	strategies []strategy
}

// strategy is a Strategy with its domain taken apart.
type strategy struct {
	domain domain
	auth   requests.Auth
}

// domain is scheme and authority in lower case, and a path, "" for the whole origin.
type domain struct{ origin, path string }

func (d domain) String() string { return d.origin + d.path }

// NewAuthHandler returns a handler with the given strategies; of two for the same
// domain the later one wins.
func NewAuthHandler(strategies ...Strategy) *AuthHandler {
	h := &AuthHandler{}
	for _, s := range strategies {
		h.AddStrategy(s.Domain, s.Auth)
	}
	return h
}

// AddStrategy makes auth the one for a domain. A nil auth sends no credentials.
func (h *AuthHandler) AddStrategy(domain string, auth requests.Auth) {
	if auth == nil {
		auth = requests.NoAuth
	}
	added := strategy{domainOf(domain), auth}
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.IndexFunc(h.strategies, func(s strategy) bool { return s.domain == added.domain }); i >= 0 {
		h.strategies[i] = added
		return
	}
	h.strategies = append(h.strategies, added)
}

// StrategyFor returns the auth for a URL, that of the longest path of its origin, and
// [requests.NoAuth] if there is none.
func (h *AuthHandler) StrategyFor(url string) requests.Auth {
	target, found := domainOf(url), strategy{auth: requests.NoAuth}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range h.strategies {
		if s.domain.covers(target) && len(s.domain.path) >= len(found.domain.path) {
			found = s
		}
	}
	return found.auth
}

// RemoveStrategy forgets the auth for a domain, if there is one.
func (h *AuthHandler) RemoveStrategy(domain string) {
	removed := domainOf(domain)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.strategies = slices.DeleteFunc(h.strategies, func(s strategy) bool { return s.domain == removed })
}

// Domains returns the domains in the order they were first added, normalized.
func (h *AuthHandler) Domains() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	domains := make([]string, len(h.strategies))
	for i, s := range h.strategies {
		domains[i] = s.domain.String()
	}
	return domains
}

// Authenticate lets the strategy for p's URL authenticate it, unless p has an
// Authorization field already.
func (h *AuthHandler) Authenticate(p *requests.PreparedRequest) error {
	if p.Headers.Has("Authorization") {
		return nil
	}
	return h.StrategyFor(p.URL).Authenticate(p)
}

// covers reports whether a URL belongs to the domain. Dot segments, which a request
// for an http.Client may have, must not lead out of it.
func (d domain) covers(url domain) bool {
	return d.origin == url.origin && (d.path == "" || under(d.path, url.path) && under(resolved(d.path), resolved(url.path)))
}

// under reports whether path is prefix or below it, on the border of a segment.
func under(prefix, path string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/' || prefix[len(prefix)-1] == '/')
}

// resolved is a path as the server may read it that reads the most into it: every escape
// undone, however often it was escaped, a backslash taken for a slash, the parameters of
// segments dropped, as in "..;/", and then dot segments resolved.
func resolved(p string) string {
	var segments strings.Builder
	for segment := range strings.SplitAfterSeq(strings.ReplaceAll(unescaped(p), `\`, "/"), "/") {
		name, slash := strings.CutSuffix(segment, "/")
		name, _, _ = strings.Cut(name, ";")
		segments.WriteString(name)
		if slash {
			segments.WriteByte('/')
		}
	}
	plain := segments.String()
	if !strings.Contains(plain, "/.") && !strings.Contains(plain, "//") {
		return plain
	}
	clean := path.Clean(plain)
	if strings.HasSuffix(plain, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// unescaped undoes percent-escapes until there are none.
func unescaped(p string) string {
	if strings.IndexByte(p, '%') < 0 {
		return p
	}
	plain := make([]byte, 0, len(p))
	for i := range len(p) {
		plain = append(plain, p[i])
		for n := len(plain) - 3; n >= 0 && plain[n] == '%'; n = len(plain) - 3 {
			c, err := strconv.ParseUint(string(plain[n+1:]), 16, 8)
			if err != nil {
				break
			}
			plain = append(plain[:n], byte(c))
		}
	}
	return string(plain)
}

// domainOf takes scheme, authority and path of a URL.
func domainOf(url string) domain {
	scheme, rest := "", url
	if before, after, ok := strings.Cut(url, ":"); ok && isScheme(before) {
		scheme, rest = before+":", after
	}
	authority, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return domain{origin: strings.ToLower(scheme)}
	}
	if end := strings.IndexAny(authority, "?#"); end >= 0 {
		authority = authority[:end]
	}
	authority, path := cutPath(authority)
	if authority == "" {
		return domain{origin: strings.ToLower(scheme)}
	}
	return domain{strings.ToLower(scheme + "//" + authority), path}
}

// cutPath splits at the first slash. The path "/" is the whole origin.
func cutPath(s string) (authority, path string) {
	i := strings.IndexByte(s, '/')
	if i < 0 || i == len(s)-1 {
		return strings.TrimSuffix(s, "/"), ""
	}
	return s[:i], s[i:]
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || i > 0 && strings.IndexByte("0123456789+-.", s[i]) >= 0) {
			return false
		}
	}
	return s != ""
}
