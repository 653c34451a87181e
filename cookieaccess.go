package requests

import (
	"iter"
	"slices"
	"strings"
)

// snapshot returns the cookies in the jar's order.
func (j *CookieJar) snapshot() []storedCookie {
	if j == nil {
		return nil
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	cookies := make([]storedCookie, 0, j.index.size)
	for c := range j.index.all {
		cookies = append(cookies, *c)
	}
	return cookies
}

// All iterates over the cookies, expired ones included, in the order in which
// their domain, within it their path, and within that their name was first seen.
// The jar may be changed meanwhile; the iteration shows it as it was.
func (j *CookieJar) All() iter.Seq[Cookie] {
	return func(yield func(Cookie) bool) {
		for _, c := range j.snapshot() {
			if !yield(c.Cookie) {
				return
			}
		}
	}
}

// Len returns how many cookies the jar holds, expired ones included.
func (j *CookieJar) Len() int {
	if j == nil {
		return 0
	}
	return int(j.count.Load())
}

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
	var found []Cookie
	for c := range j.All() {
		if c.is(name, domain, path) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return Cookie{}, fail(ErrNoCookie, "there is no cookie %q", name)
	case 1:
		return found[0], nil
	}
	return Cookie{}, fail(ErrCookieConflict, "there are %d cookies %q: name the domain or the path", len(found), name)
}

// is matches a cookie against a name, a domain and a path; empty ones match all.
func (c *Cookie) is(name, domain, path string) bool {
	return (name == "" || c.Name == name) && (path == "" || c.Path == path) &&
		(domain == "" || strings.EqualFold(c.Domain, domain))
}

// Has reports whether there is a cookie with a name.
func (j *CookieJar) Has(name string) bool {
	for c := range j.All() {
		if c.Name == name {
			return true
		}
	}
	return false
}

// Delete removes every cookie with a name, a domain and a path, where an empty
// one stands for any, and returns how many there were.
func (j *CookieJar) Delete(name, domain, path string) int {
	return j.removeAll(func(c *storedCookie) bool { return c.is(name, domain, path) })
}

// Clear removes all cookies.
func (j *CookieJar) Clear() {
	if j != nil {
		j.change(func(index *cookieIndex) { *index = cookieIndex{} })
	}
}

// ClearExpired removes the cookies that have expired and returns how many.
func (j *CookieJar) ClearExpired() int {
	if j == nil {
		return 0
	}
	now := j.now()
	return j.removeAll(func(c *storedCookie) bool { return c.expired(now) })
}

// ClearSession removes the cookies that no date ends, as when a browser is
// closed, and returns how many there were.
func (j *CookieJar) ClearSession() int {
	return j.removeAll(func(c *storedCookie) bool { return c.Expires.IsZero() })
}

func (j *CookieJar) removeAll(match func(*storedCookie) bool) (removed int) {
	if j != nil {
		j.change(func(index *cookieIndex) { removed = index.removeAll(match) })
	}
	return removed
}

// Domains returns the domains of the cookies, each once, in the jar's order.
func (j *CookieJar) Domains() []string {
	return j.distinct(func(c *Cookie) string { return c.Domain })
}

// Paths returns the paths of the cookies, each once, in the jar's order.
func (j *CookieJar) Paths() []string {
	return j.distinct(func(c *Cookie) string { return c.Path })
}

func (j *CookieJar) distinct(part func(*Cookie) string) []string {
	var parts []string
	for c := range j.All() {
		if p := part(&c); !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return parts
}

// Map returns the values by name of the cookies with a domain and a path, where
// an empty one stands for any. Of several with the same name, the last counts.
func (j *CookieJar) Map(domain, path string) map[string]string {
	values := map[string]string{}
	for c := range j.All() {
		if c.is("", domain, path) {
			values[c.Name] = c.Value
		}
	}
	return values
}
