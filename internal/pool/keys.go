package pool

// KeyStats is a picture of one key.
type KeyStats[K comparable] struct {
	Key                  K
	Idle, InUse, Waiting int // now
	Opened, Reused       uint64
}

// Keys shows each key, the most recently used one first; those that gave way and
// have connections in use still come last, in no order. What was counted for a
// key is forgotten with it.
func (p *Pool[K, C]) Keys() []KeyStats[K] {
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := make([]KeyStats[K], 0, len(p.buckets))
	for b := p.lru.root.next; b != nil && b != &p.lru.root; b = b.next {
		keys = append(keys, b.stats())
	}
	for _, b := range p.buckets {
		if !b.listed {
			keys = append(keys, b.stats())
		}
	}
	return keys
}

func (b *bucket[K, C]) stats() KeyStats[K] {
	return KeyStats[K]{Key: b.key, Idle: len(b.idle), InUse: b.inUse, Waiting: len(b.waiters), Opened: b.opened, Reused: b.reused}
}
