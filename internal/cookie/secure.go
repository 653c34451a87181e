package cookie

import "strings"

// secureIndex counts the Secure cookies that came over a secure connection, or by
// hand, so that one that came over http can be held against them (RFC 6265bis section
// 5.7 step 10). Each counts for its domain and for every domain above it, and once more as
// its domain's own. The counts with no domain and path are those of the name.
type secureIndex struct {
	counts map[secureKey]int32
	deep   int // cookies of domains with more labels than maxLabels, which have no counts
}

type secureKey struct {
	domain, name, path string
	own                bool // of cookies of the domain itself
}

// Domains with more labels, and paths with more parts, are not what anybody uses; where
// they occur, the jar is walked instead of kept count of, so that they cost no memory.
const (
	maxLabels = 16
	maxParts  = 64
)

// guarded reports whether http must not replace the cookie.
func (c *Stored) guarded() bool { return c.Secure && c.trusted }

func (s *secureIndex) add(e *entry, n int32) {
	if !e.guarded() {
		return
	}
	e.read = e.readAs()
	bare := strings.TrimPrefix(e.Domain, ".")
	if strings.Count(bare, ".") >= maxLabels {
		s.deep += int(n)
		return
	}
	if s.counts == nil {
		s.counts = map[secureKey]int32{}
	}
	for name := range e.names {
		s.count(secureKey{name: name}, n)
		s.count(secureKey{bare, name, e.Path, true}, n)
		for above := range andAbove(bare) {
			s.count(secureKey{above, name, e.Path, false}, n)
		}
	}
}

func (s *secureIndex) count(key secureKey, n int32) {
	if s.counts[key] += n; s.counts[key] == 0 {
		delete(s.counts, key)
	}
}

// andAbove yields a domain and every domain above it.
func andAbove(domain string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for yield(domain) {
			dot := strings.IndexByte(domain, '.')
			if dot < 0 {
				return
			}
			domain = domain[dot+1:]
		}
	}
}

// shadowsSecure reports whether c, which came over an insecure connection, would
// replace a Secure cookie that did not, or be taken for it: the domain of the one is
// the other's or above it, and the path of c is the other's or below it.
func (x *index) shadowsSecure(c *Cookie) bool {
	if x.secure.deep > 0 || strings.Count(c.Path, "/") > maxParts {
		return x.shadowsAny(c)
	}
	for name := range c.names {
		if x.secure.shadowed(strings.TrimPrefix(c.Domain, "."), c.Path, name) {
			return true
		}
	}
	return false
}

// shadowed looks for the paths that a path is below.
func (s *secureIndex) shadowed(domain, path, name string) bool {
	if s.counts[secureKey{name: name}] == 0 {
		return false
	}
	for scope := range scopes(path) {
		if s.counts[secureKey{domain, name, scope, false}] > 0 || s.shadowedAbove(domain, scope, name) {
			return true
		}
	}
	return false
}

// shadowedAbove looks at the domains above one.
func (s *secureIndex) shadowedAbove(domain, path, name string) bool {
	for {
		var below bool
		if _, domain, below = strings.Cut(domain, "."); !below {
			return false
		}
		if s.counts[secureKey{domain, name, path, true}] > 0 {
			return true
		}
	}
}

// shadowsAny walks the jar.
func (x *index) shadowsAny(c *Cookie) bool {
	domain, read := strings.TrimPrefix(c.Domain, "."), c.readAs()
	for e := range x.each {
		other := strings.TrimPrefix(e.Domain, ".")
		isNear := e.guarded() && (isBelow(domain, other) || isBelow(other, domain))
		if isNear && pathMatches(c.Path, e.Path) && (e.isRead(c.Name) || e.isRead(read)) {
			return true
		}
	}
	return false
}

// isRead reports whether the entry, which is guarded, has the name, or may be read as having it.
func (e *entry) isRead(name string) bool { return name == e.Name || name == e.read }
