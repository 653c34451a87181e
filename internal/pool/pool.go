// Package pool keeps idle connections for re-use, with urllib3's semantics: a limited number of keys, of which the least
// recently used one gives way, and for each key a limited number of connections, the last one given back first in use again.
//
// The pool knows nothing about what it keeps. It never dials, checks or closes a connection: it returns those to be
// closed, and the caller closes them where no lock is held. There is no goroutine behind it.
package pool

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Config limits a Pool. The zero value is Requests' default: 10 keys, 10 connections each, no waiting, no ageing.
type Config struct {
	// Keys is the number of keys that are remembered; 0 means 10. If negative, no connection is kept at all.
	Keys int

	// PerKey is the number of idle connections kept for a key; 0 means 10. If negative, none is kept and Block is off.
	PerKey int

	// Block makes PerKey a limit for the connections of a key that are in use, too: Get waits for one. Otherwise
	// there may be any number in use, and those in excess are discarded when put back.
	Block bool

	MaxAge  time.Duration // of a connection since it was asked for; 0 means no limit
	MaxIdle time.Duration // since a connection was put back; 0 means no limit
}

// Pool keeps the idle connections of type C for keys of type K: everything that two uses of a connection must have in
// common belongs into the key. It is safe for concurrent use.
type Pool[K comparable, C any] struct {
	cfg Config

	mu      sync.Mutex
	buckets map[K]*bucket[K, C] // the listed ones, and others that have connections in use
	lru     lru[K, C]
	stats   Stats
}

// New returns an empty pool.
func New[K comparable, C any](cfg Config) *Pool[K, C] {
	cfg.Keys = limit(cfg.Keys)
	cfg.Block = cfg.Block && cfg.PerKey >= 0
	cfg.PerKey = limit(cfg.PerKey)
	return &Pool[K, C]{cfg: cfg, buckets: make(map[K]*bucket[K, C])}
}

func limit(n int) int {
	if n == 0 {
		return 10
	}
	return max(n, 0)
}

// Lease is the right to use one connection, and with Config.Block one of the key's PerKey places. It ends with Put,
// Drop or Again, one of which must follow; an ended lease, or one that was copied and ended, is without effect.
type Lease[K comparable, C any] struct {
	// Conn was idle until now and may have died meanwhile: look at it, and if so close it and call Again.
	// Without Reused it is the zero C, and the lease is a permit to open a connection.
	Conn   C
	Reused bool

	// Stale connections left the pool, too old or because their key gave way. The caller closes them.
	Stale []C

	item   *item[K, C]
	serial uint64
}

// Get takes the connection of key that was put back last, or leaves it to the caller to open one (see Lease).
//
// It returns without delay unless Config.Block is set and all places of the key are taken. Then it waits, first come first
// served, until one is given back, ctx is done (its error), the time wait is over (ErrTimeout), or the pool is
// closed (ErrClosed). A wait of 0 or less is without limit. Lease.Stale is also set beside an error.
func (p *Pool[K, C]) Get(ctx context.Context, key K, wait time.Duration) (Lease[K, C], error) {
	p.mu.Lock()
	b, stale := p.use(key)
	stale = p.expire(b, stale)
	if p.cfg.Block && b.inUse >= p.cfg.PerKey {
		w := &waiter[K, C]{done: make(chan struct{})}
		b.waiters = append(b.waiters, w)
		p.mu.Unlock()
		l, err := p.await(ctx, b, w, wait)
		l.Stale = stale
		return l, err
	}
	b.inUse++
	l := p.take(b)
	p.mu.Unlock()
	l.Stale = stale
	return l, nil
}

// Again ends a lease whose connection turned out to be dead, and returns another one on the same place: for the
// next idle connection of the key, or to open one. It never waits. The caller closes the dead connection. If l had
// ended already, the result is an ended lease without a connection.
func (p *Pool[K, C]) Again(l Lease[K, C]) Lease[K, C] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.end() {
		return Lease[K, C]{}
	}
	p.stats.Dead++
	return p.take(l.item.bucket)
}

// Put ends a lease and gives conn, its connection or the one that was opened on it, back for re-use. It returns
// conn where the pool does not keep it: too many, too old, or the key gave way or the pool was closed
// since. For a lease that has ended already nothing happens: its connection may be in other hands.
func (p *Pool[K, C]) Put(l Lease[K, C], conn C) (discard []C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.end() {
		return nil
	}
	it := l.item
	if b := it.bucket; p.keeps(it) {
		it.conn = conn
		if p.cfg.MaxIdle > 0 {
			it.idleSince = time.Now()
		}
		if w := b.nextWaiter(); w != nil {
			w.grant(p.lease(it, true))
			return nil
		}
		b.idle = append(b.idle, it)
		p.free(b)
		return nil
	}
	p.stats.Discarded++
	p.free(it.bucket)
	return []C{conn}
}

// Drop ends a lease without giving a connection back: it failed, or was taken over for another protocol.
func (p *Pool[K, C]) Drop(l Lease[K, C]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.end() {
		p.free(l.item.bucket)
	}
}

// Close forgets all keys and returns their idle connections. Connections in use are discarded when put back, and
// those who wait get ErrClosed. The pool can be used again at once, as a closed Session of Requests can.
func (p *Pool[K, C]) Close() (idle []C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.buckets {
		for w := b.nextWaiter(); w != nil; w = b.nextWaiter() {
			w.refuse(ErrClosed)
		}
		idle = p.retire(b, idle)
	}
	return idle
}

// CloseIdle returns all idle connections and leaves the rest alone.
func (p *Pool[K, C]) CloseIdle() (idle []C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.buckets {
		idle = b.empty(idle)
	}
	return idle
}

// CloseExpired returns the idle connections, of all keys, that are past Config.MaxAge or MaxIdle. (Get looks only at its key.)
func (p *Pool[K, C]) CloseExpired() (stale []C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.buckets {
		stale = p.expire(b, stale)
	}
	return stale
}

// Stats is a picture of a pool.
type Stats struct {
	Keys, Idle, InUse, Waiting int // now

	Opened    uint64 // permits to open a connection
	Reused    uint64 // idle connections handed out
	Dead      uint64 // of these, given up by Again
	Expired   uint64 // too old
	Evicted   uint64 // keys that gave way to others
	Discarded uint64 // connections put back and not kept
}

// Stats counts what there is and what has happened.
func (p *Pool[K, C]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Keys = p.lru.len
	for _, b := range p.buckets {
		s.Idle += len(b.idle)
		s.InUse += b.inUse
		s.Waiting += len(b.waiters)
	}
	return s
}

// String shows the state of the pool, without the keys: they may hold credentials.
func (p *Pool[K, C]) String() string {
	s := p.Stats()
	return fmt.Sprintf("pool(keys %d/%d, idle %d, in use %d, waiting %d)", s.Keys, p.cfg.Keys, s.Idle, s.InUse, s.Waiting)
}

// GoString is String: %#v would show the keys.
func (p *Pool[K, C]) GoString() string { return p.String() }

// await waits for what Put, Drop or Close of others do to w.
func (p *Pool[K, C]) await(ctx context.Context, b *bucket[K, C], w *waiter[K, C], wait time.Duration) (Lease[K, C], error) {
	var timeout <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	var err error
	select {
	case <-w.done:
		return w.lease, w.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout:
		err = ErrTimeout
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(b.waiters, w); i >= 0 {
		b.waiters = slices.Delete(b.waiters, i, i+1)
		return Lease[K, C]{}, err
	}
	return w.lease, w.err // granted at the last moment: use it, or the place is lost
}
