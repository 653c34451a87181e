// Package http1 carries one exchange at a time over an HTTP/1.1 connection: it writes
// the request, reads the response, and says whether the connection may carry another.
//
// A request that is small or has no body is written and answered on the caller's
// goroutine. Any other body is sent by a goroutine of its own (upload.go), so that the
// server may respond, and be listened to, while it takes the body in.
package http1

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests/internal/h1"
)

// Conn is a connection as it is kept between exchanges. Idle, it holds no buffer.
type Conn struct {
	net.Conn
	reader h1.Reader
	source source
	turner turner // nil where there is none
	plain  bool   // no TLS between the caller and the socket

	// watched is the exchange that cancel ends. Nobody changes it while cancel may run: it is
	// set before a context is watched, and taken away when the watching has ended without.
	watched *Exchange
	cancel  func() // made once, for the contexts of all exchanges
}

// turner is a connection that can write, and wait for what comes back, at once: see Turn of [dial.Conn].
type turner interface {
	Turn(request, into []byte) (wrote, read int, writeErr, readErr error)
}

// NewConn makes a Conn of an open connection. plain says that no TLS lies above the
// socket, the proxy's neither: then the kernel may send files, and a write that ran out
// of time may be continued.
func NewConn(c net.Conn, plain bool) *Conn {
	hc := &Conn{Conn: c, plain: plain}
	hc.source.conn = c
	if plain {
		hc.turner, _ = c.(turner)
	}
	hc.cancel = func() { hc.watched.giveUp() }
	hc.reader.Reset(&hc.source)
	return hc
}

// source gives every read of a connection its time limit. The limits are those of the
// exchange that is using it.
type source struct {
	conn    net.Conn
	stopped *atomic.Bool // nothing is to be waited for any more
	first   func()       // called when the first byte has come; may be nil
	began   time.Time    // when that was, zero before

	// mu protects the fields below.
	mu       sync.Mutex
	limit    time.Duration // of each read, 0 for none
	deadline time.Time     // of the exchange, zero for none
	sending  bool          // the request is being sent: the peer need not speak, and limit does not count
	armed    bool          // a deadline is set on the connection
}

// begin sets the limits of an exchange.
func (s *source) begin(limit time.Duration, deadline time.Time, stopped *atomic.Bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit, s.deadline, s.stopped, s.sending, s.began = limit, deadline, stopped, false, time.Time{}
}

// end takes the limits away, and reports whether the connection let it.
func (s *source) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit, s.deadline, s.stopped, s.first = 0, time.Time{}, nil, nil
	return s.arm() == nil
}

func (s *source) Read(b []byte) (int, error) {
	if err := s.ready(); err != nil {
		return 0, err
	}
	n, err := s.conn.Read(b)
	s.came(n)
	return n, err
}

// ready sets the time limit of the next read.
func (s *source) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arm()
}

// came notes when the first bytes have come.
func (s *source) came(n int) {
	if n > 0 && s.began.IsZero() {
		s.began = time.Now()
		if s.first != nil {
			s.first()
		}
	}
}

// arm sets the read deadline. A cancellation sets one in the past from another
// goroutine, which must not be overwritten: it raises stopped first, so looking at
// stopped after setting misses nothing.
func (s *source) arm() error {
	t := s.deadline
	if !s.sending {
		t = sooner(time.Time{}, s.limit, s.deadline)
	}
	if s.armed || !t.IsZero() {
		if err := settable(s.conn.SetReadDeadline(t)); err != nil {
			return err
		}
		s.armed = !t.IsZero()
	}
	if s.stopped != nil && s.stopped.Load() {
		return errStopped
	}
	return nil
}

// settable returns err, of setting a deadline, unless a pipe in memory has it because its other end is closed: how that
// ends the exchange is for the next Read or Write to say.
func settable(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

// hold takes the limit off the reads until release, as long as a body is being sent.
func (s *source) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sending = true
}

// release begins the wait for the peer, for a read that is under way as well.
func (s *source) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sending = false
	if s.limit > 0 && s.arm() == errStopped {
		_ = s.conn.SetReadDeadline(past)
	}
}

// limitUntil ends all reads at t, if nothing ends them before.
func (s *source) limitUntil(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deadline.IsZero() || t.Before(s.deadline) {
		s.deadline = t
	}
}

// limits returns what bounds the exchange.
func (s *source) limits() (limit time.Duration, deadline time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit, s.deadline
}

// past is a deadline that ends what is blocked at once.
var past = time.Unix(1, 0)

// sooner returns now+limit or the deadline, whichever comes first, zero for never. A zero now is found out.
func sooner(now time.Time, limit time.Duration, deadline time.Time) time.Time {
	if limit <= 0 {
		return deadline
	}
	if now.IsZero() {
		now = time.Now()
	}
	t := now.Add(limit)
	if !deadline.IsZero() && deadline.Before(t) {
		return deadline
	}
	return t
}

// passed reports whether t, zero for never, is over.
func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }
