package http2

import (
	"sync"
	"time"
)

// output is a buffer of frames to be written.
type output struct{ b []byte }

// mostOutput is the capacity of buffers that are kept: a segment of a body with its frames' headers, and more.
const mostOutput = 2 * segmentSize

var outputs = sync.Pool{New: func() any { return &output{make([]byte, 0, 4<<10)} }}

func (o *output) release() {
	if o != nil && cap(o.b) <= mostOutput {
		o.b = o.b[:0]
		outputs.Put(o)
	}
}

// buffer is what frames are appended to.
func (c *Conn) buffer() *output {
	if c.out == nil {
		c.out = outputs.Get().(*output)
	}
	return c.out
}

// outputOf is where a connection's framer writes to. The lock is held.
type outputOf struct{ c *Conn }

func (w outputOf) Write(p []byte) (int, error) {
	o := w.c.buffer()
	o.b = append(o.b, p...)
	return len(p), nil
}

// flush writes what is in the buffer, on behalf of s, unless somebody else is writing, who will.
func (c *Conn) flush(s *Stream) {
	if c.out == nil || c.writing || c.failed != nil {
		return
	}
	c.writing, c.writer = true, s
	c.endTurn()
}

// flushReplies is flush for who reads: a goroutine writes. The peer may have filled the connection, and wait for us to
// read before it does. What is to be said is little and rare: settings are acknowledged, windows opened, streams reset.
func (c *Conn) flushReplies() {
	if c.out != nil && !c.writing && c.failed == nil {
		c.writing = true
		go c.flushApart()
	}
}

func (c *Conn) flushApart() {
	c.mu.Lock()
	defer c.unlock()
	c.endTurn()
	c.hangUp()
}

// turn waits until s may write. It returns false if the time is over before, or the stream has ended.
func (c *Conn) turn(s *Stream, until time.Time) bool {
	w := &s.sender
	for c.writing && !w.granted {
		if s.failed != nil || s.stopped || c.failed != nil {
			return false
		}
		c.turns.add(w)
		a := w.alarm
		c.unlock()
		inTime := a.wait(until)
		c.mu.Lock()
		c.turns.remove(w)
		if !inTime && !w.granted {
			return false
		}
	}
	w.granted = false
	c.writing, c.writer = true, s
	return true
}

// endTurn writes what is in the buffer, and lets the next one write.
func (c *Conn) endTurn() {
	for c.out != nil && c.failed == nil {
		o := c.out
		c.out, c.pongs = nil, 0
		if !c.muted {
			c.write(o.b)
		}
		o.release()
		if c.turns.first != nil {
			break // who waits writes the rest
		}
	}
	c.writer = nil
	if w := c.turns.first; w != nil && c.failed == nil {
		w.granted = true
		w.signal()
		return
	}
	c.writing = false
}

// write writes b, with the lock released.
func (c *Conn) write(b []byte) {
	until := c.writer.writeUntil()
	if !c.writeUntil.IsZero() || !until.IsZero() {
		c.writeUntil = until
		_ = c.nc.SetWriteDeadline(until) // if it cannot be set, the write says why
	}
	c.mu.Unlock()
	err := c.during(func() error { _, err := c.nc.Write(b); return err }, c.stopWriting)
	if err == nil {
		return
	}
	if s := c.writer; s != nil && s.failed == nil && isOverdue(err) {
		s.end(s.overdueWriting())
	}
	switch {
	case isOverdue(err):
		c.lost(errStuck) // in the middle of a frame
	case isReset(err):
		c.unheard()
	default:
		c.lost(err)
	}
}

// unheard ends the writing: the peer takes no more. What it has said before is still read, up to its end.
func (c *Conn) unheard() {
	c.muted = true
	c.capacity.Store(0)
	for _, s := range c.streams {
		s.stopUpload()
	}
}

// writeUntil is when a write on behalf of s, or of nobody, that begins now is to be over. The deadline of the whole
// request leaves it some time, as to end it in the middle of a frame costs every stream the connection.
func (s *Stream) writeUntil() (until time.Time) {
	switch {
	case s == nil:
	case s.failed != nil:
		return time.Now().Add(s.grace())
	case s.limits.Write > 0:
		until = time.Now().Add(s.limits.Write)
	}
	if s != nil && !s.limits.Deadline.IsZero() {
		until = sooner(until, later(s.limits.Deadline, time.Now().Add(s.grace())))
	}
	return until
}

// cancelGrace is how long a write that is under way may still take when the request it belongs to is canceled and its
// caller waits for the write.
const cancelGrace = time.Second

// grace is how long a write on behalf of s may still take when s has ended. To cut it short costs every other stream the
// connection, so the goroutine of an upload, for which nobody waits, has as long as the peer has to answer a PING.
func (s *Stream) grace() time.Duration {
	if s.uploading {
		return pingWait
	}
	return cancelGrace
}

// hurry limits the write that the goroutine of s is in.
func (c *Conn) hurry(s *Stream) {
	if c.writer == s && s != nil {
		c.writeUntil = time.Now().Add(s.grace())
		_ = c.nc.SetWriteDeadline(c.writeUntil)
	}
}
