package cookie

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests/internal/uri"
)

// Jar is a set of cookies that is safe for concurrent use. By which rules it is
// used is said with every use. The zero value is ready.
type Jar struct {
	Keep  func(Cookie) bool // called without the lock; nil: all are kept
	Clock func() time.Time  // nil: time.Now

	count  atomic.Int64 // of the cookies, to be seen without the lock
	latest atomic.Pointer[view]

	// mu protects the fields below.
	mu    sync.RWMutex
	index index
	views map[viewKey]*view // Cookie lines built since the last change
}

// Now is the time by the jar's clock.
func (j *Jar) Now() time.Time {
	if j.Clock != nil {
		return j.Clock()
	}
	return time.Now()
}

// Len returns how many cookies there are, expired ones included.
func (j *Jar) Len() int { return int(j.count.Load()) }

// Put keeps cookies that Keep has use for, each instead of one with the same domain,
// path and name. They must have passed Check.
func (j *Jar) Put(cookies ...Stored) {
	for _, c := range cookies {
		if j.Keep == nil || j.Keep(c.Cookie) {
			j.change(func() { j.index.put(c) })
		}
	}
}

// RemoveIf removes the cookies that match and returns how many there were.
func (j *Jar) RemoveIf(match func(*Stored) bool) (removed int) {
	j.change(func() { removed = j.index.removeAll(match) })
	return removed
}

// Clear removes all cookies, and what is remembered of their order.
func (j *Jar) Clear() { j.change(func() { j.index = index{} }) }

// change runs f, which may change the index.
func (j *Jar) change(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
	j.views = nil
	j.latest.Store(nil)
	j.count.Store(int64(j.index.size))
}

// Snapshot returns the cookies in the jar's order.
func (j *Jar) Snapshot() []Stored {
	j.mu.RLock()
	defer j.mu.RUnlock()
	cookies := make([]Stored, 0, j.index.size)
	for c := range j.index.all {
		cookies = append(cookies, *c)
	}
	return cookies
}

// CloneInto makes the new jar c an independent copy.
func (j *Jar) CloneInto(c *Jar) {
	c.Keep, c.Clock = j.Keep, j.Clock
	j.mu.RLock()
	defer j.mu.RUnlock()
	c.index = j.index.clone()
	c.count.Store(int64(c.index.size))
}

// Receive keeps the cookies that a server at url sets with Set-Cookie fields.
func (j *Jar) Receive(url string, fields []string, rules Rules) {
	u, err := uri.Parse(url)
	if err != nil {
		return
	}
	from, ok := rules.origin(&u)
	if !ok {
		return
	}
	now := j.Now()
	j.admit(&from, rules.parse(fields, now), rules, now)
}

func (j *Jar) admit(from *origin, received []setCookie, rules Rules, now time.Time) {
	admitted := make([]Stored, 0, len(received))
	for i := range received {
		c, ok := rules.admit(from, &received[i])
		if ok && (j.Keep == nil || j.Keep(c.Cookie)) {
			admitted = append(admitted, c)
		}
	}
	if len(admitted) == 0 {
		return
	}
	j.change(func() {
		var domains []string
		for _, c := range admitted {
			switch {
			case !rules.Netscape && !from.secure && j.index.shadowsSecure(&c.Cookie):
			case c.Expired(now):
				j.index.remove(c.Domain, c.Path, c.Name)
			default:
				j.index.put(c)
				domains = append(domains, c.Domain)
			}
		}
		j.index.limit(domains, now)
	})
}
