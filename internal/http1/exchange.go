package http1

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wire"
)

// Fate is what becomes of a connection after an exchange.
type Fate uint8

// The fates.
const (
	Close  Fate = iota // it must be closed
	Keep               // it may carry another exchange
	Detach             // it has been left to another protocol, whose reader closes it
)

// Exchange is one request and its response on one connection, and the body of the
// response as a [wire.Stream].
//
//	state       left by                                   what is held
//	sending     the head of the response, a failure       connection, maybe an upload
//	streaming   the body's end, a failure, Close, ctx     connection, maybe an upload
//	over        -                                         nothing: reads give the end, or the error
//
// done is called once, on the way to over; the connection may already serve another
// exchange when it returns. The upload, which may outlive the head of the response, ends
// before that, except that it may still wait for the caller's body to give something.
//
// The body, and the connection's reader below it, belong to one goroutine at a time: to who
// has entered a read, or to who ends the exchange. Close, which may come from anywhere,
// stops a read that is under way and leaves the rest to it; else it keeps others out.
type Exchange struct {
	conn   *Conn
	done   func(Fate)
	ctx    context.Context
	disarm func() bool // ends the watching of ctx

	stopped atomic.Bool // everything that is blocked has been ended: ctx, or a failed upload
	unsent  bool        // the request was not sent to its end

	// mu protects the fields below.
	mu      sync.Mutex
	handed  bool // the response is the caller's
	reading bool // a read of the body is under way
	closing bool // Close was called before: no read may begin
	ending  bool // the read that was under way ends the exchange
	over    bool
	gaveUp  bool  // the context ended it between reads
	drained bool  // Close has read some of the rest, which the reader has not seen
	failed  error // ended the body before its end: later reads give it, too

	request sent
	head    h1.ResponseHead
	framing h1.Framing
	body    h1.Body
	upload  *upload // of a body that is not sent at once
	trace   tracer
	written atomic.Int64

	fields [12][2]string // room for the response's header
}

// sent is what is remembered of the request.
type sent struct {
	method  string
	limits  wire.Limits
	heads   *h1.Limits
	closes  bool // it says Connection: close
	upgrade bool // it asks for another protocol
}

// Do sends req on c and returns when the head of the response has been read. It calls
// done once: before it returns, if that is with an error, and else when the body of the
// response is over. Its errors, and those of the body, are *wire.Error.
func (x *Exchange) Do(ctx context.Context, c *Conn, req *wire.Request, heads *h1.Limits, done func(Fate)) (wire.Response, error) {
	x.conn, x.done = c, done
	x.request.note(req, heads)
	x.trace = tracer{req.Trace}
	c.source.first = x.trace.firstByte()
	c.source.begin(req.Limits.Read, req.Limits.Deadline, &x.stopped)
	x.watch(ctx)
	returned := false
	defer func() {
		if !returned {
			x.finish(errPanicked) // of the caller's code
		}
	}()
	response, err := x.roundTrip(req)
	returned = true
	if err != nil {
		failure := x.failure(err)
		x.finish(err)
		x.rethrow()
		return wire.Response{}, failure
	}
	x.handOver()
	return response, nil
}

// watch makes a canceled context end every blocked read and write at once.
func (x *Exchange) watch(ctx context.Context) {
	x.ctx = ctx
	if ctx.Done() != nil {
		x.conn.watched = x
		x.disarm = context.AfterFunc(ctx, x.conn.cancel)
		if ctx.Err() != nil { // while a trace was told of the connection: nothing is to be written
			x.stopped.Store(true)
		}
	}
}

// stop ends every blocked read and write.
func (x *Exchange) stop() {
	x.stopped.Store(true)
	_ = x.conn.SetDeadline(past)
}

// unwatch stops watching and reports whether the context left the connection alone.
func (x *Exchange) unwatch() bool {
	if x.disarm == nil {
		return true
	}
	untouched := x.disarm()
	if x.disarm = nil; untouched {
		x.conn.watched = nil
	}
	return untouched
}

// roundTrip writes the request and reads the head of the response. A server that
// responds before it has taken the whole body is listened to: its response wins over
// the failure to write.
func (x *Exchange) roundTrip(req *wire.Request) (wire.Response, error) {
	writeErr := x.send(req)
	if writeErr != nil {
		x.unsent = true
		if !isReset(writeErr) || x.stopped.Load() {
			return wire.Response{}, writeErr
		}
	}
	response, err := x.readHead(req)
	if err == nil {
		return response, nil
	}
	if failed := x.upload.failure(); failed != nil {
		err = failed
	} else if writeErr != nil {
		err = writeErr
	}
	return wire.Response{}, err
}

