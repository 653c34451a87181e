package requests

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// cancelledConn is cancelled from another goroutine in the very moment in which
// a deadline is being set, and keeps the deadline that was set last.
type cancelledConn struct {
	net.Conn
	cancel func()
	read   time.Time
	write  time.Time
}

func (c *cancelledConn) SetReadDeadline(t time.Time) error {
	c.cancel()
	c.read = t
	return nil
}

func (c *cancelledConn) SetWriteDeadline(t time.Time) error {
	c.cancel()
	c.write = t
	return nil
}

func (c *cancelledConn) Read([]byte) (int, error)  { panic("a cancelled read was begun") }
func (c *cancelledConn) Write([]byte) (int, error) { panic("a cancelled write was begun") }

// TestCancelBesideDeadline: a deadline set over that of a cancellation does not
// hide it.
func TestCancelBesideDeadline(t *testing.T) {
	x := &exchange{}
	fake := &cancelledConn{cancel: func() { x.stopped.Store(true) }}
	x.conn = &conn{Conn: fake, source: deadlineReader{conn: fake, limit: time.Hour, stopped: &x.stopped}}
	if _, err := x.conn.source.Read(make([]byte, 1)); !errors.Is(err, errStopped) {
		t.Errorf("read: %v", err)
	}
	x.stopped = atomic.Bool{}
	if err := x.conn.write([]byte("x"), x); !errors.Is(err, errStopped) {
		t.Errorf("write: %v", err)
	}
	if fake.read.IsZero() || fake.write.IsZero() {
		t.Error("no deadline was set, so nothing was tested")
	}
}
