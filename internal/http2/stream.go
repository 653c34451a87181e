package http2

import (
	"context"
	"io"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/mountable/requests/internal/wire"
)

// Stream is one request and its response, and the body of the response as a wire.Stream. All of it is protected by
// the lock of its connection.
type Stream struct {
	conn   *Conn
	id     uint32 // 0 until it is opened
	limits wire.Limits
	ctx    context.Context // nil where it cannot be canceled
	disarm func() bool     // ends the watching of ctx
	done   Owner           // told when the connection is no longer used
	failed *cause
	over   bool    // the reader has what it wanted, or wants no more
	closed bool    // with something of the body unread
	left   bool    // done has been, or is about to be, called
	next   *Stream // of those whose done is about to be called

	// what is received
	reader       waiter
	response     wire.Response
	interims     []interim
	interimCount int
	interimSize  int  // of their fields, as that of a head is counted
	begun        bool // something has come
	headed       bool // the final head has come
	continued    bool // 100 has come
	ended        bool // END_STREAM has come
	bodiless     bool // there is no body, whatever the head says
	length       int64
	received     int64 // of the body, what DATA frames have announced
	taken        int64 // of the body, what has been read
	receive      window
	content      queue // of it, what has not been read
	trailers     [][2]string
	since        time.Time // when the wait that is under way began

	// what is sent
	sender     waiter
	window     int64
	uploading  bool
	stopped    bool      // nothing more of the body is wanted
	sentEnd    bool      // END_STREAM has been sent
	moved      int       // counts what has been sent
	stuckSince time.Time // when the wait for the peer to take some began

	told  chan struct{} // closed once the trace, if there is one, knows of the head
	array [12][2]string // of the head's fields
}

// Owner is told when a stream no longer uses its connection.
type Owner interface{ Done() }

// end ends a stream: its reader and its sender are woken. The first cause counts.
func (s *Stream) end(why *cause) {
	if s.failed == nil {
		s.failed = why
		s.notify()
	}
}

// abort ends a stream from our side.
func (s *Stream) abort(why *cause, code http2.ErrCode) {
	if s.failed == nil {
		s.end(why)
		s.conn.reset(s, code)
	}
}

// violated ends a stream because of what the peer did.
func (s *Stream) violated(v *ViolationError) { s.abort(&cause{err: v}, v.Code) }

// notify wakes those who wait, if they need not any more.
func (s *Stream) notify() {
	for _, w := range [...]*waiter{&s.reader, &s.sender} {
		if w.need != nothing && w.done() {
			s.conn.interrupt(w)
		} else if s.failed != nil {
			w.signal() // waits for its turn to write
		}
	}
}

// canceled runs when the context of the request has ended.
func (s *Stream) canceled() {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	s.abort(&cause{err: contextError(s.ctx)}, http2.ErrCodeCancel)
	c.hurry(s)
	c.flushReplies()
	c.hangUp()
}

// receivedEnd is the end of the response.
func (s *Stream) receivedEnd() {
	if s.failed != nil {
		return
	}
	if s.length >= 0 && s.received != s.length {
		v := violation(http2.ErrCodeProtocol, "the body has %d bytes of a Content-Length of %d", s.received, s.length)
		v.cut = true
		s.violated(v)
		return
	}
	s.ended = true
	if s.response.Status >= 400 && s.uploading {
		s.stopUpload() // not at the head: a server may want to read all before it ends its refusal
	}
	s.settle()
	s.notify()
}

// settle removes a stream of which both directions have ended. A request that was not sent to its end is reset.
func (s *Stream) settle() {
	switch {
	case !s.ended || s.uploading:
	case s.sentEnd:
		s.conn.remove(s)
	default:
		s.conn.reset(s, http2.ErrCodeCancel)
	}
}

// leave notes that the connection is no longer used, when it is not.
func (s *Stream) leave() {
	if c := s.conn; s.over && !s.uploading && !s.left {
		s.left = true
		s.next, c.leaving = c.leaving, s
	}
}

// unlock releases the lock, and tells the owners of streams that have left, and of the connection.
func (c *Conn) unlock() {
	s, changed := c.leaving, c.changed
	c.leaving, c.changed = nil, false
	c.mu.Unlock()
	if changed && c.cfg.Settled != nil {
		c.cfg.Settled()
	}
	for ; s != nil; s = s.next {
		if s.disarm != nil {
			s.disarm()
		}
		if s.done != nil {
			s.done.Done()
		}
	}
}

