package requests

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/pool"
)

// conn is a connection as the pool keeps it. Idle, it holds no buffer.
type conn struct {
	net.Conn
	reader h1.Reader
	source deadlineReader
	state  *tls.ConnectionState // of the origin's TLS
	plain  bool                 // no TLS at all, the proxy's neither
	h2     bool                 // the server has chosen HTTP/2

	writeArmed bool // a write deadline is set
}

func newConn(c net.Conn) *conn {
	pc := &conn{Conn: c}
	pc.source.conn = c
	pc.reader.Reset(&pc.source)
	return pc
}

// deadlineReader gives every read its time limit. The limits are those of the
// exchange that is using the connection.
type deadlineReader struct {
	conn     net.Conn
	limit    time.Duration // per read, 0 for none
	deadline time.Time     // of the whole, zero for none
	armed    bool          // a deadline is set on the connection
	stopped  *atomic.Bool  // the context has been cancelled
	peeked   []byte        // read ahead while a body was being sent
}

func (d *deadlineReader) Read(b []byte) (int, error) {
	if err := d.arm(); err != nil {
		return 0, err
	}
	if len(d.peeked) > 0 {
		n := copy(b, d.peeked)
		d.peeked = d.peeked[n:]
		return n, nil
	}
	return d.conn.Read(b)
}

// arm sets the read deadline. A cancellation sets one in the past from another
// goroutine, which must not be overwritten: it raises stopped first, so looking at
// stopped after setting misses nothing.
func (d *deadlineReader) arm() error {
	if d.limit > 0 || !d.deadline.IsZero() || d.armed {
		t := sooner(d.limit, d.deadline)
		if err := d.conn.SetReadDeadline(t); err != nil {
			return err
		}
		d.armed = !t.IsZero()
	}
	if d.stopped != nil && d.stopped.Load() {
		return errStopped
	}
	return nil
}

// sooner returns now+limit or the deadline, whichever comes first, zero for never.
func sooner(limit time.Duration, deadline time.Time) time.Time {
	if limit <= 0 {
		return deadline
	}
	t := time.Now().Add(limit)
	if !deadline.IsZero() && deadline.Before(t) {
		return deadline
	}
	return t
}

// exchange is one request and its reply on one connection: what is written, what
// is read, and the body as the response's Raw.
type exchange struct {
	conn    *conn
	adapter *HTTPAdapter // lent the connection
	lease   pool.Lease[ConnConfig, *conn]
	ctx     context.Context
	disarm  func() bool // ends the watching of ctx
	stopped atomic.Bool

	method  string
	head    h1.ResponseHead
	framing h1.Framing
	body    h1.Body
	unsent  bool  // the request was not sent to its end
	written int64 // bytes of it
	over    bool
	limits  *h1.Limits
	writer  bodyWriter
	interim func(*h1.ResponseHead) error // given the 1xx responses; may be nil

	fields [24][2]string // room for the reply's header
}

// watch makes a cancelled context end every blocked read and write at once.
func (x *exchange) watch(ctx context.Context) {
	x.ctx = ctx
	if ctx.Done() == nil {
		return
	}
	x.conn.source.stopped = &x.stopped
	nc := x.conn.Conn
	x.disarm = context.AfterFunc(ctx, func() {
		x.stopped.Store(true)
		_ = nc.SetDeadline(time.Unix(1, 0))
	})
}

// unwatch stops watching and reports whether the context left the connection alone.
func (x *exchange) unwatch() bool {
	if x.disarm == nil {
		return true
	}
	untouched := x.disarm()
	x.disarm = nil
	return untouched
}

// readHead reads the reply's head and prepares its body. A body that is known to
// be empty ends the exchange.
func (x *exchange) readHead() error {
	x.head.Fields = x.fields[:0]
	if err := x.conn.reader.ReadFinalHead(&x.head, x.limits, x.interim); err != nil {
		return err
	}
	framing, length, err := h1.ResponseFraming(x.method, &x.head)
	if err != nil {
		return err
	}
	x.framing = framing
	x.body.Init(&x.conn.reader, framing, length, x.limits)
	return nil
}

