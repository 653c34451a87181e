// Package pool keeps connections for reuse, with urllib3's semantics: a limited number of keys, of which the least
// recently used one is evicted, and for each key a limited number of idle connections, the last one given back first in
// use again. A connection may be leased by several at the same time, if it is of a kind that several can share.
//
// The pool never dials, checks or closes a connection: it returns those to be closed, and the caller closes them where no
// lock is held. There is no goroutine behind it.
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
	// Keys is the number of keys that are remembered; 0 means 10. If negative, no connection is kept or shared.
	Keys int

	// PerKey is the number of idle connections kept for a key; 0 means 10. If negative, none is kept and Block is off.
	PerKey int

	// Block makes PerKey a limit for the connections of a key that are in use, too: Get waits for one. Otherwise
	// there may be any number in use, and those in excess are discarded when put back.
	Block bool

	MaxAge  time.Duration // of a connection since it was asked for; 0 means no limit
	MaxIdle time.Duration // since a connection was put back; 0 means no limit
}

// Capacity tells how many leases a connection takes at the same time: 1 where it cannot be shared, 0 if it must not be used
// again. It is called with the pool's lock held, so it must neither wait nor call the pool.
type Capacity[C any] func(conn C) int

// exclusive is the capacity of connections that cannot be shared.
func exclusive[C any](C) int { return 1 }

// Pool keeps the connections of type C for keys of type K: everything that two uses of a connection must have in
// common belongs into the key. It is safe for concurrent use.
type Pool[K comparable, C any] struct {
	cfg      Config
	capacity Capacity[C]

	// mu protects the fields below.
	mu      sync.Mutex
	buckets map[K]*bucket[K, C] // the listed ones, and others that have connections in use
	lru     lru[K, C]
	stats   Stats
}

// New returns an empty pool. A nil capacity is that of connections that cannot be shared.
func New[K comparable, C any](cfg Config, capacity Capacity[C]) *Pool[K, C] {
	p := new(Pool[K, C])
	p.Init(cfg, capacity)
	return p
}

// Init makes p what New returns. It must come before any other use.
func (p *Pool[K, C]) Init(cfg Config, capacity Capacity[C]) {
	cfg.Keys = limit(cfg.Keys)
	cfg.Block = cfg.Block && cfg.PerKey >= 0
	cfg.PerKey = limit(cfg.PerKey)
	if capacity == nil {
		capacity = exclusive[C]
	}
	p.cfg, p.capacity = cfg, capacity
}

func limit(n int) int {
	if n == 0 {
		return 10
	}
	return max(n, 0)
}

// Lease is the right to use a connection, alone or with others. It ends with Put, Drop or Again, one of which must
// follow; an ended lease, or one that was copied and ended, is without effect.
type Lease[K comparable, C any] struct {
	// Conn was idle until now and may have died meanwhile: look at it, and if so call Again. Without Reused it is the
	// zero C, and the lease is the right to open a connection.
	Conn   C
	Reused bool

	// Stale connections left the pool, too old, dead, or because their key was evicted. The caller closes them.
	Stale []C

	item   *item[K, C]
	serial uint64
}

// Wait is how long Get may wait.
type Wait struct {
	// Place is how long for a connection to become free, where Config.Block asks for it; 0 or less is without limit.
	Place time.Duration
	// Opening is how long for what becomes of a connection that somebody else is opening, which may take more than one
	// lease. 0 or less: nobody waits for it, nor for what is opened with this lease.
	Opening time.Duration
}

// Get takes a connection of key that others share and that has capacity left, else the one that was put back last, else it leaves
// it to the caller to open one (see Lease).
//
// It returns without delay unless somebody is opening a connection that may be shared (see Wait), or Config.Block is set
// and all places of the key are taken. Then it waits, first come first served, until it has a connection, ctx is done (its
// error), the time is over (ErrTimeout, for a place), or the pool is closed (ErrClosed). Lease.Stale is also set beside
// an error.
func (p *Pool[K, C]) Get(ctx context.Context, key K, wait Wait) (Lease[K, C], error) {
	p.mu.Lock()
	return p.get(ctx, &key, wait, nil)
}

// get is Get with the lock held, which it releases.
func (p *Pool[K, C]) get(ctx context.Context, key *K, wait Wait, stale []C) (Lease[K, C], error) {
	b, stale := p.use(key, stale)
	stale = p.expire(b, stale)
	shares := wait.Opening > 0
	if l, ok := p.offer(b, shares, shares); ok {
		p.mu.Unlock()
		l.Stale = stale
		return l, nil
	}
	w := &waiter[K, C]{done: make(chan struct{}), shares: shares, patient: shares}
	b.waiters = append(b.waiters, w)
	p.mu.Unlock()
	l, err := p.await(ctx, b, w, wait)
	l.Stale = stale
	return l, err
}

