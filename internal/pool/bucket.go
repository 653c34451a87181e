package pool

import (
	"errors"
	"slices"
	"time"
)

// ErrTimeout is returned by Get when no place became free in time (urllib3's EmptyPoolError). It has Timeout() == true.
var ErrTimeout error = timeoutError{}

// ErrClosed is returned by a Get that was waiting when the pool was closed.
var ErrClosed = errors.New("pool closed while waiting for a connection")

type timeoutError struct{}

func (timeoutError) Error() string {
	return "all connections of the pool are in use"
}
func (timeoutError) Timeout() bool { return true }

// item is a connection, or the right to open it, over its whole life:
//
//	state     left by                                                      counted in
//	opening   Opened, Put, Drop                                            bucket.inUse, opening
//	in use    Put, Drop or Again, the last of its leases                   bucket.inUse; in bucket.shared if others may join
//	idle      Get, expiry, eviction, Close                                 bucket.idle
//	gone      -                                                            nothing
//
// All is protected by the pool's lock.
type item[K comparable, C any] struct {
	bucket     *bucket[K, C]
	generation int // of the bucket when the connection was asked for
	conn       C
	serial     uint64   // of the last lease
	leases     []uint64 // the serials of those that have not ended
	one        [1]uint64
	opening    bool // others wait for what becomes of it
	shared     bool // it may be leased by several
	dead       bool // nobody gets it any more, and it is not counted
	born       time.Time
	idleSince  time.Time
}

// valid reports whether the lease has not ended.
func (l *Lease[K, C]) valid() bool { return l.item != nil && slices.Contains(l.item.leases, l.serial) }

// end makes the lease, and all copies of it, invalid; false if it was before.
func (l *Lease[K, C]) end() bool {
	if l.item == nil {
		return false
	}
	leases := l.item.leases
	i := slices.Index(leases, l.serial)
	if i < 0 {
		return false
	}
	leases[i] = leases[len(leases)-1]
	l.item.leases = leases[:len(leases)-1]
	return true
}

// bucket is what the pool knows about one key.
type bucket[K comparable, C any] struct {
	key        K
	idle       []*item[K, C]   // the one put back last comes last
	shared     []*item[K, C]   // in use, and others may join
	inUse      int             // connections, those that are being opened as well
	opening    int             // of these, those that others wait for
	unshared   bool            // what was opened last cannot be shared
	waiters    []*waiter[K, C] // in the order they came
	generation int             // a connection of an earlier one is not kept

	opened, reused uint64 // leases of either kind

	listed     bool // in the LRU list; otherwise here only because of what is in use
	prev, next *bucket[K, C]
}

type waiter[K comparable, C any] struct {
	shares  bool        // what it opens may be shared
	patient bool        // it waits for what others are opening
	lease   Lease[K, C] // set before done is closed
	err     error
	done    chan struct{}
}

func (w *waiter[K, C]) grant(l Lease[K, C]) {
	w.lease = l
	close(w.done)
}

func (w *waiter[K, C]) refuse(err error) {
	w.err = err
	close(w.done)
}

// empty appends all idle connections to conns.
func (b *bucket[K, C]) empty(conns []C) []C {
	for i, it := range b.idle {
		conns = append(conns, it.conn)
		b.idle[i] = nil
	}
	b.idle = b.idle[:0]
	return conns
}

// part takes it out of those that others may join.
func (b *bucket[K, C]) part(it *item[K, C]) {
	if i := slices.Index(b.shared, it); i >= 0 {
		b.shared = slices.Delete(b.shared, i, i+1)
	}
}

// pending reports whether it is worth waiting for what somebody is opening.
func (b *bucket[K, C]) pending() bool { return b.opening > 0 && b.listed && !b.unshared }

