package cookie

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds on what servers can make a jar keep (RFC 6265bis section 6.1 asks for
// 50 and 3000 at the least). Cookies put in by hand count, but have no bound.
const (
	maxOfDomain = 180
	maxOfJar    = 3000
)

// Stored is a cookie as the index keeps it. It is never changed in place.
type Stored struct {
	Cookie
	seq     uint64 // when the cookie was first set; replacing keeps it
	port    string // Netscape: the ports it is for
	trusted bool   // set over a secure connection, or by hand
}

// index is the cookies by domain, then path, then name, each in the order
// in which they were first seen: the order of Python's jar.
type index struct {
	domains []*domainCookies
	byName  map[string]*domainCookies
	size    int
	seq     uint64
}

type domainCookies struct {
	name  string
	order uint64
	paths []*pathCookies
	size  int
}

type pathCookies struct {
	path    string
	cookies []*Stored
}

func (x *index) put(c Stored) {
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
func (x *index) domain(name string) *domainCookies {
	if d := x.byName[name]; d != nil {
		return d
	}
	if len(x.domains) >= maxOfJar {
		x.domains = slices.DeleteFunc(x.domains, func(d *domainCookies) bool {
			if d.size == 0 {
				delete(x.byName, d.name)
			}
			return d.size == 0
		})
	}
	if x.byName == nil {
		x.byName = map[string]*domainCookies{}
	}
	d := &domainCookies{name: name, order: x.seq}
	x.domains = append(x.domains, d)
	x.byName[name] = d
	return d
}

func (d *domainCookies) path(path string) *pathCookies {
	for _, p := range d.paths {
		if p.path == path {
			return p
		}
	}
	if len(d.paths) >= maxOfDomain {
		d.paths = slices.DeleteFunc(d.paths, func(p *pathCookies) bool { return len(p.cookies) == 0 })
	}
	p := &pathCookies{path: path}
	d.paths = append(d.paths, p)
	return p
}

func (p *pathCookies) find(name string) int {
	return slices.IndexFunc(p.cookies, func(c *Stored) bool { return c.Name == name })
}

// all yields the cookies in the jar's order.
func (x *index) all(yield func(*Stored) bool) {
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

func (x *index) remove(domain, path, name string) {
	x.removeIf(domain, func(c *Stored) bool { return c.Path == path && c.Name == name })
}

// removeIf removes the cookies of a domain that match.
func (x *index) removeIf(domain string, match func(*Stored) bool) {
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
func (x *index) removeAll(match func(*Stored) bool) int {
	before := x.size
	for _, d := range x.domains {
		x.removeIf(d.name, match)
	}
	return before - x.size
}

// reaching returns the domains whose cookies may be for host, in the order in
// which they were first seen: host, every domain above it, each with and without
// the dot, and the one without a name.
func (x *index) reaching(host string) []*domainCookies {
	var found []*domainCookies
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
	slices.SortFunc(found, func(a, b *domainCookies) int { return cmp.Compare(a.order, b.order) })
	return found
}

// limit makes room in the given domains and in the whole, dropping first what has
// expired and then what was set first.
func (x *index) limit(domains []string, now time.Time) {
	for _, name := range domains {
		if d := x.byName[name]; d != nil && d.size > maxOfDomain {
			x.drop(d.size-maxOfDomain, now, d)
		}
	}
	if x.size > maxOfJar {
		x.drop(x.size-maxOfJar, now, x.domains...)
	}
}

func (x *index) drop(n int, now time.Time, domains ...*domainCookies) {
	found := slices.Collect((&index{domains: domains}).all)
	slices.SortFunc(found, func(a, b *Stored) int {
		return cmp.Or(boolOrder(b.Expired(now))-boolOrder(a.Expired(now)), cmp.Compare(a.seq, b.seq))
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
func (x *index) shadowsSecure(c *Cookie) bool {
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

func (x *index) clone() index {
	c := index{size: x.size, seq: x.seq, byName: make(map[string]*domainCookies, len(x.byName))}
	for _, d := range x.domains {
		copied := *d
		copied.paths = make([]*pathCookies, len(d.paths))
		for i, p := range d.paths {
			copied.paths[i] = &pathCookies{path: p.path, cookies: slices.Clone(p.cookies)}
		}
		c.domains = append(c.domains, &copied)
		c.byName[d.name] = &copied
	}
	return c
}
