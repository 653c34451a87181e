package cache

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Store keeps bytes under keys: what a cache is kept in. Keys are 64 hexadecimal digits. A
// Store must be safe for concurrent use, and may be shared by caches and processes. It may
// forget anything at any time.
type Store interface {
	// Get returns what was last set, nil if there is nothing. The cache does not change it,
	// nor may the store.
	Get(ctx context.Context, key string) ([]byte, error)
	// Set keeps data, which nobody changes afterwards, for as long as it may be of use.
	Set(ctx context.Context, key string, data []byte, ttl time.Duration) error
	// Delete removes what is there, if anything.
	Delete(ctx context.Context, key string) error
}

// keyLength is that of every key.
const keyLength = 64

// overhead is about what an entry costs besides its bytes.
const overhead = 300

// Memory returns a store in memory, which forgets what was not used for longest when it would
// hold more than maxBytes.
func Memory(maxBytes int64) Store {
	return &memoryStore{max: maxBytes, items: map[string]*list.Element{}}
}

type memoryStore struct {
	max int64

	// mu protects the fields below.
	mu    sync.Mutex
	size  int64
	items map[string]*list.Element
	order list.List // of *item, the last used first
}

type item struct {
	key  string
	data []byte
}

func (i *item) size() int64 { return int64(len(i.key)+len(i.data)) + overhead }

// Get implements [Store].
func (m *memoryStore) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.items[key]
	if e == nil {
		return nil, nil
	}
	m.order.MoveToFront(e)
	return e.Value.(*item).data, nil
}

// Set implements [Store].
func (m *memoryStore) Set(_ context.Context, key string, data []byte, _ time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(m.items[key])
	i := &item{key, data}
	if i.size() > m.max {
		return nil
	}
	m.items[key] = m.order.PushFront(i)
	for m.size += i.size(); m.size > m.max; {
		m.remove(m.order.Back())
	}
	return nil
}

// Delete implements [Store].
func (m *memoryStore) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(m.items[key])
	return nil
}

func (m *memoryStore) remove(e *list.Element) {
	if e == nil {
		return
	}
	i := m.order.Remove(e).(*item)
	delete(m.items, i.key)
	m.size -= i.size()
}
