package cookie

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/mountable/requests/internal/uri"
)

// line is the Cookie line of a host, for one path or for all, and what it depends on.
type line struct {
	host, path string
	port       int
	secure     bool
	unbound    bool // cookies without a domain as well
	netscape   bool

	anyPath bool      // the same for every path: no cookie is for another than "/"
	until   time.Time // the first of the cookies expires; zero: never
	version uint64    // of the jar when the line was built
	text    string
}

// lineSlots is for how many hosts or paths lines are remembered: those in use at a
// time, as far as they do not meet in a slot.
const lineSlots = 32

var lineSeed = maphash.MakeSeed()

func slot(text string) int { return int(maphash.String(lineSeed, text) % lineSlots) }

// serves reports whether l is the line of a request.
func (l *line) serves(to *origin, rules Rules, unbound bool) bool {
	return l.host == to.host && (l.anyPath || l.path == to.path) && l.port == to.port &&
		l.secure == to.secure && l.unbound == unbound && l.netscape == rules.Netscape
}

// Header returns the value of the Cookie field for a request to u, "" if there
// are no cookies for it. It leaves out cookies without a domain if they are not
// wanted.
func (j *Jar) Header(u *uri.URL, rules Rules, unbound bool) string {
	if j.Len() == 0 {
		return ""
	}
	to, ok := rules.origin(u)
	if !ok {
		return ""
	}
	if l := j.remembered(&to, rules, unbound); l != nil {
		return l.text
	}
	return j.build(&to, rules, unbound)
}

// remembered returns the line built for an earlier request, nil without one. It does
// not take the lock.
func (j *Jar) remembered(to *origin, rules Rules, unbound bool) *line {
	lines := j.lines.Load()
	if lines == nil {
		return nil
	}
	version := j.version.Load()
	for _, key := range [2]string{to.host, to.path} {
		l := lines[slot(key)].Load()
		if l != nil && l.version == version && l.serves(to, rules, unbound) && (l.until.IsZero() || j.Now().Before(l.until)) {
			return l
		}
	}
	return nil
}

// build makes a line and remembers it.
func (j *Jar) build(to *origin, rules Rules, unbound bool) string {
	l := &line{
		host: to.host, path: to.path, port: to.port, secure: to.secure, unbound: unbound, netscape: rules.Netscape,
	}
	var array [16]*entry
	now := j.Now()
	j.mu.RLock()
	found, anyPath := j.index.match(array[:0], to, rules, unbound, now)
	l.text, l.until, l.anyPath = lineOf(found), firstEnd(found), anyPath
	l.version = j.version.Load()
	j.mu.RUnlock()
	key := l.path
	if anyPath {
		key = l.host
	}
	j.remember(slot(key), l)
	return l.text
}

func (j *Jar) remember(at int, l *line) {
	lines := j.lines.Load()
	if lines == nil {
		j.lines.CompareAndSwap(nil, new(lineCache))
		lines = j.lines.Load()
	}
	lines[at].Store(l)
}

// Match returns the cookies for a request to url in the order of the Cookie field.
func (j *Jar) Match(url string, rules Rules) []Cookie {
	to, ok := rules.parseOrigin(url)
	if !ok || j.Len() == 0 {
		return nil
	}
	now := j.Now()
	j.mu.RLock()
	defer j.mu.RUnlock()
	found, _ := j.index.match(nil, &to, rules, true, now)
	cookies := make([]Cookie, 0, len(found))
	for _, e := range found {
		cookies = append(cookies, e.Cookie)
	}
	return cookies
}

func (r Rules) parseOrigin(url string) (o origin, ok bool) {
	u, err := uri.Parse(url)
	if err != nil {
		return o, false
	}
	return r.origin(&u)
}

// match appends the cookies for a request in the order of the Cookie line, and
// reports whether they are those for every path of the host.
func (x *index) match(found []*entry, to *origin, rules Rules, unbound bool, now time.Time) (all []*entry, anyPath bool) {
	anyPath = true
	var array [16]*domainSet
	for _, d := range x.reaching(array[:0], to.host, unbound) {
		anyPath = anyPath && d.elsewhere == 0
		for p := range x.above(d, to.path) {
			for e := p.all.first; e != nil; e = e.links[inPath].next {
				if !e.Expired(now) && rules.reaches(&e.Stored, to) {
					found = append(found, e)
				}
			}
		}
	}
	slices.SortStableFunc(found, rules.order)
	return found, anyPath
}

// reaching appends the domains whose cookies may be for host: host, every domain above
// it, each with and without the dot, and the one without a name; in the jar's order.
func (x *index) reaching(found []*domainSet, host string, unbound bool) []*domainSet {
	add := func(d *domainSet) {
		if d != nil && d.size > 0 {
			found = append(found, d)
		}
	}
	if unbound {
		add(x.hosts[""].own)
	}
	for name := range andAbove(host) {
		if name != "" {
			h := x.hosts[name]
			add(h.own)
			add(h.wide)
		}
	}
	slices.SortFunc(found, func(a, b *domainSet) int { return cmp.Compare(a.order, b.order) })
	return found
}

// above yields the paths of a domain whose cookies are for a path. There are as many
// lookups as the path has parts, or fewer where the domain has fewer paths.
func (x *index) above(d *domainSet, path string) func(yield func(*pathSet) bool) {
	return func(yield func(*pathSet) bool) {
		if len(d.paths) <= 2*strings.Count(path, "/") {
			for _, p := range d.paths {
				if pathMatches(path, p.name) && !yield(p) {
					return
				}
			}
			return
		}
		for scope := range scopes(path) {
			if p := x.paths[pathKey{d, scope}]; p != nil && !yield(p) {
				return
			}
		}
	}
}

// scopes yields what a cookie's path can be to be for a path: those for which
// pathMatches is true.
func scopes(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(path) {
			if path[i] != '/' {
				continue
			}
			if i > 0 && path[i-1] != '/' && !yield(path[:i]) || i+1 < len(path) && !yield(path[:i+1]) {
				return
			}
		}
		yield(path)
	}
}

// order is that of the Cookie line.
func (r Rules) order(a, b *entry) int {
	if n := cmp.Compare(len(b.Path), len(a.Path)); n != 0 || r.Netscape {
		return n
	}
	return cmp.Compare(a.seq, b.seq)
}

// firstEnd is when the first of some cookies expires.
func firstEnd(entries []*entry) (end time.Time) {
	for _, e := range entries {
		if !e.Expires.IsZero() && (end.IsZero() || e.Expires.Before(end)) {
			end = e.Expires
		}
	}
	return end
}

func lineOf(entries []*entry) string {
	size := 0
	for _, e := range entries {
		size += len(e.Name) + len(e.Value) + len("=; ")
	}
	var b strings.Builder
	b.Grow(size)
	for _, e := range entries {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e.Name)
		if e.Name != "" && !e.NoValue {
			b.WriteByte('=')
		}
		b.WriteString(e.Value)
	}
	return b.String()
}

// pathMatches reports whether a cookie for the path "scope" is for path
// (RFC 6265bis section 5.1.4).
func pathMatches(path, scope string) bool {
	if !strings.HasPrefix(path, scope) {
		return false
	}
	return len(path) == len(scope) || strings.HasSuffix(scope, "/") || path[len(scope)] == '/'
}

// isBelow reports whether host is domain or a subdomain of it.
func isBelow(host, domain string) bool {
	rest, ok := strings.CutSuffix(host, domain)
	return ok && (rest == "" || strings.HasSuffix(rest, "."))
}
