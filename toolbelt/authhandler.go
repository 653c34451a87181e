package toolbelt

import (
	"slices"
	"strings"
	"sync"

	"github.com/mountable/requests"
)

// Strategy is the auth for one domain: a URL of which scheme, user info, host and
// port count, as they are written apart from letter case. "http://h" and
// "http://h:80" are two domains, and so is each subdomain. A domain without "//" is
// that of all URLs without.
type Strategy struct {
	Domain string
	Auth   requests.Auth
}

// AuthHandler is an auth that has another auth for each domain and authenticates
// with the one for the request's URL; requests to domains it does not know go out
// without credentials, those of the URL and of netrc included. A redirect takes
// along what any request takes along: credentials to the same origin only.
//
// It is a [requests.Option] and safe for concurrent use. The zero value knows no
// domain.
type AuthHandler struct {
	mu         sync.RWMutex
	strategies []Strategy // Domain is the key
}

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
	added := Strategy{domainOf(domain), auth}
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := h.index(added.Domain); i >= 0 {
		h.strategies[i] = added
		return
	}
	h.strategies = append(h.strategies, added)
}

// StrategyFor returns the auth for the domain of a URL, [requests.NoAuth] if there
// is none.
func (h *AuthHandler) StrategyFor(url string) requests.Auth {
	domain := domainOf(url)
	h.mu.RLock()
	defer h.mu.RUnlock()
	if i := h.index(domain); i >= 0 {
		return h.strategies[i].Auth
	}
	return requests.NoAuth
}

// RemoveStrategy forgets the auth for a domain, if there is one.
func (h *AuthHandler) RemoveStrategy(domain string) {
	domain = domainOf(domain)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.strategies = slices.DeleteFunc(h.strategies, func(s Strategy) bool { return s.Domain == domain })
}

// Domains returns the domains in the order they were first added, normalised.
func (h *AuthHandler) Domains() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	domains := make([]string, len(h.strategies))
	for i, s := range h.strategies {
		domains[i] = s.Domain
	}
	return domains
}

// Authenticate lets the strategy for p's URL authenticate it.
func (h *AuthHandler) Authenticate(p *requests.PreparedRequest) error {
	return h.StrategyFor(p.URL).Authenticate(p)
}

// Apply makes h the auth of r.
func (h *AuthHandler) Apply(r *requests.Request) error {
	r.Auth = h
	return nil
}

// String shows neither credentials nor domains, which may hold user info.
func (h *AuthHandler) String() string { return "AuthHandler" }

// GoString keeps the credentials out of %#v.
func (h *AuthHandler) GoString() string { return h.String() }

// index finds a domain. There are few: a slice keeps them in order.
func (h *AuthHandler) index(domain string) int {
	return slices.IndexFunc(h.strategies, func(s Strategy) bool { return s.Domain == domain })
}

// domainOf returns scheme and authority of a URL in lower case.
func domainOf(url string) string {
	scheme, rest := "", url
	if before, after, ok := strings.Cut(url, ":"); ok && isScheme(before) {
		scheme, rest = before+":", after
	}
	authority, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return strings.ToLower(scheme)
	}
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	if authority == "" {
		return strings.ToLower(scheme)
	}
	return strings.ToLower(scheme + "//" + authority)
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
