package cookie

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/mountable/requests/internal/uri"
)

// viewKey is what the choice of cookies depends on, the path aside.
type viewKey struct {
	host     string
	port     int
	secure   bool
	unbound  bool // cookies without a domain as well
	netscape bool
}

// view is the cookies for one host in the order of the Cookie line, and the
// lines built of them. It holds as long as the jar does not change.
type view struct {
	key     viewKey
	cookies []*Stored
	until   time.Time         // the first of them expires; zero: never
	anyPath bool              // all are for the path "/": line is for every path
	line    string            // if anyPath
	lines   map[string]string // by path, if not
}

// Bounds on the lines remembered, so that a crawler's jar stays small.
const (
	maxViews     = 256
	maxViewLines = 64
)

// Header returns the value of the Cookie field for a request to url, "" if there
// are no cookies for it. It leaves out cookies without a domain if they are not
// wanted.
func (j *Jar) Header(url string, rules Rules, unbound bool) string {
	if j.Len() == 0 {
		return ""
	}
	u, err := uri.Parse(url)
	if err != nil {
		return ""
	}
	to, ok := rules.origin(&u)
	if !ok {
		return ""
	}
	key := viewKey{to.host, to.port, to.secure, unbound, rules.Netscape}
	if line, ok := j.remembered(&key, to.path); ok {
		return line
	}
	return j.build(key, &to, rules)
}

// Match returns the cookies for a request to url in the order of the Cookie field.
func (j *Jar) Match(url string, rules Rules) []Cookie {
	if j.Len() == 0 {
		return nil
	}
	u, err := uri.Parse(url)
	if err != nil {
		return nil
	}
	to, ok := rules.origin(&u)
	if !ok {
		return nil
	}
	now := j.Now()
	j.mu.RLock()
	defer j.mu.RUnlock()
	var cookies []Cookie
	for c := range j.index.view(&to, rules, true, now).forPath(to.path) {
		cookies = append(cookies, c.Cookie)
	}
	return cookies
}

// remembered returns the line built for an earlier request. The host asked last,
// the usual one, is found without the lock.
func (j *Jar) remembered(key *viewKey, path string) (line string, ok bool) {
	if v := j.latest.Load(); v != nil && v.anyPath && v.key == *key && v.holds(j) {
		return v.line, true
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	v := j.views[*key]
	if v == nil || !v.holds(j) {
		return "", false
	}
	if v.anyPath {
		j.latest.Store(v)
		return v.line, true
	}
	line, ok = v.lines[path]
	return line, ok
}

// holds reports whether none of the cookies has expired since.
func (v *view) holds(j *Jar) bool { return v.until.IsZero() || j.Now().Before(v.until) }

// build makes the line and remembers it.
func (j *Jar) build(key viewKey, to *origin, rules Rules) string {
	now := j.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	v := j.views[key]
	if v == nil || !v.holds(j) {
		v = j.index.view(to, rules, key.unbound, now)
		if j.views == nil || len(j.views) >= maxViews {
			j.views = map[viewKey]*view{}
		}
		key.host = strings.Clone(key.host)
		v.key = key
		j.views[key] = v
	}
	if v.anyPath {
		j.latest.Store(v)
		return v.line
	}
	if len(v.lines) >= maxViewLines {
		clear(v.lines)
	}
	line := v.build(to.path)
	v.lines[strings.Clone(to.path)] = line
	return line
}

// view chooses the cookies for an origin, whatever the path.
func (x *index) view(to *origin, rules Rules, unbound bool, now time.Time) *view {
	v := &view{anyPath: true, lines: map[string]string{}}
	for _, d := range x.reaching(to.host) {
		if d.name == "" && !unbound {
			continue
		}
		for c := range (&index{domains: []*domainCookies{d}}).all {
			if c.Expired(now) || !rules.reaches(c, to) {
				continue
			}
			v.cookies = append(v.cookies, c)
			v.anyPath = v.anyPath && c.Path == "/"
			if !c.Expires.IsZero() && (v.until.IsZero() || c.Expires.Before(v.until)) {
				v.until = c.Expires
			}
		}
	}
	slices.SortStableFunc(v.cookies, rules.order)
	if v.anyPath {
		v.line = v.build("/")
	}
	return v
}

// forPath yields the cookies for a path.
func (v *view) forPath(path string) iter.Seq[*Stored] {
	return func(yield func(*Stored) bool) {
		for _, c := range v.cookies {
			if pathMatches(path, c.Path) && !yield(c) {
				return
			}
		}
	}
}

// build writes the Cookie line for a path.
func (v *view) build(path string) string {
	size := 0
	for c := range v.forPath(path) {
		size += len(c.Name) + len(c.Value) + len("=; ")
	}
	var b strings.Builder
	b.Grow(size)
	for c := range v.forPath(path) {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.Name)
		if !c.NoValue {
			b.WriteByte('=')
			b.WriteString(c.Value)
		}
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
