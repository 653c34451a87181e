package http1

import (
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wire"
)

// upload sends the body of a request on a goroutine of its own, which the exchange's
// caller starts and which ends with the body, a failure, or cut.
//
//	state      left by
//	held back  a 100, a final response below 300, the end of ContinueWait; cut, by any other final response
//	           what is for a tunnel: its opening; cut, by any other final response
//	sending    the end of the body; a failure, which ends the exchange; cut
//	finished   -
//
// A response does not end it, unless it closes the connection (RFC 9112 section 9.5), or all
// of one has come that refuses the request (status 400 or more). Whoever waits for the upload never waits for
// the caller's body: a Read that does not return keeps the goroutine, and nothing else.
type upload struct {
	writer
	body     body.Body
	framing  framing
	trailers func() [][2]string
	wait     time.Duration // for a 100
	trace    tracer

	goOn     chan struct{} // closed when the body need not be held back
	stop     chan struct{} // closed by cut
	finished chan struct{} // closed when nothing more is written

	reading atomic.Bool // in the caller's code

	// writing protects the fields below.
	writing sync.Mutex
	pending []byte // the head, and the end of a body that may turn out too long
	timer   *time.Timer
	sent    int64 // bytes of the body

	headSent bool

	// mu protects the fields below.
	mu         sync.Mutex
	done       bool // finished is closed
	ended      bool // the exchange is over: its connection is not to be touched
	went       bool // it is not held back any more: goOn is closed, or it is cut
	denied     bool // it was held back to the end
	err        error
	panicValue any
}

// holdBack is how long bytes wait for what the caller's body gives next, so that a head
// and a small body go out in one write. A body that takes longer is a slow one.
const holdBack = 10 * time.Millisecond

const segmentSize = 128 << 10

var segments = sync.Pool{New: func() any { return new([segmentSize]byte) }}

// startUpload sends head and body on another goroutine.
func (x *Exchange) startUpload(req *wire.Request, f framing, head []byte) {
	u := &upload{
		framing: f, trailers: req.Trailers, wait: req.ContinueWait, trace: x.trace,
		goOn: make(chan struct{}), stop: make(chan struct{}), finished: make(chan struct{}),
		pending: append(make([]byte, 0, len(head)+body.EndSize), head...),
	}
	if req.Body != nil {
		u.body = *req.Body
	}
	if f.tunnel {
		u.wait = math.MaxInt64
	}
	u.writer.x = x
	x.upload = u
	x.conn.source.hold()
	if u.body.Waits() {
		u.writing.Lock() // until it knows its timer
		u.timer = time.AfterFunc(holdBack, u.flushHeld)
		u.writing.Unlock()
	}
	go u.run()
}

// run is the goroutine.
func (u *upload) run() {
	err := errPanicked // unless something better is known
	defer func() { u.complete(u.caught(recover(), err)) }()
	if err = u.send(); u.keptBack() {
		u.trace.wroteRequest(nil) // all there was to write
		return
	}
	u.trace.wroteRequest(err)
}

