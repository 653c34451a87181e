package http2

import (
	"time"

	"golang.org/x/net/http2"
)

// What the peer may send before we have taken it. A stream's window is what it may make us hold, and enough for 300
// Mbit/s at 100 ms; the connection's is out of the way, so that responses nobody reads do not hold up others: it is
// given back as bytes arrive.
const (
	streamWindow = 4 << 20
	connWindow   = 1 << 30
)

// window is what the peer may send, on a stream or on the connection.
type window struct {
	open  int64 // what it may send
	taken int64 // what has been taken and not been given back
	size  int64
}

func newWindow(size int64) window { return window{open: size, size: size} }

// use counts what has arrived; false if it was more than allowed.
func (w *window) use(n int) bool {
	w.open -= int64(n)
	return w.open >= 0
}

// credit counts what has been taken, and returns how much to give back to the peer: nothing until it is a quarter of
// the window, so that updates are few.
func (w *window) credit(n int) (increment uint32) {
	w.taken += int64(n)
	if w.taken < w.size/4 {
		return 0
	}
	increment = uint32(w.taken)
	w.open += w.taken
	w.taken = 0
	return increment
}

// credit gives the peer back what has been taken of the body of s.
func (c *Conn) credit(s *Stream, n int) {
	if n == 0 || s.ended || s.failed != nil || c.streams[s.id] != s {
		return
	}
	if increment := s.receive.credit(n); increment > 0 {
		_ = c.framer.WriteWindowUpdate(s.id, increment)
	}
}

// creditConn gives back what has arrived on the connection.
func (c *Conn) creditConn(n int) {
	if increment := c.receive.credit(n); increment > 0 {
		_ = c.framer.WriteWindowUpdate(0, increment)
	}
}

// maxWindow is the most a window may be (RFC 9113 section 6.9.1).
const maxWindow = 1<<31 - 1

// windowUpdate opens the window for what we send.
func (c *Conn) windowUpdate(f *http2.WindowUpdateFrame) {
	if f.StreamID == 0 {
		if c.window += int64(f.Increment); c.window > maxWindow {
			c.violated(violation(http2.ErrCodeFlowControl, "the server opened the connection's window too far"))
			return
		}
		c.useless()
		c.wakeUploads()
		return
	}
	s := c.known(f.StreamID, f.Type)
	if s == nil {
		return
	}
	c.useless()
	if s.window += int64(f.Increment); s.window > maxWindow {
		s.violated(violation(http2.ErrCodeFlowControl, "the server opened the stream's window too far"))
		return
	}
	s.notify()
}

// wakeUploads wakes those who wait for the connection's window.
func (c *Conn) wakeUploads() {
	for w := c.following.first; w != nil; w = w.next {
		if w.need == toSend {
			w.signal()
		}
	}
}

// flood counts frames that carry nothing and ask for nothing. A peer may send some, and many over a long time.
type flood struct {
	frames int
	since  time.Time
}

const (
	floodFrames = 1000
	floodTime   = 10 * time.Second
)

// useless counts such a frame, and ends the connection when there are too many.
func (c *Conn) useless() {
	if c.idle.frames++; c.idle.frames < floodFrames {
		return
	}
	now := time.Now()
	if now.Sub(c.idle.since) > floodTime {
		c.idle = flood{since: now}
		return
	}
	c.violated(violation(http2.ErrCodeEnhanceYourCalm, "the server sends too many frames that carry nothing"))
}

// useful notes that something was achieved.
func (c *Conn) useful() { c.idle.frames = 0 }
