package cookie

import (
	"sync"
	"sync/atomic"
	"time"
)

// Jar is a set of cookies that is safe for concurrent use. By which rules it is
// used is said with every use. The zero value is ready. A nil one can be asked and emptied.
type Jar struct {
	Keep  func(Cookie) bool // called without the lock; nil: all are kept
	Clock func() time.Time  // nil: time.Now

	// These are read without the lock and written with it, the slots of lines aside.
	count   atomic.Int64  // of the cookies
	version atomic.Uint64 // goes up when a Cookie line may have changed
	lines   atomic.Pointer[lineCache]

	// mu protects the field below.
	mu    sync.RWMutex
	index index
}

// lineCache is the lines built for earlier requests; those of earlier versions do not count.
type lineCache [lineSlots]atomic.Pointer[line]

// Now is the time by the jar's clock.
func (j *Jar) Now() time.Time {
	if j != nil && j.Clock != nil {
		return j.Clock()
	}
	return time.Now()
}

// Len returns how many cookies there are, expired ones included.
func (j *Jar) Len() int {
	if j == nil {
		return 0
	}
	return int(j.count.Load())
}

// Put keeps cookies that Keep has use for, each instead of one with the same domain,
// path and name. They must have passed Check.
func (j *Jar) Put(cookies ...Stored) {
	kept := cookies
	if j.Keep != nil {
		kept = make([]Stored, 0, len(cookies))
		for _, c := range cookies {
			if j.Keep(c.Cookie) {
				kept = append(kept, c)
			}
		}
	}
	if len(kept) == 0 {
		return
	}
	now := j.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	changed := false
	for i := range kept {
		changed = j.index.put(&kept[i], now) || changed
	}
	j.unlocked(changed)
}

// unlocked tells those who do not take the lock what became of the jar.
func (j *Jar) unlocked(changed bool) {
	if changed {
		j.version.Add(1)
	}
	j.count.Store(int64(j.index.size()))
}

// RemoveIf removes the cookies that match and returns how many there were.
func (j *Jar) RemoveIf(match func(*Stored) bool) (removed int) {
	if j == nil {
		return 0
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	removed = j.index.removeIf(match)
	j.unlocked(removed > 0)
	return removed
}

// Clear removes all cookies, and what is remembered of their order.
func (j *Jar) Clear() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.index = index{}
	j.lines.Store(nil)
	j.unlocked(true)
}

// Snapshot returns the cookies in the jar's order.
func (j *Jar) Snapshot() []Stored {
	if j == nil {
		return nil
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	cookies := make([]Stored, 0, j.index.size())
	for e := range j.index.each {
		cookies = append(cookies, e.Stored)
	}
	return cookies
}

// CloneInto makes the new jar c an independent copy.
func (j *Jar) CloneInto(c *Jar) {
	c.Keep, c.Clock = j.Keep, j.Clock
	j.mu.RLock()
	defer j.mu.RUnlock()
	c.index = j.index.clone()
	c.unlocked(true)
}

// Receive keeps the cookies that a server at url sets with Set-Cookie fields.
func (j *Jar) Receive(url string, fields []string, rules Rules) {
	from, ok := rules.parseOrigin(url)
	if !ok {
		return
	}
	now := j.Now()
	var array [2]Stored // most responses set no more
	admitted := array[:0]
	for c := range rules.parse(fields, now) {
		s, ok := rules.admit(&from, &c)
		if ok && (j.Keep == nil || j.Keep(s.Cookie)) {
			admitted = append(admitted, s)
		}
	}
	if len(admitted) > 0 {
		j.take(&from, admitted, rules, now)
	}
}

// take applies what a server set.
func (j *Jar) take(from *origin, admitted []Stored, rules Rules, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	changed := false
	for i := range admitted {
		c := &admitted[i]
		switch {
		case !rules.Netscape && !from.secure && j.index.shadowsSecure(&c.Cookie):
		case c.Expired(now):
			changed = j.index.discard(c) || changed
		default:
			before := j.index.size()
			changed = j.index.put(c, now) || changed
			if j.index.size() > before {
				j.index.limit(j.index.find(c.Domain, c.Path, c.Name), now)
			}
		}
	}
	j.unlocked(changed)
}