// quit ends the reader's use of a stream, and with it what is under way.
func (s *Stream) quit() {
	s.over, s.closed = true, true
	s.abort(&cause{err: wire.ErrClosed}, http2.ErrCodeCancel)
	s.stopUpload()
	s.content.clear()
	s.leave()
}

// readUntil is when the wait for the response is over. It begins when the request has been sent: until then the
// peer is not expected to speak.
func (s *Stream) readUntil() time.Time {
	if s.uploading && !s.headed || s.limits.Read <= 0 {
		return s.limits.Deadline
	}
	return sooner(s.since.Add(s.limits.Read), s.limits.Deadline)
}

// sooner returns the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// startWait begins a wait for the response.
func (s *Stream) startWait() {
	if s.limits.Read > 0 {
		s.since = time.Now()
	}
}

// overdueReading ends a stream of which the time to wait for the response is over. The peer is asked whether it is
// there at all.
func (s *Stream) overdueReading() {
	limit := wire.ReadLimit
	if passed(s.limits.Deadline) {
		limit = wire.Deadline
	}
	s.conn.ask(time.Now())
	s.abort(overdue(limit), http2.ErrCodeCancel)
}

// passed reports whether t, zero for never, is over.
func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// Read reads the body.
func (s *Stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := s.take(p)
	rethrow(err)
	return n, err
}

func (s *Stream) take(p []byte) (int, error) {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	n := s.read(p)
	err := s.readError(n)
	s.readEnd()
	c.flushReplies()
	c.hangUp()
	return n, err
}

// read waits for content and takes it.
func (s *Stream) read(p []byte) (n int) {
	c, w := s.conn, &s.reader
	w.dst, w.n = p, 0
	if s.content.size == 0 && s.failed == nil && !s.ended {
		s.startWait()
		if !c.await(w, someData, (*Stream).readUntil) {
			s.overdueReading()
		}
	}
	n = w.n
	w.dst = nil
	if n < len(p) && s.content.size > 0 {
		taken := s.content.read(p[n:])
		c.credit(s, taken)
		n += taken
	}
	s.taken += int64(n)
	return n
}

// readError is what a Read of n bytes returns.
func (s *Stream) readError(n int) error {
	switch {
	case n > 0:
		return nil
	case s.failed != nil:
		return s.failure(wire.Reading)
	}
	return io.EOF
}

// readEnd ends the reader's use of the connection when nothing is left to be read.
func (s *Stream) readEnd() {
	if s.over || s.content.size > 0 || s.failed == nil && !s.ended {
		return
	}
	s.over = true
	s.leave()
	s.linger()
}

// WriteTo copies the rest of the body to w.
func (s *Stream) WriteTo(w io.Writer) (written int64, err error) {
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := s.Read(buf[:])
		if n > 0 {
			m, err := w.Write(buf[:n])
			written += int64(m)
			if err == nil && m < n {
				err = io.ErrShortWrite
			}
			if err != nil {
				return written, err
			}
		}
		if err == io.EOF {
			return written, nil
		}
		if err != nil {
			return written, err
		}
	}
}

const copySize = 32 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// Close ends the stream; the connection stays. The peer is told if it has more to say, or would hear more of the
// request. Behind the end of the response, what is left of the request is sent nevertheless.
func (s *Stream) Close() error {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	s.readEnd()
	if !s.over {
		s.quit()
	}
	c.flushReplies()
	c.hangUp()
	return nil
}

// Remaining returns what is left of a body of known length, -1 otherwise; 0 only when the end has come to the reader,
// not where Close has taken it away.
func (s *Stream) Remaining() int64 {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	switch {
	case s.closed:
		return -1
	case s.ended:
		return int64(s.content.size)
	}
	if left := s.length - s.taken; s.length >= 0 && left > 0 {
		return left
	}
	return -1
}

// Chunked reports that the body has no chunks.
func (s *Stream) Chunked() bool { return false }

// ChunkRemaining returns 0.
func (s *Stream) ChunkRemaining() int64 { return 0 }

// Verifiable reports that a body that was cut short can be told from a complete one.
func (s *Stream) Verifiable() bool { return true }

// Trailers returns the fields behind the body, once it has been read to its end.
func (s *Stream) Trailers() [][2]string {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if !s.ended || s.closed || s.content.size > 0 {
		return nil
	}
	return s.trailers
}

// LimitUntil ends the reading of the body at t, if nothing ends it before.
func (s *Stream) LimitUntil(t time.Time) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.limits.Deadline = sooner(s.limits.Deadline, t)
	s.conn.interrupt(&s.reader)
}
