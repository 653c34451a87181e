package cookie

import (
	"slices"
	"strings"
	"time"
)

// Bounds on what servers can make a jar keep (RFC 6265bis section 6.1 asks for
// 50 and 3000 at the least): of a site, which is all the hosts below one that can be
// registered, and in all. Those read from a file count, but may be more; then each that a
// server adds pushes one out. Cookies put in by hand do not count, and none pushes them out.
const (
	maxOfSite = 180
	maxOfJar  = 3000
)

// An index keeps cookies so that neither a request nor a Set-Cookie has to walk it:
//
//	looked for                      found by
//	one cookie                      its domain, path and name (names)
//	the cookies for a request       the host and the domains above it (hosts), in each the
//	                                request's path and those above it (paths)
//	whom to push out                the first to expire (expiring), else the oldest of a site (sites)
//	whom http must not shadow       secure
//
// The jar's order is that of Python's: by domain, then path, then name, each in the
// order in which it was first seen. A domain or path whose cookies are gone keeps its
// place until there are too many of them.
type index struct {
	hosts    map[string]hostSet
	domains  []*domainSet // in the jar's order
	paths    map[pathKey]*pathSet
	names    map[nameKey]*entry
	all      list
	expiring heap
	sites    sites
	secure   secureIndex

	seq     uint64
	vacated int // domains and paths that lost their last cookie since the last sweep
}

// hostSet is the cookies of a name without and with a leading dot.
type hostSet struct{ own, wide *domainSet }

// domainSet is the cookies with the same Domain.
type domainSet struct {
	name      string
	site      string // "" until it is needed
	order     uint64
	paths     []*pathSet // in the jar's order
	size      int
	elsewhere int // of them, those for another path than "/"
}

// pathSet is the cookies of a domain with the same Path.
type pathSet struct {
	name string
	all  list
}

type pathKey struct {
	domain *domainSet
	path   string
}

type nameKey struct {
	domain     *domainSet
	path, name string
}

// Stored is a cookie as a jar keeps it.
type Stored struct {
	Cookie
	seq     uint64 // when the cookie was first set; replacing keeps it
	port    string // Netscape: the ports it is for
	trusted bool   // set over a secure connection, or by hand
	byHand  bool   // no server may push it out
}

// entry is a cookie in its index.
type entry struct {
	Stored
	domain *domainSet
	path   *pathSet
	links  [kinds]links
	heapAt int    // its place in expiring, -1 without one
	read   string // as readAs says, of one that is guarded
}

func (x *index) size() int { return len(x.names) }

// find returns the cookie with a domain, path and name, nil if there is none.
func (x *index) find(domain, path, name string) *entry {
	if d := x.lookup(domain); d != nil {
		return x.names[nameKey{d, path, name}]
	}
	return nil
}

func (x *index) lookup(name string) *domainSet {
	bare, dotted := strings.CutPrefix(name, ".")
	if dotted {
		return x.hosts[bare].wide
	}
	return x.hosts[bare].own
}

// put adds a cookie, or replaces the one with its domain, path and name, and
// reports whether a Cookie line may be another now. The text of c is copied: it may
// be part of something larger, such as a response's head.
func (x *index) put(c *Stored, now time.Time) (changed bool) {
	if e := x.find(c.Domain, c.Path, c.Name); e != nil {
		return x.replace(e, c, now)
	}
	x.seq++
	d := x.domain(c.Domain)
	e := &entry{Stored: *c, domain: d, path: x.path(d, c.Path), heapAt: -1}
	text := strings.Join([]string{c.Name, c.Value, c.port}, "")
	e.Name, e.Value, e.port = text[:len(c.Name)], text[len(c.Name):len(text)-len(c.port)], text[len(text)-len(c.port):]
	e.Domain, e.Path, e.seq = d.name, e.path.name, x.seq
	x.names[nameKey{d, e.Path, e.Name}] = e
	x.all.push(e, inJar)
	e.path.all.push(e, inPath)
	d.count(e, 1)
	x.expiring.fix(e)
	x.sites.add(e)
	x.secure.add(e, 1)
	return true
}

// replace changes a cookie in place.
func (x *index) replace(e *entry, c *Stored, now time.Time) (changed bool) {
	old := e.Stored
	if old.guarded() != c.guarded() || e.Name == "" { // the value of one without a name is read as its name
		x.secure.add(e, -1)
		defer x.secure.add(e, 1)
	}
	if !old.byHand && (c.byHand || old.guarded() != c.guarded()) {
		x.sites.drop(e)
		defer x.sites.add(e)
	}
	e.Stored = *c
	e.Name, e.Domain, e.Path, e.seq = old.Name, old.Domain, old.Path, old.seq
	if old.byHand {
		e.byHand = true // what a server changes stays the program's
	}
	if e.Value = old.Value; c.Value != old.Value {
		e.Value = strings.Clone(c.Value)
	}
	e.port = strings.Clone(c.port)
	if !e.Expires.Equal(old.Expires) {
		x.expiring.fix(e)
	}
	return e.sentOtherwise(&old, now)
}

