package pool

import (
	"errors"
	"time"
)

// ErrTimeout is returned by Get when no place became free in time (urllib3's EmptyPoolError). It has Timeout() == true.
var ErrTimeout error = timeoutError{}

// ErrClosed is returned by a Get that was waiting when the pool was closed.
var ErrClosed = errors.New("pool closed while waiting for a connection")

type timeoutError struct{}

func (timeoutError) Error() string {
	return "no connection became free in time: all of the pool are in use"
}
func (timeoutError) Timeout() bool { return true }

// item is a connection, or the permit to open it, over its whole life. All is guarded by the pool's lock.
type item[K comparable, C any] struct {
	bucket     *bucket[K, C]
	generation int // of the bucket when the connection was asked for
	conn       C
	serial     uint64 // counts hand-outs and returns; only a lease with the present number is valid
	born       time.Time
	idleSince  time.Time
}

// end makes the lease, and all copies of it, invalid; false if it was before.
func (l *Lease[K, C]) end() bool {
	if l.item == nil || l.item.serial != l.serial {
		return false
	}
	l.item.serial++
	return true
}

// bucket is what the pool knows about one key.
//
// While someone waits, all places are in use: they are handed on without becoming free, so nobody can push in.
type bucket[K comparable, C any] struct {
	key        K
	idle       []*item[K, C] // the one put back last comes last
	inUse      int
	waiters    []*waiter[K, C] // in the order they came
	generation int             // a connection of an earlier one is not kept

	opened, reused uint64 // leases of either kind

	listed     bool // in the LRU list; otherwise here only because of what is in use
	prev, next *bucket[K, C]
}

type waiter[K comparable, C any] struct {
	lease Lease[K, C] // set before done is closed
	err   error
	done  chan struct{}
}

func (w *waiter[K, C]) grant(l Lease[K, C]) {
	w.lease = l
	close(w.done)
}

func (w *waiter[K, C]) refuse(err error) {
	w.err = err
	close(w.done)
}

func (b *bucket[K, C]) nextWaiter() *waiter[K, C] {
	if len(b.waiters) == 0 {
		return nil
	}
	w := b.waiters[0]
	b.waiters[0] = nil
	b.waiters = b.waiters[1:]
	return w
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

// use finds or makes the bucket of key and marks it as the most recently used one. If others have to give way,
// their idle connections are returned.
func (p *Pool[K, C]) use(key K) (b *bucket[K, C], stale []C) {
	b, ok := p.buckets[key]
	if !ok {
		b = &bucket[K, C]{key: key}
		p.buckets[key] = b
	}
	if p.lru.root.next == b {
		return b, nil
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
	conns = b.empty(conns)
	if b.inUse == 0 {
		delete(p.buckets, b.key)
	}
	return conns
}

// take hands out an idle connection of b, or the permit to open one, on a place that is already counted.
func (p *Pool[K, C]) take(b *bucket[K, C]) Lease[K, C] {
	if n := len(b.idle) - 1; n >= 0 {
		it := b.idle[n]
		b.idle[n] = nil
		b.idle = b.idle[:n]
		return p.lease(it, true)
	}
	it := &item[K, C]{bucket: b, generation: b.generation}
	if p.cfg.MaxAge > 0 {
		it.born = time.Now()
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
	return Lease[K, C]{Conn: it.conn, Reused: reused, item: it, serial: it.serial}
}

// free gives a place back: to the first who waits, else to the bucket.
func (p *Pool[K, C]) free(b *bucket[K, C]) {
	if w := b.nextWaiter(); w != nil {
		w.grant(p.take(b))
		return
	}
	b.inUse--
	if b.inUse == 0 && !b.listed {
		delete(p.buckets, b.key)
	}
}

// keeps tells whether a connection that is put back may be used again.
func (p *Pool[K, C]) keeps(it *item[K, C]) bool {
	b := it.bucket
	return b.listed && it.generation == b.generation && len(b.idle) < p.cfg.PerKey && !p.tooOld(it)
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
