package http1

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// canceledConn is canceled from another goroutine in the very moment in which
// a deadline is being set, and keeps the deadline that was set last.
type canceledConn struct {
	net.Conn
	cancel func()
	read   time.Time
	write  time.Time
}

func (c *canceledConn) SetReadDeadline(t time.Time) error {
	c.cancel()
	c.read = t
	return nil
}

func (c *canceledConn) SetWriteDeadline(t time.Time) error {
	c.cancel()
	c.write = t
	return nil
}

func (c *canceledConn) Read([]byte) (int, error)  { panic("a canceled read was begun") }
func (c *canceledConn) Write([]byte) (int, error) { panic("a canceled write was begun") }

// TestCancelBesideDeadline: a deadline set over that of a cancellation does not
// hide it.
func TestCancelBesideDeadline(t *testing.T) {
	x := &Exchange{}
	fake := &canceledConn{cancel: func() { x.stopped.Store(true) }}
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
