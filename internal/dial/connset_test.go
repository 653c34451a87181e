package dial

import (
	"net"
	"sync"
)

// connSet owns the server side of a test's connections.
type connSet struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

func (s *connSet) run(c net.Conn, handler func(net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return
	}
	if s.open == nil {
		s.open = map[net.Conn]bool{}
	}
	s.open[c] = true
	s.wg.Go(func() {
		defer c.Close()
		handler(c)
	})
}

func (s *connSet) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
}

func (s *connSet) wait() { s.wg.Wait() }