// caught notes a panic of the caller's code, for the caller's goroutine, and returns err
// or what that means. Where that code has ended its goroutine, there is no panic to go on.
func (u *upload) caught(v any, err error) error {
	switch {
	case v == nil && err == errPanicked:
		return errExited
	case v == nil:
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.panicValue = v
	return errPanicked
}

func (u *upload) send() error {
	if err := u.heldBack(); err != nil {
		return err
	}
	u.reading.Store(true)
	err := u.body.Send(u)
	u.reading.Store(false)
	if err != nil {
		u.drop()
		return readerError(err)
	}
	return u.close()
}

// drop gives up what is held back: the end of a body that has failed is not to make it look whole. It does not wait
// where that is being written already.
func (u *upload) drop() {
	if u.writing.TryLock() {
		defer u.writing.Unlock()
		u.pending = u.pending[:0]
	}
}

// close sends what ends the body.
func (u *upload) close() error {
	u.writing.Lock()
	defer u.writing.Unlock()
	if !u.framing.chunked {
		if !u.framing.tunnel && u.sent != max(u.framing.length, 0) {
			return body.LengthError("the body ended after %d bytes of %d", u.sent, u.framing.length)
		}
		return u.flush()
	}
	var err error
	if u.trailers == nil {
		u.pending = append(u.pending, h1.LastChunk...)
	} else if u.pending, err = h1.AppendTrailers(u.pending, u.trailers()); err != nil {
		return err
	}
	return u.flush()
}

// complete notes the end of the upload and begins the wait for the response. A failure
// that the server need not have noticed ends that wait.
func (u *upload) complete(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended || u.done && (err == nil || u.err != nil) { // the first failure is the reason of the second
		u.finish()
		return
	}
	u.err = err
	if err == nil {
		err = u.disarm()
	}
	u.finish()
	u.x.conn.source.release()
	if err != nil && !isReset(err) && !u.cut.Load() {
		u.x.stop()
	}
}

// finish marks the end; mu is held.
func (u *upload) finish() {
	if !u.done {
		u.done = true
		close(u.finished)
	}
}

// failure returns what ended the upload before its end, nil if nothing did.
func (u *upload) failure() error {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

func (u *upload) panicked() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.panicValue != nil
}

// grace is for an upload that has just written its last byte when the response comes.
const grace = 10 * time.Millisecond

// refuse ends the upload because of a response, unless it is at its end anyway.
func (u *upload) refuse() {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-u.finished:
	case <-timer.C:
		u.abort()
	}
}

// abort ends the writing at once. The goroutine may still be in the caller's code.
func (u *upload) abort() {
	if u.cut.CompareAndSwap(false, true) {
		close(u.stop)
		_ = u.x.conn.SetWriteDeadline(past)
	}
}

// end is called when the response is over, whole or not, and reports whether the request
// was sent to its end. It waits for that as long as it makes progress and the response is
// whole: what was given is not to be sent half, unless the server has refused it.
func (u *upload) end(whole, refused bool) bool {
	switch {
	case !whole || u.cut.Load():
	case refused:
		u.refuse()
	default:
		u.settle()
	}
	u.mu.Lock()
	u.ended = true
	sent := u.done && u.err == nil
	u.mu.Unlock()
	if !sent {
		u.abort()
	}
	return sent
}

// How long nothing may happen to an upload whose response is whole.
const (
	stallTick = 50 * time.Millisecond
	withheld  = 5 * stallTick   // by the caller's code, which may never give anything again
	stalled   = 5 * time.Second // by the connection: a slow reader's window opens by blocks, at 32 KiB/s every 3 s
)

// settle waits for an upload that gets on, by as little as a byte.
func (u *upload) settle() {
	tick := time.NewTicker(stallTick)
	defer tick.Stop()
	for taken, still := int64(-1), time.Duration(0); still < stalled; still += stallTick {
		select {
		case <-u.finished:
			return
		case <-u.x.ctx.Done():
			return
		case <-tick.C:
		}
		if now := u.taken(); now != taken {
			taken, still = now, 0
		} else if still >= withheld && u.reading.Load() && u.body.Waits() {
			return
		}
	}
}

// taken is how much the server has taken, as far as the socket tells, else how much the
// socket has.
func (u *upload) taken() int64 {
	n := u.x.written.Load()
	if socket, ok := u.x.conn.Conn.(interface{ Queued() int64 }); ok {
		n -= socket.Queued()
	}
	return n
}

// flushHeld writes what is held back while the caller's body takes its time.
func (u *upload) flushHeld() {
	err, all := errPanicked, false
	defer func() {
		if err = u.caught(recover(), err); err != nil || all {
			u.complete(err)
		}
	}()
	u.writing.Lock()
	defer u.writing.Unlock()
	err = u.flush()
	all = !u.framing.chunked && u.sent == u.framing.length
}

// flush writes what is pending; writing is held.
func (u *upload) flush() error {
	if u.timer != nil {
		u.timer.Stop()
	}
	if len(u.pending) == 0 {
		return nil
	}
	err := u.out(u.pending)
	u.pending = u.pending[:0]
	if err == nil && !u.headSent {
		u.headSent = true
		u.trace.wroteHead()
	}
	return err
}

