package digest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// Memory is what is known of servers: the challenge of each protection space, and how often
// each nonce has been used. A space is an origin or a proxy, or AnySpace. The zero Memory is
// empty, and it is safe for concurrent use.
type Memory struct {
	// mu protects the field below.
	mu     sync.Mutex
	spaces map[string]*space
}

// space is what is known of one protection space.
type space struct {
	challenge *Challenge
	counts    map[nonceKey]uint64 // how often each nonce has been used
}

// nonceKey is the hash of a nonce: as long as it is for a server that makes long ones.
type nonceKey [sha256.Size]byte

// AnySpace is the space of the challenge that Requests would use for every host.
const AnySpace = ""

// Bounds on what servers can make a Memory keep: more origins than a session talks to, and
// more nonces than one of them has in use.
const (
	maxSpaces = 256
	maxNonces = 64
)

// Learn remembers the challenge of a space.
func (m *Memory) Learn(name string, c *Challenge) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.spaces[name]
	if s == nil {
		m.makeRoom()
		s = &space{counts: map[nonceKey]uint64{}}
		m.spaces[name] = s
	}
	s.challenge = c
}

func (m *Memory) makeRoom() {
	if m.spaces == nil {
		m.spaces = map[string]*space{}
	}
	for name := range m.spaces {
		if len(m.spaces) < maxSpaces {
			return
		}
		delete(m.spaces, name)
	}
}

// Knows reports whether the challenge of a space is known.
func (m *Memory) Knows(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(name) != nil
}

// find returns what is known of a space, nil for nothing.
func (m *Memory) find(name string) *space {
	if s := m.spaces[name]; s != nil {
		return s
	}
	return m.spaces[AnySpace]
}

// Take counts one use of the challenge of a space, nil if there is none. The client's nonce
// is what clientNonce returns, or random.
func (m *Memory) Take(name string, clientNonce func() string) *Turn {
	turn := m.count(name)
	if turn == nil {
		return nil
	}
	if clientNonce != nil {
		turn.CNonce = clientNonce()
		return turn
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	turn.CNonce = hex.EncodeToString(random[:])
	return turn
}

func (m *Memory) count(name string) *Turn {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.find(name)
	if s == nil {
		return nil
	}
	nonce := nonceKey(sha256.Sum256([]byte(s.challenge.Nonce)))
	if _, known := s.counts[nonce]; !known && len(s.counts) >= maxNonces {
		clear(s.counts)
	}
	s.counts[nonce]++
	return &Turn{Challenge: s.challenge, Count: s.counts[nonce]}
}
