package http2

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wire"
)

// upload sends the body of a request, on a goroutine of its own.
//
//	state      left by
//	held back  100, a final response, the end of wait
//	sending    the end of the body; a failure, which ends the stream; Stream.stopped
//	finished   -
//
// Nobody waits for it: a Read of the caller's body that does not return keeps the goroutine, and nothing else.
type upload struct {
	stream   *Stream
	body     *body.Body
	length   int64 // -1 where it is not known
	trailers func() [][2]string
	wait     time.Duration   // for 100
	told     <-chan struct{} // closed once a trace knows of the head, which comes first; nil without a trace
	tracer
	sent int64
}

// errStopped ends an upload of which no more is wanted.
var errStopped = errors.New("the upload was ended")

// startUpload begins to send the body.
func (s *Stream) startUpload(req *wire.Request, f framing) {
	b := req.Body
	if b == nil {
		b = new(body.Body)
	}
	u := &upload{stream: s, body: b, length: f.length, trailers: req.Trailers, wait: req.ContinueWait, told: s.told, tracer: tracer{req.Trace}}
	s.uploading = true
	s.conn.uploads++
	go u.run()
}

// run is the goroutine.
func (u *upload) run() {
	var err error = panicked{}
	defer func() {
		if p, ok := err.(panicked); ok {
			p.value = recover()
			err = p
		}
		u.finish(err)
	}()
	if u.told != nil {
		<-u.told
	}
	sent := errStopped
	if u.heldBack() {
		sent = u.send()
	}
	u.wroteRequest(sent) // which is the caller's code too
	err = sent
}

// heldBack waits until the body may follow the head, and reports whether it may at all.
func (u *upload) heldBack() bool {
	if u.wait <= 0 {
		return true
	}
	u.wait100()
	s, c := u.stream, u.stream.conn
	c.mu.Lock()
	defer c.unlock()
	end := time.Now().Add(u.wait)
	c.await(&s.sender, toContinue, func(s *Stream) time.Time { return sooner(end, s.limits.Deadline) })
	if s.headed && !s.continued && s.response.Status >= 300 {
		s.stopUpload() // the server has decided without it
	}
	return s.failed == nil && !s.stopped
}

// send sends all there is.
func (u *upload) send() error {
	if err := u.body.Send(u); err != nil {
		return err
	}
	if u.length >= 0 && u.sent != u.length {
		return body.LengthError("the body ended after %d bytes of %d", u.sent, u.length)
	}
	if data, ok := u.body.Bytes(); ok && len(data) > 0 && u.trailers == nil {
		return nil // END_STREAM went with it
	}
	return u.close()
}

// close sends what ends the stream: trailers, or a frame without content.
func (u *upload) close() error {
	var trailers [][2]string
	if u.trailers != nil {
		trailers = u.trailers()
	}
	for _, f := range trailers {
		if err := h1.CheckField(f[0], f[1]); err != nil {
			return err
		}
	}
	s, c := u.stream, u.stream.conn
	c.mu.Lock()
	defer c.unlock()
	if s.failed != nil || s.stopped {
		return errStopped
	}
	if len(trailers) > 0 {
		c.writeTrailers(s, trailers)
	} else {
		c.writeContent(s, nil, true)
	}
	c.flush(s)
	c.hangUp()
	return nil
}

// finish notes the end of the upload. A failure of the body ends the stream, so that the peer does not take half a
// request for a whole one.
func (u *upload) finish(err error) {
	s, c := u.stream, u.stream.conn
	c.mu.Lock()
	defer c.unlock()
	if err != nil && err != errStopped && s.failed == nil && !s.stopped {
		s.abort(&cause{err: readerError(err), writing: true}, http2.ErrCodeCancel)
	}
	s.stopUpload()
	s.startWait()
	s.settle()
	c.interrupt(&s.reader) // its wait begins now
	c.flush(s)
	c.hangUp()
}

// readerError is an error of the caller's body.
func readerError(err error) error {
	switch err.(type) {
	case *body.Error, *h1.Error, panicked:
		return err
	}
	return body.ReadError(err)
}

// stopUpload ends the sending of the body, as far as the connection is concerned.
func (s *Stream) stopUpload() {
	s.stopped = true
	if s.uploading {
		s.uploading = false
		s.conn.uploads--
		s.conn.interrupt(&s.sender)
		s.leave()
	}
}

// stallTime is how long nothing may happen to an upload that goes on behind the end of the response: its body may
// never give anything again, or the peer never take it. A slow reader's window opens by blocks: by 32 KiB of 64, as a rule.
const stallTime = 5 * time.Second

// linger ends an upload that goes on behind the end of the response, when it gets no further.
func (s *Stream) linger() {
	if s.uploading {
		moved := s.moved
		time.AfterFunc(stallTime, func() { s.checkStall(moved) })
	}
}

func (s *Stream) checkStall(moved int) {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	if s.moved != moved {
		s.linger()
		return
	}
	s.stopUpload()
	s.settle()
	c.flushReplies()
	c.hangUp()
}