// Opened tells of the connection that was opened on a lease, so that others may share it, or need not wait for it. It is
// for leases of which Wait.Opening was set, and may be left out for others.
func (p *Pool[K, C]) Opened(l Lease[K, C], conn C, shared bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.valid() {
		return
	}
	it := l.item
	b := it.bucket
	it.conn, it.shared = conn, shared
	b.unshared = !shared
	if shared && p.current(it) {
		b.shared = append(b.shared, it)
	} else {
		p.settle(it)
	}
	p.serve(b)
}

// Settled tells that the capacity of the shared connection of key that was opened as conn is known: others wait for it no
// longer than until now. Call it again whenever there is more capacity than before.
func (p *Pool[K, C]) Settled(l Lease[K, C]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.item != nil {
		p.settle(l.item)
		p.serve(l.item.bucket)
	}
}

// Again ends a lease whose connection turned out to be dead, and is Get for its key. The place of the connection is the
// caller's, if no other user has noticed before: he does not wait for one. Nobody else gets the dead connection, which is
// among the Stale ones if nobody else uses it. If l had ended already, the result is an ended lease without a connection.
func (p *Pool[K, C]) Again(ctx context.Context, l Lease[K, C], wait Wait) (Lease[K, C], error) {
	p.mu.Lock()
	if !l.end() {
		p.mu.Unlock()
		return Lease[K, C]{}, nil
	}
	p.stats.Dead++
	p.giveUp(l.item)
	return p.get(ctx, &l.item.bucket.key, wait, p.leave(l.item))
}

// Put ends a lease and gives conn, its connection or the one that was opened on it, back for reuse. It returns
// conn where it is to be closed: nobody else uses it, and the pool does not keep it, as there are too many, it is too old
// or has no capacity left, or the key was evicted or the pool was closed since. For a lease that has ended already nothing
// happens: its connection may be in other hands.
func (p *Pool[K, C]) Put(l Lease[K, C], conn C) (discard []C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.end() {
		return nil
	}
	it := l.item
	it.conn = conn
	p.settle(it)
	if len(it.leases) == 0 && p.keeps(it) {
		p.rest(it)
		return nil
	}
	discard = p.leave(it)
	p.stats.Discarded += uint64(len(discard))
	p.serve(it.bucket)
	return discard
}

// Drop ends a lease without giving a connection back: it was not opened, failed, or was taken over for another protocol.
// Nobody gets it any more.
func (p *Pool[K, C]) Drop(l Lease[K, C]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.end() {
		p.giveUp(l.item)
		p.leave(l.item)
		p.serve(l.item.bucket)
	}
}

// Close forgets all keys and returns their idle connections. Connections in use are discarded when put back, and
// those who wait for a place get ErrClosed. The pool can be used again at once, as a closed Session of Requests can.
func (p *Pool[K, C]) Close() (idle []C) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.buckets {
		p.dismiss(b)
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

// await waits for what others do to w.
func (p *Pool[K, C]) await(ctx context.Context, b *bucket[K, C], w *waiter[K, C], wait Wait) (Lease[K, C], error) {
	place, stopPlace := after(wait.Place, p.cfg.Block)
	defer stopPlace()
	opening, stopOpening := after(wait.Opening, true)
	defer stopOpening()
	var err error
	for err == nil {
		select {
		case <-w.done:
			return w.lease, w.err
		case <-opening:
			p.hasten(b, w)
			opening = nil
		case <-ctx.Done():
			err = ctx.Err()
		case <-place:
			err = ErrTimeout
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(b.waiters, w); i >= 0 {
		b.waiters = slices.Delete(b.waiters, i, i+1)
		p.forget(b)
		return Lease[K, C]{}, err
	}
	return w.lease, w.err // granted at the last moment: use it, or the place is lost
}

// after returns a channel that receives when d is over, nil for never.
func after(d time.Duration, wanted bool) (over <-chan time.Time, stop func()) {
	if d <= 0 || !wanted {
		return nil, func() {}
	}
	timer := time.NewTimer(d)
	return timer.C, func() { timer.Stop() }
}

// hasten makes w wait no longer for what others are opening.
func (p *Pool[K, C]) hasten(b *bucket[K, C], w *waiter[K, C]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.patient = false
	p.serve(b)
}
