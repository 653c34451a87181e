package requests

import (
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often a long upload that makes no progress looks whether the
// server has answered already and stopped reading.
const lookEvery = 500 * time.Millisecond

// earlyWatch notices a reply that comes while a long body is being written. Between
// two writes a plain connection is looked at directly. For a write that blocks there
// is a timer, whose goroutine exists only for the moment of a look; over TLS it
// is the only way, as what arrives may be no reply but a session ticket.
type earlyWatch struct {
	conn     *conn
	answered atomic.Bool

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// start begins to watch.
func (e *earlyWatch) start(c *conn) {
	e.conn = c
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = false
	if e.timer == nil {
		e.timer = time.AfterFunc(lookEvery, e.look)
		return
	}
	e.timer.Reset(lookEvery)
}

// stop ends the watching; no look is under way when it returns.
func (e *earlyWatch) stop() {
	if e.timer == nil {
		return
	}
	e.timer.Stop()
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
}

// look runs on the timer. A reply ends the blocked write by a deadline in the past.
func (e *earlyWatch) look() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return
	}
	if e.conn.hasInput() {
		e.answered.Store(true)
		_ = e.conn.SetWriteDeadline(time.Unix(1, 0))
		return
	}
	e.timer.Reset(lookEvery)
}

// hasInput reports whether the server has sent something, without waiting for it
// on a plain connection, and all but without over TLS.
func (c *conn) hasInput() bool {
	if c.plain {
		return !c.quiet()
	}
	if _, ok := c.Conn.(interface{ ConnectionState() tls.ConnectionState }); !ok {
		return false
	}
	return c.source.peek(10 * time.Millisecond)
}

// peek tries to read one byte, which the next Read will give.
func (d *deadlineReader) peek(wait time.Duration) bool {
	if len(d.peeked) > 0 {
		return true
	}
	if d.conn.SetReadDeadline(time.Now().Add(wait)) != nil {
		return true
	}
	d.armed = true
	var one [1]byte
	n, err := d.conn.Read(one[:])
	if n > 0 {
		d.peeked = append(d.peeked, one[0])
	}
	return n > 0 || !isDeadline(err)
}