// Read reads the body as it is on the wire, framing undone.
func (x *exchange) Read(b []byte) (int, error) {
	if x.over {
		return 0, x.afterwards()
	}
	n, err := x.body.Read(b)
	if err != nil || x.body.Done() {
		x.finish(err)
	}
	if err != nil && err != io.EOF && x.stopped.Load() {
		err = x.ctx.Err()
	}
	return n, err
}

// hurry ends the reading of the body at t, if nothing ends it before.
func (x *exchange) hurry(t time.Time) {
	if x.over {
		return // the connection may be somebody else's by now
	}
	if d := &x.conn.source; d.deadline.IsZero() || t.Before(d.deadline) {
		d.deadline = t
	}
}

// afterwards is what reading gives once the exchange is over.
func (x *exchange) afterwards() error {
	if x.body.Done() {
		return io.EOF
	}
	return errBodyClosed
}

// WriteTo copies the rest of the body to w.
func (x *exchange) WriteTo(w io.Writer) (int64, error) {
	if x.over {
		if err := x.afterwards(); err != io.EOF {
			return 0, err
		}
		return 0, nil
	}
	n, err := x.body.WriteTo(w)
	if err != nil || x.body.Done() {
		x.finish(err)
	}
	if err != nil && x.stopped.Load() {
		err = x.ctx.Err()
	}
	return n, err
}

// Close ends the exchange: the connection is kept if the body was read to its
// end, and closed otherwise.
func (x *exchange) Close() error {
	x.finish(nil)
	return nil
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (x *exchange) Remaining() int64 {
	switch x.framing {
	case h1.NoBody:
		return 0
	case h1.Length:
		if n, err := x.body.Chunk(); err == nil {
			return n
		}
		return 0
	}
	return -1
}

// Chunked reports whether the body comes in chunks.
func (x *exchange) Chunked() bool { return x.framing == h1.Chunked }

// ChunkRemaining is what is left of the current chunk; it waits for the next
// one's size where one has ended. 0 at the end, or on an error, which the next
// read gives.
func (x *exchange) ChunkRemaining() int64 {
	n, err := x.body.Chunk()
	if err != nil {
		return 0
	}
	return n
}

// Trailers returns the fields after a chunked body.
func (x *exchange) Trailers() Headers { return Headers(x.body.Trailers()) }

// Verifiable reports whether the end of the body could be told from a connection
// cut short: not where only the end of the connection ends it.
func (x *exchange) Verifiable() bool { return x.framing != h1.UntilClose }

// finish gives the connection back, once: to be kept if everything about the
// exchange allows it.
func (x *exchange) finish(err error) {
	if x.over {
		return
	}
	x.over = true
	c := x.conn
	keep := x.unwatch() && (err == nil || err == io.EOF) && x.keepable()
	if keep {
		keep = c.reader.Release()
	}
	c.source.stopped = nil
	if keep && c.source.armed {
		c.source.limit, c.source.deadline = 0, time.Time{}
		keep = c.source.arm() == nil
	}
	x.adapter.giveBack(x.lease, c, keep)
}

// mayBeUnread is more of a request than servers take in without looking at it.
const mayBeUnread = 64 << 10

// keepable asks the protocol, and does not trust it where a long request is refused:
// such replies come early, and servers announce to keep connections (squid does, with
// its 407) on which they lose their way in the rest of the body.
func (x *exchange) keepable() bool {
	if x.head.Status >= 400 && x.written > mayBeUnread {
		return false
	}
	e := h1.Exchange{Method: x.method, Head: &x.head, Framing: x.framing, Body: &x.body, Reader: &x.conn.reader, Unsent: x.unsent}
	return e.Verdict() == h1.Keep
}

type stopError struct{}

func (stopError) Error() string   { return "the context was cancelled" }
func (stopError) Timeout() bool   { return true }
func (stopError) Temporary() bool { return true }

// errStopped ends a read that was about to wait on a cancelled context.
var errStopped error = stopError{}

// errBodyClosed is what a body gives that was closed before its end.
var errBodyClosed = fail(ErrStreamConsumed, "the response was closed before its body was read")