// out writes to the connection.
func (u *upload) out(p []byte) error {
	reading := u.reading.Swap(false)
	err := u.writer.write(p)
	u.reading.Store(reading)
	return err
}

// Write sends p as part of the body, behind what is pending: a chunk of its own where the
// body is chunked.
func (u *upload) Write(p []byte) (int, error) {
	u.writing.Lock()
	defer u.writing.Unlock()
	switch {
	case len(p) == 0:
		return 0, u.wanted()
	case u.framing.chunked:
		u.sent += int64(len(p))
		u.pending = h1.AppendChunk(u.pending, p)
		return len(p), u.flush()
	case u.sent+int64(len(p)) > u.framing.length:
		return 0, body.LengthError("the body is longer than the %d bytes announced", u.framing.length)
	}
	u.sent += int64(len(p))
	if u.sent == u.framing.length && u.timer != nil {
		return len(p), u.holdEnd(p)
	}
	return len(p), u.push(p)
}

// wanted is an error where no more of the body is. What gives nothing, and will not end by itself, is told so.
func (u *upload) wanted() error {
	if u.x.stopped.Load() || u.cut.Load() {
		return &writeError{errStopped}
	}
	return nil
}

// holdEnd sends the last block of a body that takes its time, but for its end: that is held back until the body is
// known to have ended. writing is held.
func (u *upload) holdEnd(p []byte) error {
	if len(u.pending)+len(p) > oneWrite {
		tail := len(p) - min(len(p), body.EndSize)
		if err := u.push(p[:tail]); err != nil {
			return err
		}
		p = p[tail:]
	}
	u.pending = append(u.pending, p...)
	u.timer.Reset(holdBack)
	return nil
}

// push writes p behind what is pending, in one write where that is short.
func (u *upload) push(p []byte) error {
	if len(u.pending) > 0 && len(u.pending)+len(p) <= segmentSize {
		u.pending = append(u.pending, p...)
		return u.flush()
	}
	if err := u.flush(); err != nil {
		return err
	}
	for len(p) > 0 {
		n := min(len(p), segmentSize)
		if err := u.out(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// ReadFrom sends all r gives as part of the body. With it the WriteTo of a
// requests.Streamer hands over its files, as *io.LimitedReader of an *os.File, for the
// kernel to move, and an http.Request its own.
func (u *upload) ReadFrom(r io.Reader) (int64, error) {
	before := u.sent
	if err := u.sendMost(r); err != nil {
		return u.sent - before, err
	}
	n, done, err := u.sendFile(r)
	if done || err != nil {
		return n, err
	}
	block := segments.Get().(*[segmentSize]byte)
	defer segments.Put(block)
	for err == nil {
		err = u.readBlock(r, block)
	}
	if err == io.EOF {
		err = nil
	}
	return u.sent - before, err
}

// readBlock sends what one Read gives.
func (u *upload) readBlock(r io.Reader, block *[segmentSize]byte) error {
	if u.framing.chunked {
		n, err := r.Read(block[h1.ChunkHeadSize : h1.ChunkHeadSize+u.chunkSize()])
		if n == 0 && err == nil {
			return u.wanted()
		}
		if failed := u.sendChunk(h1.FrameChunk(block[:], n), n); failed != nil {
			return failed
		}
		return err
	}
	// Behind the end of the body one more byte is asked for, to find out that it is longer.
	n, err := r.Read(block[:min(max(u.framing.length-u.sent, 1), segmentSize)])
	if n > 0 || err == nil {
		if _, failed := u.Write(block[:n]); failed != nil {
			return failed
		}
	}
	return err
}

// shortChunks is how much of a chunked body goes out in the chunks of Requests. Fewer and larger ones, of a
// block each, take half the time for what turns out to be long.
const shortChunks = 8 * h1.BlockSize

func (u *upload) chunkSize() int {
	if u.sent < shortChunks {
		return h1.BlockSize
	}
	return segmentSize - h1.ChunkHeadSize - len("\r\n")
}

// sendChunk sends a chunk that is framed already.
func (u *upload) sendChunk(chunk []byte, n int) error {
	u.writing.Lock()
	defer u.writing.Unlock()
	u.sent += int64(n)
	return u.push(chunk)
}
