package http1

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
	x := &Exchange{}
	fake := &cancelledConn{cancel: func() { x.stopped.Store(true) }}
	x.conn = NewConn(fake, true)
	x.conn.source.begin(time.Hour, time.Time{}, &x.stopped)
	x.request.limits.Write = time.Hour
	if _, err := x.conn.source.Read(make([]byte, 1)); !errors.Is(err, errStopped) {
		t.Errorf("read: %v", err)
	}
	x.stopped = atomic.Bool{}
	if err := x.writeAll([]byte("x")); !errors.Is(err, errStopped) {
		t.Errorf("write: %v", err)
	}
	if fake.read.IsZero() || fake.write.IsZero() {
		t.Error("no deadline was set, so nothing was tested")
	}
}
