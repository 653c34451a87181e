package http2

import (
	"net"
	"time"
)

// guarded is the connection beneath. A dial function may have made it, and then its methods are the caller's code: a
// panic there, which may happen on any goroutine and with the lock held, is an error that ends the connection, and goes
// on in each caller whose request that ends.
type guarded struct{ net.Conn }

// unreturned is the error of what has not returned, kept as making one allocates.
var unreturned error = panicked{}

// caught makes the error of a method that has not returned.
func caught(err *error) {
	if p, ok := (*err).(panicked); ok {
		p.value = recover()
		*err = p
	}
}

func (g *guarded) Read(p []byte) (n int, err error) {
	err = unreturned
	defer caught(&err)
	return g.Conn.Read(p)
}

func (g *guarded) Write(p []byte) (n int, err error) {
	err = unreturned
	defer caught(&err)
	return g.Conn.Write(p)
}

func (g *guarded) Close() (err error) {
	err = unreturned
	defer caught(&err)
	return g.Conn.Close()
}

func (g *guarded) SetReadDeadline(t time.Time) (err error) {
	err = unreturned
	defer caught(&err)
	return g.Conn.SetReadDeadline(t)
}

func (g *guarded) SetWriteDeadline(t time.Time) (err error) {
	err = unreturned
	defer caught(&err)
	return g.Conn.SetWriteDeadline(t)
}

// during does what takes its time, and takes the lock again whatever happens. Where the connection ends the goroutine,
// the work, which end gives up, is nobody's, and the connection has failed.
func (c *Conn) during(work func() error, end func()) (err error) {
	err = unreturned
	defer func() {
		c.mu.Lock()
		if p, ok := err.(panicked); ok && p.value == nil {
			end()
			c.lost(err)
			c.hangUp()
		}
	}()
	return work()
}

// stopWriting and stopLeading give up what a goroutine did for all.
func (c *Conn) stopWriting() { c.writing, c.writer = false, nil }
func (c *Conn) stopLeading() { c.leader = nil }

func (c *Conn) fill() error { return c.in.fill(c.nc) }