// use finds or makes the bucket of key and marks it as the most recently used one. If others are evicted, their idle
// connections are returned.
func (p *Pool[K, C]) use(key *K, stale []C) (*bucket[K, C], []C) {
	if last := p.lru.root.next; last != nil && last != &p.lru.root && last.key == *key {
		return last, stale // without hashing a key, which is long
	}
	b, ok := p.buckets[*key]
	if !ok {
		b = &bucket[K, C]{key: *key}
		if p.buckets == nil {
			p.buckets = make(map[K]*bucket[K, C])
		}
		p.buckets[*key] = b
	}
	if b.listed {
		p.lru.remove(b)
	}
	p.lru.pushFront(b)
	for p.lru.len > p.cfg.Keys {
		old := p.lru.root.prev
		if old != b {
			p.stats.Evicted++
			stale = p.retire(old, stale)
			continue
		}
		p.lru.remove(b) // no keys are kept, but this one is about to be used
	}
	return b, stale
}

// retire takes a bucket out of the list, appends its idle connections to conns, and sees to it that those in
// use will not be kept. It is forgotten at once, or when the last of these has come back.
func (p *Pool[K, C]) retire(b *bucket[K, C], conns []C) []C {
	if b.listed {
		p.lru.remove(b)
	}
	b.generation++
	b.shared = nil
	conns = b.empty(conns)
	p.forget(b)
	return conns
}

// forget removes a bucket that is not listed and has nothing in use. Leases of a connection that was given up end later:
// by then there may be another bucket of the key.
func (p *Pool[K, C]) forget(b *bucket[K, C]) {
	if b.inUse == 0 && len(b.waiters) == 0 && !b.listed && p.buckets[b.key] == b {
		delete(p.buckets, b.key)
	}
}

// offer hands out what there is for who comes next: a connection, or the right to open one if there is a place. ok is
// false for who has to wait; a patient one does so while somebody is opening a connection that may be shared.
func (p *Pool[K, C]) offer(b *bucket[K, C], shares, patient bool) (l Lease[K, C], ok bool) {
	if l, ok := p.pick(b); ok {
		return l, true
	}
	if p.cfg.Block && b.inUse >= p.cfg.PerKey || patient && b.pending() {
		return l, false
	}
	return p.permit(b, shares), true
}

// pick hands out a connection: one that others use as well, else an idle one.
func (p *Pool[K, C]) pick(b *bucket[K, C]) (l Lease[K, C], ok bool) {
	it := p.join(b)
	if it == nil {
		n := len(b.idle) - 1
		if n < 0 || p.cfg.Block && b.inUse >= p.cfg.PerKey {
			return l, false
		}
		it = b.idle[n]
		b.idle[n] = nil
		b.idle = b.idle[:n]
		b.inUse++
		if it.shared {
			b.shared = append(b.shared, it)
		}
	}
	return p.lease(it, true), true
}

// join finds a connection that others use and that has capacity left. Those that take no more are given up.
func (p *Pool[K, C]) join(b *bucket[K, C]) *item[K, C] {
	for i := 0; i < len(b.shared); {
		it := b.shared[i]
		capacity := p.capacity(it.conn)
		if capacity == 0 || p.tooOld(it) {
			p.giveUp(it)
			continue
		}
		if len(it.leases) < capacity {
			return it
		}
		i++
	}
	return nil
}

// permit hands out the right to open a connection.
func (p *Pool[K, C]) permit(b *bucket[K, C], shares bool) Lease[K, C] {
	it := &item[K, C]{bucket: b, generation: b.generation, opening: shares}
	it.leases = it.one[:0]
	if p.cfg.MaxAge > 0 {
		it.born = time.Now()
	}
	b.inUse++
	if shares {
		b.opening++
	}
	return p.lease(it, false)
}

func (p *Pool[K, C]) lease(it *item[K, C], reused bool) Lease[K, C] {
	if reused {
		p.stats.Reused++
		it.bucket.reused++
	} else {
		p.stats.Opened++
		it.bucket.opened++
	}
	it.serial++
	it.leases = append(it.leases, it.serial)
	return Lease[K, C]{Conn: it.conn, Reused: reused, item: it, serial: it.serial}
}

// settle ends the waiting of others for what becomes of it.
func (p *Pool[K, C]) settle(it *item[K, C]) {
	if it.opening {
		it.opening = false
		it.bucket.opening--
	}
}