// readHead reads the head of the response and prepares its body. One that is known to be
// empty holds the connection until it is read or closed, as in Requests.
func (x *Exchange) readHead(req *wire.Request) (response wire.Response, err error) {
	x.head.Fields = x.fields[:0]
	err = x.conn.reader.ReadFinalHead(&x.head, x.request.heads, x.interim(req))
	upgrade := x.leavesHTTP(err)
	if err != nil && !upgrade {
		return response, err
	}
	response = wire.Response{Proto: "HTTP/1.1", Status: x.head.Status, Reason: x.head.Reason, Fields: x.head.Fields, Body: x, Began: x.conn.source.began}
	if x.head.Minor == 0 {
		response.Proto = "HTTP/1.0"
	}
	if upgrade {
		response.Body, err = x.leaveHTTP()
		return response, err
	}
	framing, length, err := h1.ResponseFraming(x.request.method, &x.head)
	if err != nil {
		return response, err
	}
	x.framing = framing
	x.body.Init(&x.conn.reader, framing, length, x.request.heads)
	x.responded()
	return response, nil
}

// interim is what the reader calls for each 1xx response, nil for nothing.
func (x *Exchange) interim(req *wire.Request) func(*h1.ResponseHead) error {
	if req.Interim == nil && x.upload == nil {
		return nil
	}
	call := req.Interim
	return func(h *h1.ResponseHead) error {
		if h.Status == 100 && x.upload != nil {
			if x.upload.wait > 0 {
				x.trace.got100()
			}
			x.upload.proceed()
		}
		if call == nil {
			return nil
		}
		if err := call(h.Status, h.Fields); err != nil {
			return interimError{err}
		}
		return nil
	}
}

// responded decides what the head of the response means to an upload that is under
// way. It goes on, unless the server will close the connection, or has decided without a
// body that is held back. One that is on its way is refused by the whole response, not by
// its head: a server may want to read all of it first.
func (x *Exchange) responded() {
	switch up := x.upload; {
	case up == nil:
	case (x.head.Status >= 300 || !x.mayKeep()) && up.deny():
	case !x.mayKeep():
		up.refuse()
	case !x.refused():
		up.proceed()
	}
}

// refused reports whether the server does not want the request.
func (x *Exchange) refused() bool { return x.head.Status >= 400 }

// finish gives the connection back, once: to be kept if everything about the
// exchange allows it.
func (x *Exchange) finish(err error) {
	x.mu.Lock()
	over := x.over
	x.over, x.reading = true, false
	x.mu.Unlock()
	if !over {
		x.release(err)
	}
}

// release ends what is under way, and gives the connection back.
func (x *Exchange) release(err error) {
	whole := (err == nil || err == io.EOF) && x.body.Done()
	if up := x.upload; up != nil && !up.end(whole, x.refused()) {
		x.unsent = true
	}
	c := x.conn
	fate := Close
	if x.unwatch() && !x.stopped.Load() && whole && x.keepable() && c.reader.Release() && c.source.end() {
		fate = Keep
	}
	x.done(fate)
}

// mayBeUnread is more of a request than servers take in without looking at it.
const mayBeUnread = 64 << 10

// keepable asks the protocol, and does not trust it where a long request is refused:
// such responses come early, and servers announce to keep connections (squid does, with
// its 407) on which they lose their way in the rest of the body.
func (x *Exchange) keepable() bool {
	if x.refused() && x.written.Load() > mayBeUnread {
		return false
	}
	return !x.request.closes && x.verdict() == h1.Keep
}

func (x *Exchange) verdict() h1.Verdict {
	e := h1.Exchange{Method: x.request.method, Head: &x.head, Framing: x.framing, Body: &x.body, Reader: &x.conn.reader, Unsent: x.unsent}
	return e.Verdict()
}

// mayKeep reports whether the head of the response leaves the connection open.
func (x *Exchange) mayKeep() bool {
	e := h1.Exchange{Method: x.request.method, Head: &x.head, Framing: x.framing}
	v := e.Verdict()
	return !x.request.closes && (v == h1.Keep || v == h1.BodyUnread)
}

var _ wire.Stream = (*Exchange)(nil)
