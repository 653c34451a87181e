package requests

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

// cookieView is the cookies for one host in the order of the Cookie line, and the
// lines built of them. It holds as long as the jar does not change.
type cookieView struct {
	key     viewKey
	cookies []*storedCookie
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

// Header returns the value of the Cookie header for a request to url, "" if there
// are no cookies for it. Longer paths come first, then cookies set earlier
// (RFC 6265bis section 5.8.3).
func (j *CookieJar) Header(url string) string { return j.header(url, true) }

// header leaves out cookies without a domain if they are not wanted.
func (j *CookieJar) header(url string, unbound bool) string {
	if j == nil || j.count.Load() == 0 {
		return ""
	}
	u, err := uri.Parse(url)
	if err != nil {
		return ""
	}
	rules := j.rules()
	origin, ok := rules.origin(&u)
	if !ok {
		return ""
	}
	key := viewKey{origin.host, origin.port, origin.secure, unbound, rules.netscape}
	if line, ok := j.remembered(&key, origin.path); ok {
		return line
	}
	return j.build(key, origin, rules)
}

// remembered returns the line built for an earlier request. The host asked last,
// the usual one, is found without the lock.
func (j *CookieJar) remembered(key *viewKey, path string) (line string, ok bool) {
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
func (v *cookieView) holds(j *CookieJar) bool { return v.until.IsZero() || j.now().Before(v.until) }

// build makes the line and remembers it.
func (j *CookieJar) build(key viewKey, origin cookieOrigin, rules cookieRules) string {
	now := j.now()
	j.mu.Lock()
	defer j.mu.Unlock()
	v := j.views[key]
	if v == nil || !v.holds(j) {
		v = j.index.view(&origin, rules, key.unbound, now)
		if j.views == nil || len(j.views) >= maxViews {
			j.views = map[viewKey]*cookieView{}
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
	line := v.build(origin.path)
	v.lines[strings.Clone(origin.path)] = line
	return line
}

// view chooses the cookies for an origin, whatever the path.
func (x *cookieIndex) view(origin *cookieOrigin, rules cookieRules, unbound bool, now time.Time) *cookieView {
	v := &cookieView{anyPath: true, lines: map[string]string{}}
	for _, d := range x.reaching(origin.host) {
		if d.name == "" && !unbound {
			continue
		}
		for c := range (&cookieIndex{domains: []*cookieDomain{d}}).all {
			if c.expired(now) || !rules.reaches(c, origin) {
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
func (v *cookieView) forPath(path string) iter.Seq[*storedCookie] {
	return func(yield func(*storedCookie) bool) {
		for _, c := range v.cookies {
			if pathMatches(path, c.Path) && !yield(c) {
				return
			}
		}
	}
}

// build writes the Cookie line for a path.
func (v *cookieView) build(path string) string {
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
