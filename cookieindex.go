package requests

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds on what servers can make a jar keep (RFC 6265bis section 6.1 asks for
// 50 and 3000 at the least). Cookies put in by hand count, but have no bound.
const (
	maxDomainCookies = 180
	maxJarCookies    = 3000
)

// storedCookie is a cookie as the index keeps it. It is never changed in place.
type storedCookie struct {
	Cookie
	seq     uint64 // when the cookie was first set; replacing keeps it
	port    string // Netscape: the ports it is for
	trusted bool   // set over a secure connection, or by hand
}

// cookieIndex is the cookies by domain, then path, then name, each in the order
// in which they were first seen: the order of Python's jar.
type cookieIndex struct {
	domains []*cookieDomain
	byName  map[string]*cookieDomain
	size    int
	seq     uint64
}

type cookieDomain struct {
	name  string
	order uint64
	paths []*cookiePath
	size  int
}

type cookiePath struct {
	path    string
	cookies []*storedCookie
}

func (x *cookieIndex) put(c storedCookie) {
	x.seq++
	d := x.domain(c.Domain)
	p := d.path(c.Path)
	if i := p.find(c.Name); i >= 0 {
		c.seq = p.cookies[i].seq
		p.cookies[i] = &c
		return
	}
	c.seq = x.seq
	p.cookies = append(p.cookies, &c)
	d.size++
	x.size++
}

// domain returns the cookies of a domain, to which some are about to be added.
// Domains and paths without cookies keep their place, as in Python, up to a point.
func (x *cookieIndex) domain(name string) *cookieDomain {
	if d := x.byName[name]; d != nil {
		return d
	}
	if len(x.domains) >= maxJarCookies {
		x.domains = slices.DeleteFunc(x.domains, func(d *cookieDomain) bool {
			if d.size == 0 {
				delete(x.byName, d.name)
			}
			return d.size == 0
		})
	}
	if x.byName == nil {
		x.byName = map[string]*cookieDomain{}
	}
	d := &cookieDomain{name: name, order: x.seq}
	x.domains = append(x.domains, d)
	x.byName[name] = d
	return d
}

func (d *cookieDomain) path(path string) *cookiePath {
	for _, p := range d.paths {
		if p.path == path {
			return p
		}
	}
	if len(d.paths) >= maxDomainCookies {
		d.paths = slices.DeleteFunc(d.paths, func(p *cookiePath) bool { return len(p.cookies) == 0 })
	}
	p := &cookiePath{path: path}
	d.paths = append(d.paths, p)
	return p
}

func (p *cookiePath) find(name string) int {
	return slices.IndexFunc(p.cookies, func(c *storedCookie) bool { return c.Name == name })
}

// all yields the cookies in the jar's order.
func (x *cookieIndex) all(yield func(*storedCookie) bool) {
	for _, d := range x.domains {
		for _, p := range d.paths {
			for _, c := range p.cookies {
				if !yield(c) {
					return
				}
			}
		}
	}
}

func (x *cookieIndex) remove(domain, path, name string) {
	x.removeIf(domain, func(c *storedCookie) bool { return c.Path == path && c.Name == name })
}

// removeIf removes the cookies of a domain that match.
func (x *cookieIndex) removeIf(domain string, match func(*storedCookie) bool) {
	d := x.byName[domain]
	if d == nil {
		return
	}
	before := d.size
	d.size = 0
	for _, p := range d.paths {
		p.cookies = slices.DeleteFunc(p.cookies, match)
		d.size += len(p.cookies)
	}
	x.size -= before - d.size
}

// removeAll removes the cookies that match and returns how many there were.
func (x *cookieIndex) removeAll(match func(*storedCookie) bool) int {
	before := x.size
	for _, d := range x.domains {
		x.removeIf(d.name, match)
	}
	return before - x.size
}

// reaching returns the domains whose cookies may be for host, in the order in
// which they were first seen: host, every domain above it, each with and without
// the dot, and the one without a name.
func (x *cookieIndex) reaching(host string) []*cookieDomain {
	var found []*cookieDomain
	add := func(name string) {
		if d := x.byName[name]; d != nil && d.size > 0 {
			found = append(found, d)
		}
	}
	add("")
	dotted := "." + host
	for dotted != "" {
		add(dotted)
		add(dotted[1:])
		next := strings.IndexByte(dotted[1:], '.')
		if next < 0 {
			break
		}
		dotted = dotted[1+next:]
	}
	slices.SortFunc(found, func(a, b *cookieDomain) int { return cmp.Compare(a.order, b.order) })
	return found
}

// limit makes room in the given domains and in the whole, dropping first what has
// expired and then what was set first.
func (x *cookieIndex) limit(domains []string, now time.Time) {
	for _, name := range domains {
		if d := x.byName[name]; d != nil && d.size > maxDomainCookies {
			x.drop(d.size-maxDomainCookies, now, d)
		}
	}
	if x.size > maxJarCookies {
		x.drop(x.size-maxJarCookies, now, x.domains...)
	}
}

func (x *cookieIndex) drop(n int, now time.Time, domains ...*cookieDomain) {
	found := slices.Collect((&cookieIndex{domains: domains}).all)
	slices.SortFunc(found, func(a, b *storedCookie) int {
		return cmp.Or(boolOrder(b.expired(now))-boolOrder(a.expired(now)), cmp.Compare(a.seq, b.seq))
	})
	for _, c := range found[:n] {
		x.remove(c.Domain, c.Path, c.Name)
	}
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shadowsSecure reports whether c, which came over an insecure connection, would
// replace a Secure cookie that did not, or be taken for it (RFC 6265bis section
// 5.7 step 10).
func (x *cookieIndex) shadowsSecure(c *Cookie) bool {
	domain := strings.TrimPrefix(c.Domain, ".")
	for have := range x.all {
		if !have.Secure || !have.trusted || have.Name != c.Name {
			continue
		}
		other := strings.TrimPrefix(have.Domain, ".")
		if (isBelow(domain, other) || isBelow(other, domain)) && pathMatches(c.Path, have.Path) {
			return true
		}
	}
	return false
}

func (x *cookieIndex) clone() cookieIndex {
	c := cookieIndex{size: x.size, seq: x.seq, byName: make(map[string]*cookieDomain, len(x.byName))}
	for _, d := range x.domains {
		copied := *d
		copied.paths = make([]*cookiePath, len(d.paths))
		for i, p := range d.paths {
			copied.paths[i] = &cookiePath{path: p.path, cookies: slices.Clone(p.cookies)}
		}
		c.domains = append(c.domains, &copied)
		c.byName[d.name] = &copied
	}
	return c
}