// Write sends p as part of the body.
func (u *upload) Write(p []byte) (int, error) {
	if u.length >= 0 && u.sent+int64(len(p)) > u.length {
		return 0, body.LengthError("the body is longer than the %d bytes announced", u.length)
	}
	if len(p) == 0 {
		return 0, u.wanted()
	}
	_, inMemory := u.body.Bytes()
	last := inMemory && u.trailers == nil
	for n := 0; n < len(p); {
		m, err := u.some(p[n:], last)
		u.sent += int64(m)
		if n += m; err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// wanted is an error where no more of the body is. What gives nothing, and will not end by itself, is told so.
func (u *upload) wanted() error {
	s, c := u.stream, u.stream.conn
	c.mu.Lock()
	defer c.unlock()
	if s.failed != nil || s.stopped {
		return errStopped
	}
	return nil
}

// some sends as much of p as the windows and one write allow. last says that nothing follows p.
func (u *upload) some(p []byte, last bool) (n int, err error) {
	s, c := u.stream, u.stream.conn
	c.mu.Lock()
	defer c.unlock()
	s.stuckSince = time.Now()
	for n == 0 {
		inTime := c.await(&s.sender, toSend, (*Stream).sendUntil) && c.turn(s, s.sendUntil())
		switch {
		case s.failed != nil || s.stopped:
			err = errStopped
		case !inTime:
			s.abort(s.overdueWriting(), http2.ErrCodeCancel)
			err = errStopped
		default: // while waiting for the turn, others may have used up the connection's window
			n = int(min(int64(len(p)), s.window, c.window, segmentSize))
		}
		if n > 0 {
			s.use(n)
			c.writeContent(s, p[:n], last && n == len(p))
		}
		if inTime {
			c.endTurn()
		}
		if err != nil {
			break
		}
	}
	c.hangUp()
	return n, err
}

// use counts what is sent of the body.
func (s *Stream) use(n int) {
	s.window -= int64(n)
	s.conn.window -= int64(n)
	s.moved++
	s.conn.useful()
}

// sendUntil is when the wait for the peer to take some of the request is over.
func (s *Stream) sendUntil() time.Time {
	if s.limits.Write <= 0 {
		return s.limits.Deadline
	}
	return sooner(s.stuckSince.Add(s.limits.Write), s.limits.Deadline)
}

// overdueWriting is the cause of a stream that waited too long for the peer to take some of the request.
func (s *Stream) overdueWriting() *cause {
	why := overdue(wire.WriteLimit)
	if passed(s.limits.Deadline) {
		why.limit = wire.Deadline
	}
	why.writing = true
	return why
}

// segmentSize is how much is written at a time.
const segmentSize = 64 << 10

var segments = sync.Pool{New: func() any { return new([segmentSize]byte) }}

// ReadFrom sends all r gives as part of the body, each block as soon as it is there.
func (u *upload) ReadFrom(r io.Reader) (int64, error) {
	block := segments.Get().(*[segmentSize]byte)
	defer segments.Put(block)
	before := u.sent
	for {
		n, err := r.Read(block[:])
		if n > 0 || err == nil {
			if _, failed := u.Write(block[:n]); failed != nil {
				return u.sent - before, failed
			}
		}
		if err == io.EOF {
			return u.sent - before, nil
		}
		if err != nil {
			return u.sent - before, readerError(err)
		}
	}
}

// maxContent is the content of a DATA frame, so that it is one TLS record with its header.
const maxContent = maxFrame - frameHeader

// writeContent writes p to the buffer as DATA frames.
func (c *Conn) writeContent(s *Stream, p []byte, last bool) {
	for first := true; first || len(p) > 0; first = false {
		n := min(len(p), maxContent)
		c.writeData(s.id, p[:n], last && n == len(p))
		p = p[n:]
	}
	s.sentEnd = s.sentEnd || last
}

// writeData writes a DATA frame. The framer would copy the content twice.
func (c *Conn) writeData(id uint32, p []byte, last bool) {
	o := c.buffer()
	var h [frameHeader]byte
	binary.BigEndian.PutUint32(h[:], uint32(len(p))<<8|uint32(http2.FrameData))
	if last {
		h[4] = byte(http2.FlagDataEndStream)
	}
	binary.BigEndian.PutUint32(h[5:], id)
	o.b = append(append(o.b, h[:]...), p...)
}

// panicked is the error of an upload whose body panicked, or ended its goroutine: then the value is nil.
type panicked struct{ value any }

func (p panicked) Error() string {
	if p.value == nil {
		return "the code of the caller ended its goroutine"
	}
	return "the code of the caller panicked"
}

// rethrow hands a panic of the caller's code on to the caller, whose goroutine this is.
func rethrow(err error) {
	if err == nil || err == io.EOF {
		return
	}
	if p, ok := errors.AsType[panicked](err); ok && p.value != nil {
		panic(p.value)
	}
}
