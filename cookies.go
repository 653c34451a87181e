package requests

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests/internal/uri"
)

// CookieJar keeps the cookies that servers set and gives them back to those they
// are for.
//
// It follows RFC 6265bis with the public suffix list, so that no host can set a
// cookie for a whole "co.uk". A [Session] whose Policy has NetscapeCookies makes
// its jar keep to the rules of Python's http.cookiejar instead.
//
// The zero value is an empty jar, ready to use. A jar is safe for concurrent use.
// A nil jar can be read, and is empty. It is also an [http.CookieJar].
type CookieJar struct {
	count    atomic.Int64 // of the cookies, to be seen without the lock
	netscape atomic.Bool
	pinned   bool // the rules were chosen by an option, not by a policy

	anySuffix bool
	filter    func(Cookie) bool
	clock     func() time.Time // nil: time.Now

	mu     sync.RWMutex
	index  cookieIndex
	views  map[viewKey]*cookieView // Cookie lines built since the last change
	latest atomic.Pointer[cookieView]
}

// JarOption configures a [CookieJar].
type JarOption func(*CookieJar)

// CookieFilter keeps only cookies for which keep returns true, from wherever they
// come: set by a server, by hand or copied from another jar. A filter that always
// returns false makes a jar that forgets everything. keep may be called by
// several goroutines at once and must not use the jar.
func CookieFilter(keep func(Cookie) bool) JarOption {
	return func(j *CookieJar) { j.filter = keep }
}

// AnyDomain lets hosts set cookies for public suffixes such as "co.uk", for
// private networks whose names look like them.
func AnyDomain() JarOption {
	return func(j *CookieJar) { j.anySuffix = true }
}

// NetscapeRules makes the jar keep to the rules of Python's http.cookiejar,
// whatever the policy of the session that uses it.
func NetscapeRules() JarOption {
	return func(j *CookieJar) {
		j.netscape.Store(true)
		j.pinned = true
	}
}

// NewCookieJar returns an empty jar.
func NewCookieJar(options ...JarOption) *CookieJar {
	j := &CookieJar{}
	for _, option := range options {
		if option != nil {
			option(j)
		}
	}
	return j
}

// newResponseJar returns the jar for the cookies of a single reply.
func newResponseJar(policy *Policy) *CookieJar {
	j := &CookieJar{}
	j.usePolicy(policy)
	return j
}

// usePolicy tells a jar by whose rules to keep cookies; the session calls it
// before every use.
func (j *CookieJar) usePolicy(policy *Policy) {
	if j == nil || policy == nil || j.pinned || j.netscape.Load() == policy.NetscapeCookies {
		return
	}
	j.netscape.Store(policy.NetscapeCookies)
}

func (j *CookieJar) rules() cookieRules {
	return cookieRules{netscape: j.netscape.Load(), anySuffix: j.anySuffix}
}

func (j *CookieJar) now() time.Time {
	if j.clock != nil {
		return j.clock()
	}
	return time.Now()
}

// Set puts a cookie into the jar by hand, in the place of one with the same
// domain, path and name. See [Cookie] for where it will be sent. A cookie that is
// no valid header text, or whose domain is no host name, is [ErrInvalidArgument].
// One that has expired is kept, but not sent.
func (j *CookieJar) Set(c Cookie) error {
	if j == nil {
		return fail(ErrInvalidArgument, "a nil CookieJar cannot keep the cookie %q", c.Name)
	}
	c, err := c.checked()
	if err != nil {
		return err
	}
	if j.netscape.Load() {
		c.Value = dropEscapedQuotes(c.Value)
	}
	j.change(func(index *cookieIndex) { index.put(storedCookie{Cookie: c, trusted: true}) }, c)
	return nil
}

// change runs f on the index, unless the filter has no use for any of cookies.
func (j *CookieJar) change(f func(*cookieIndex), cookies ...Cookie) {
	for _, c := range cookies {
		if j.filter != nil && !j.filter(c) {
			return
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	f(&j.index)
	j.views = nil
	j.latest.Store(nil)
	j.count.Store(int64(j.index.size))
}

// store keeps the cookies of a reply: its Set-Cookie fields, for the URL that the
// request was sent to. A Host header of the caller has no say in it.
func (j *CookieJar) store(r *Response) {
	if j == nil || r == nil || r.Request == nil {
		return
	}
	if fields := setCookieFields(r.Headers); len(fields) > 0 {
		j.receive(r.URL, fields)
	}
}

// maxSetCookies is how many Set-Cookie fields of one reply are looked at.
const maxSetCookies = 256

func setCookieFields(h Headers) []string {
	if !h.Has("Set-Cookie") {
		return nil
	}
	fields := h.Values("Set-Cookie")
	return fields[:min(len(fields), maxSetCookies)]
}

// receive keeps the cookies that a server at url sets.
func (j *CookieJar) receive(url string, fields []string) {
	rules := j.rules()
	u, err := uri.Parse(url)
	if err != nil {
		return
	}
	origin, ok := rules.origin(&u)
	if !ok {
		return
	}
	now := j.now()
	j.admit(&origin, rules.parse(fields, now), rules, now)
}

func (j *CookieJar) admit(origin *cookieOrigin, received []setCookie, rules cookieRules, now time.Time) {
	admitted := make([]storedCookie, 0, len(received))
	for i := range received {
		c, ok := rules.admit(origin, &received[i])
		if ok && (j.filter == nil || j.filter(c.Cookie)) {
			admitted = append(admitted, c)
		}
	}
	if len(admitted) == 0 {
		return
	}
	j.change(func(index *cookieIndex) {
		var domains []string
		for _, c := range admitted {
			switch {
			case !rules.netscape && !origin.secure && index.shadowsSecure(&c.Cookie):
			case c.expired(now):
				index.remove(c.Domain, c.Path, c.Name)
			default:
				index.put(c)
				domains = append(domains, c.Domain)
			}
		}
		index.limit(domains, now)
	})
}

// Update copies all cookies of other into j, over those with the same domain,
// path and name.
func (j *CookieJar) Update(other *CookieJar) {
	if j == nil || j == other {
		return
	}
	for _, c := range other.snapshot() {
		j.change(func(index *cookieIndex) { index.put(c) }, c.Cookie)
	}
}

// Clone returns an independent copy with the same options; of nil, an empty jar.
func (j *CookieJar) Clone() *CookieJar {
	c := &CookieJar{}
	if j == nil {
		return c
	}
	c.netscape.Store(j.netscape.Load())
	c.pinned, c.anySuffix, c.filter, c.clock = j.pinned, j.anySuffix, j.filter, j.clock
	j.mu.RLock()
	defer j.mu.RUnlock()
	c.index = j.index.clone()
	c.count.Store(int64(c.index.size))
	return c
}

// forCall returns a copy for the cookies of a single call and its redirects. What
// the jar filters out is kept from later calls, not from this one.
func (j *CookieJar) forCall(policy *Policy) *CookieJar {
	c := j.Clone()
	c.filter = nil
	c.usePolicy(policy)
	return c
}

// String tells how many cookies the jar holds.
func (j *CookieJar) String() string { return fmt.Sprintf("<CookieJar [%d]>", j.Len()) }
