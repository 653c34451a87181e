package dial

import (
	"crypto/tls"
	"sync"
)

// Sessions are the TLS session caches of one pool key, one for each of its hops.
type Sessions struct {
	Origin, Proxy tls.ClientSessionCache
}

// SessionTable has the Sessions of pool keys. The zero table is empty.
type SessionTable[K comparable] struct {
	// mu protects the field below.
	mu    sync.Mutex
	byKey map[K]*Sessions
}

const (
	maxSessionKeys = 1000 // of keys that may no longer be used
	sessionsPerHop = 8
)

// Of returns the Sessions of a key, new ones for the hops that have TLS if there are none. They
// live as long as the table remembers the key.
func (t *SessionTable[K]) Of(key K, origin, proxy bool) *Sessions {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.byKey[key]; s != nil {
		return s
	}
	if t.byKey == nil || len(t.byKey) >= maxSessionKeys {
		t.byKey = map[K]*Sessions{}
	}
	s := &Sessions{}
	if origin {
		s.Origin = tls.NewLRUClientSessionCache(sessionsPerHop)
	}
	if proxy {
		s.Proxy = tls.NewLRUClientSessionCache(sessionsPerHop)
	}
	t.byKey[key] = s
	return s
}