// sentOtherwise reports whether lines with the cookie differ from those with what it
// was: one that lives longer is sent as before.
func (e *entry) sentOtherwise(old *Stored, now time.Time) bool {
	if e.Value != old.Value || e.NoValue != old.NoValue || e.Secure != old.Secure || e.HostOnly != old.HostOnly || e.port != old.port {
		return true
	}
	shorter := !e.Expires.IsZero() && (old.Expires.IsZero() || e.Expires.Before(old.Expires))
	return shorter || old.Expired(now)
}

// domain returns the cookies of a domain, to which one is about to be added.
func (x *index) domain(name string) *domainSet {
	if d := x.lookup(name); d != nil {
		return d
	}
	if x.hosts == nil {
		x.hosts, x.paths, x.names = map[string]hostSet{}, map[pathKey]*pathSet{}, map[nameKey]*entry{}
	}
	d := &domainSet{name: strings.Clone(name), order: x.seq}
	x.domains = append(x.domains, d)
	bare, dotted := strings.CutPrefix(d.name, ".")
	h := x.hosts[bare]
	if dotted {
		h.wide = d
	} else {
		h.own = d
	}
	x.hosts[bare] = h
	return d
}

func (x *index) path(d *domainSet, name string) *pathSet {
	if p := x.paths[pathKey{d, name}]; p != nil {
		return p
	}
	p := &pathSet{name: strings.Clone(name)}
	d.paths = append(d.paths, p)
	x.paths[pathKey{d, p.name}] = p
	return p
}

func (d *domainSet) count(e *entry, n int) {
	d.size += n
	if e.Path != "/" {
		d.elsewhere += n
	}
}

// discard removes the cookie with the domain, path and name of c.
func (x *index) discard(c *Stored) (changed bool) {
	e := x.find(c.Domain, c.Path, c.Name)
	if e != nil {
		x.remove(e)
	}
	return e != nil
}

func (x *index) remove(e *entry) {
	d := e.domain
	delete(x.names, nameKey{d, e.Path, e.Name})
	x.all.drop(e, inJar)
	e.path.all.drop(e, inPath)
	d.count(e, -1)
	x.expiring.drop(e)
	if !e.byHand {
		x.sites.drop(e)
	}
	x.secure.add(e, -1)
	if e.path.all.first == nil {
		x.vacated++
	}
	if d.size == 0 {
		x.vacated++
	}
	x.sweep()
}

// sweep forgets domains and paths without cookies once they are as many as the
// cookies, so that a removal costs little in the mean.
func (x *index) sweep() {
	if x.vacated < max(maxOfJar, x.size()) {
		return
	}
	x.vacated = 0
	x.domains = slices.DeleteFunc(x.domains, func(d *domainSet) bool {
		d.paths = slices.DeleteFunc(d.paths, func(p *pathSet) bool {
			if p.all.first == nil {
				delete(x.paths, pathKey{d, p.name})
			}
			return p.all.first == nil
		})
		if d.size == 0 {
			x.forget(d)
		}
		return d.size == 0
	})
}

func (x *index) forget(d *domainSet) {
	bare, dotted := strings.CutPrefix(d.name, ".")
	h := x.hosts[bare]
	if dotted {
		h.wide = nil
	} else {
		h.own = nil
	}
	if x.hosts[bare] = h; h == (hostSet{}) {
		delete(x.hosts, bare)
	}
}

// each yields the cookies in the jar's order.
func (x *index) each(yield func(*entry) bool) {
	for _, d := range x.domains {
		for _, p := range d.paths {
			for e := p.all.first; e != nil; e = e.links[inPath].next {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// removeIf removes the cookies that match and returns how many there were.
func (x *index) removeIf(match func(*Stored) bool) int {
	before := x.size()
	for e := x.all.first; e != nil; {
		next := e.links[inJar].next
		if match(&e.Stored) {
			x.remove(e)
		}
		e = next
	}
	return before - x.size()
}

// limit makes room in a site and in the whole for a cookie that a server has added: what
// has expired goes first, then the oldest of the site, or of the one with the most
// cookies, so that a server cannot push out those of others. Where there were more before
// than the bounds allow, which no server can have done, one goes for one that came.
func (x *index) limit(added *entry, now time.Time) {
	s := x.sites.of(added.domain)
	if s.size <= maxOfSite && x.sites.size <= maxOfJar {
		return
	}
	inSiteBefore, inJarBefore := s.size-1, x.sites.size-1
	for e := x.expiring.top(); e != nil && e.Expired(now); e = x.expiring.top() {
		x.remove(e)
	}
	if s.size > max(maxOfSite, inSiteBefore) {
		x.evict(s, added)
	}
	if x.sites.size > max(maxOfJar, inJarBefore) {
		x.evict(x.sites.largest(), added)
	}
}

// evict removes the oldest of a site that http may replace, else the oldest. For one that
// came over http, no Secure cookie that did not goes: it goes itself.
func (x *index) evict(s *site, added *entry) {
	e := s.oldest()
	if e.guarded() && !added.trusted {
		e = added
	}
	x.remove(e)
}

// clone returns a copy without the places of what is gone.
func (x *index) clone() index {
	var c index
	for _, d := range x.domains {
		c.seq = d.order
		for _, p := range d.paths {
			if p.all.first != nil {
				c.path(c.domain(d.name), p.name)
			}
		}
	}
	for e := x.all.first; e != nil; e = e.links[inJar].next {
		c.seq = e.seq - 1 // put counts on
		c.put(&e.Stored, time.Time{})
	}
	c.seq = x.seq
	return c
}