// rest makes it idle, or hands it to who waits.
func (p *Pool[K, C]) rest(it *item[K, C]) {
	b := it.bucket
	b.part(it)
	b.inUse--
	if p.cfg.MaxIdle > 0 {
		it.idleSince = time.Now()
	}
	b.idle = append(b.idle, it)
	p.serve(b)
}

// giveUp sees to it that nobody gets it any more. Those who use it do so to the end, but it takes no place.
func (p *Pool[K, C]) giveUp(it *item[K, C]) {
	if !it.dead {
		it.dead = true
		p.settle(it)
		it.bucket.part(it)
		it.bucket.inUse--
	}
}

// leave returns the connection of it, to be closed, when its last lease has ended.
func (p *Pool[K, C]) leave(it *item[K, C]) []C {
	if len(it.leases) > 0 {
		return nil
	}
	p.giveUp(it)
	return []C{it.conn}
}

// serve gives those who wait what there is, in the order they came. Who waits for an opening lets others pass.
func (p *Pool[K, C]) serve(b *bucket[K, C]) {
	for i := 0; i < len(b.waiters); {
		w := b.waiters[i]
		l, ok := p.offer(b, w.shares, w.patient)
		if ok {
			b.waiters = slices.Delete(b.waiters, i, i+1)
			w.grant(l)
			continue
		}
		if !w.patient {
			break
		}
		i++
	}
	p.forget(b)
}

// dismiss ends the waiting for a place. Who waits for an opening opens a connection of his own, if there is a place.
func (p *Pool[K, C]) dismiss(b *bucket[K, C]) {
	for _, w := range b.waiters {
		w.patient = false
	}
	p.serve(b)
	for _, w := range b.waiters {
		w.refuse(ErrClosed)
	}
	b.waiters = nil
}

// current reports whether others may get it: its key is listed, and was not evicted since it was asked for.
func (p *Pool[K, C]) current(it *item[K, C]) bool {
	return it.bucket.listed && it.generation == it.bucket.generation
}

// keeps reports whether a connection that is put back may be used again.
func (p *Pool[K, C]) keeps(it *item[K, C]) bool {
	return p.current(it) && !it.dead && len(it.bucket.idle) < p.cfg.PerKey && !p.tooOld(it) && p.capacity(it.conn) > 0
}

func (p *Pool[K, C]) tooOld(it *item[K, C]) bool {
	return p.cfg.MaxAge > 0 && time.Since(it.born) >= p.cfg.MaxAge
}

// expire moves the idle connections of b that are too old to stale.
func (p *Pool[K, C]) expire(b *bucket[K, C], stale []C) []C {
	if p.cfg.MaxAge <= 0 && p.cfg.MaxIdle <= 0 || len(b.idle) == 0 {
		return stale
	}
	now, kept := time.Now(), b.idle[:0]
	for _, it := range b.idle {
		if p.expired(it, now) {
			stale = append(stale, it.conn)
			p.stats.Expired++
			continue
		}
		kept = append(kept, it)
	}
	clear(b.idle[len(kept):])
	b.idle = kept
	return stale
}

func (p *Pool[K, C]) expired(it *item[K, C], now time.Time) bool {
	return p.cfg.MaxAge > 0 && now.Sub(it.born) >= p.cfg.MaxAge ||
		p.cfg.MaxIdle > 0 && now.Sub(it.idleSince) >= p.cfg.MaxIdle
}

// lru is a ring of buckets around root, the most recently used one first.
type lru[K comparable, C any] struct {
	root bucket[K, C] // only prev and next
	len  int
}

func (l *lru[K, C]) pushFront(b *bucket[K, C]) {
	if l.root.next == nil {
		l.root.next, l.root.prev = &l.root, &l.root
	}
	b.prev, b.next = &l.root, l.root.next
	b.prev.next, b.next.prev = b, b
	b.listed = true
	l.len++
}

func (l *lru[K, C]) remove(b *bucket[K, C]) {
	b.prev.next, b.next.prev = b.next, b.prev
	b.prev, b.next = nil, nil
	b.listed = false
	l.len--
}
