//go:build !linux

package fleet

import (
	"net"
	"testing"
	"time"
)

// stamped tells when the last bytes were read.
type stamped struct {
	net.Conn
	at time.Time
}

func stamp(_ testing.TB, c net.Conn) net.Conn { return &stamped{Conn: c} }

// Read implements [net.Conn].
func (s *stamped) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	s.at = time.Now()
	return n, err
}

func (s *stamped) arrived() time.Time { return s.at }
