package http2

import (
	"context"
	"time"

	"github.com/mountable/requests/internal/wire"
)

// mostInline is up to how large a body is sent with the head, by the caller's goroutine.
const mostInline = 16 << 10

// Do sends req on a new stream of c, which s becomes, and returns when the head of the response has been read. It calls
// done once, where no lock is held, when the stream no longer uses the connection: before it returns, if that is with an
// error, and else when the body of the response has been read or closed and the request has been sent. done may be nil.
// Its errors, and those of the body, are *wire.Error. A Stream is for one call of Do.
//
// A body that is not small is sent by a goroutine of its own. That goes on beside the response, unless the whole of one
// that refuses the request (status 400 or more) has come, the peer resets the stream, or the response is closed.
func (s *Stream) Do(ctx context.Context, c *Conn, req *wire.Request, done Owner) (wire.Response, error) {
	s.conn, s.limits, s.done, s.length, s.bodiless = c, req.Limits, done, -1, req.Method == "HEAD"
	s.reader.stream, s.sender.stream = s, s
	s.response.Proto, s.response.Body = "HTTP/2.0", s
	if ctx.Done() != nil {
		s.ctx = ctx
		s.disarm = context.AfterFunc(ctx, s.canceled)
		if ctx.Err() != nil { // while a trace was told of the connection: nothing is to be sent
			s.canceled()
		}
	}
	complete := false
	defer func() {
		if !complete { // an error, or a panic of the caller's code
			s.abandon()
		}
	}()
	err := s.send(req)
	if err == nil {
		err = s.awaitHead(req)
	}
	if err != nil {
		rethrow(err)
		return wire.Response{}, err
	}
	complete = true
	return s.response, nil
}

// abandon gives up a request that has failed.
func (s *Stream) abandon() {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	s.quit()
	c.flushReplies()
	c.hangUp()
}

// send writes the request, or its head and leaves the body to an upload.
func (s *Stream) send(req *wire.Request) error {
	f, err := frame(req)
	if err != nil {
		return unsent(err)
	}
	size, err := check(req)
	if err != nil {
		return unsent(err)
	}
	small, inline, err := smallBody(req)
	if err != nil {
		return unsent(err)
	}
	if req.Trace != nil {
		s.told = make(chan struct{})
		defer close(s.told)
	}
	whole, fields, err := s.announce(req, f, size, small, inline)
	if err != nil || req.Trace == nil {
		return err
	}
	t := tracer{req.Trace}
	t.wroteHeaders(fields)
	if whole {
		t.wroteRequest(nil)
	}
	return nil
}

// unsent is the error of a request of which nothing has been sent.
func unsent(err error) error { return &wire.Error{Phase: wire.Writing, Err: err} }

// smallBody returns the content of a body that is small and at hand.
func smallBody(req *wire.Request) (content []byte, ok bool, err error) {
	b := req.Body
	if b == nil || req.Trailers != nil || req.ContinueWait > 0 || b.Waits() || b.Len() < 0 || b.Len() > mostInline {
		return nil, false, nil
	}
	if content, ok = b.Bytes(); ok {
		return content, true, nil
	}
	content, err = b.Append(nil)
	return content, true, err
}

// announce opens the stream and writes the head of the request, with the body if that is small. It reports whether
// that was all, and which fields were sent, if somebody wants to know.
func (s *Stream) announce(req *wire.Request, f framing, size uint64, small []byte, inline bool) (whole bool, fields [][2]string, err error) {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	if size > c.peer.headers {
		return false, nil, unsent(errTooLarge)
	}
	if why := c.open(s); why != nil {
		s.end(why)
		return false, nil, s.failure(wire.Writing)
	}
	bodiless := req.Body == nil && req.Trailers == nil
	inline = inline && int64(len(small)) <= min(s.window, c.window)
	c.noting = req.Trace != nil
	c.writeHead(s, req, f, bodiless)
	fields, c.noting, c.noted = c.noted, false, nil
	switch {
	case bodiless:
	case inline:
		s.use(len(small))
		c.writeContent(s, small, true)
	default:
		s.startUpload(req, f)
	}
	c.flush(s)
	c.hangUp()
	return bodiless || inline, fields, nil
}

// awaitHead waits for the head of the response, and hands interim ones on.
func (s *Stream) awaitHead(req *wire.Request) error {
	for {
		interims, headed, first, err := s.nextHead()
		if first {
			s.response.Began = time.Now()
			tracer{req.Trace}.firstByte()
		}
		for _, in := range interims {
			if err := handOn(req, in); err != nil {
				return err
			}
		}
		if headed || err != nil {
			return err
		}
	}
}

// nextHead waits for the final head, or interim ones. first is set if nothing had come before.
func (s *Stream) nextHead() (interims []interim, headed, first bool, err error) {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	s.startWait()
	if !c.await(&s.reader, aHead, (*Stream).readUntil) {
		s.overdueReading()
	}
	interims, s.interims = s.interims, nil
	first = !s.begun && (s.headed || len(interims) > 0)
	s.begun = s.begun || first
	if s.headed {
		s.readEnd()
	} else if s.failed != nil {
		err = s.failure(wire.Waiting)
	}
	c.flushReplies()
	c.hangUp()
	return interims, s.headed, first, err
}

// handOn tells of an interim response. An error ends the request.
func handOn(req *wire.Request, in interim) error {
	if req.Interim != nil {
		if err := req.Interim(in.status, in.fields); err != nil {
			return &wire.Error{Phase: wire.Waiting, Err: err, Written: true, Interim: true}
		}
	}
	if in.status == 100 {
		tracer{req.Trace}.got100()
	}
	return nil
}
