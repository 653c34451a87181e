package adapters

import (
	"context"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mountable/requests"
)

// sentBody is the body of a prepared request as a reader for somebody else's
// goroutine: it may be closed while it is being read, has exactly the announced length,
// and starts the wait for the response at its end. A panic of the caller's code, which would
// end the program there, is an error for whoever reads, and is for rethrow to hand on.
type sentBody struct {
	watch  *watch
	left   int64 // of the announced length, -1 if there is none
	length int64

	reading chan struct{} // of one element, which is there while somebody touches body
	body    io.ReadCloser
	done    bool // guarded by reading

	renewed atomic.Pointer[sentBody] // the one that again has given last, of the first one

	atEnd func() // called once the body has ended as announced; may be nil

	over    bool          // ended is closed; guarded by reading
	ended   chan struct{} // closed when the end of the body is known, or nobody looks for it
	given   atomic.Bool   // all that was announced
	closing atomic.Bool
	failed  atomic.Pointer[requests.Error] // of the caller's reader

	panicked atomic.Pointer[any] // what the caller's code has panicked with
}

func newSentBody(p *requests.PreparedRequest, w *watch) *sentBody {
	length := p.ContentLength()
	if length < 0 && !p.Headers.Has("Transfer-Encoding") {
		if announced, err := strconv.ParseUint(p.Headers.Get("Content-Length"), 10, 62); err == nil {
			length = int64(announced) // by the caller
		}
	}
	return &sentBody{watch: w, body: p.OpenBody(), left: length, length: length, reading: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Read implements [io.Reader].
func (b *sentBody) Read(p []byte) (n int, err error) {
	b.reading <- struct{}{}
	defer b.settle()
	defer func() {
		if v := recover(); v != nil {
			b.panicked.Store(&v)
			n, err = 0, b.fail(requests.ErrInvalidBody, "the body panicked", nil)
			b.atItsEnd()
		}
	}()
	if b.done || b.closing.Load() {
		return 0, io.ErrClosedPipe
	}
	b.watch.stop() // nobody is expected to speak while listening
	n, err = b.body.Read(p)
	if b.left >= 0 {
		if b.left -= int64(n); b.left < 0 {
			err = b.fail(requests.ErrBodyLength, "the body is longer than announced", nil)
		}
	}
	switch {
	case err == io.EOF && b.left > 0:
		err = b.fail(requests.ErrBodyLength, "the body ended before the announced length", io.ErrUnexpectedEOF)
	case err == io.EOF:
		if b.atEnd != nil {
			b.atEnd()
		}
		b.watch.start(b.watch.opts.Read, reading)
	case err != nil && b.failed.Load() == nil:
		err = b.fail(requests.ErrInvalidBody, "the body could not be read to be sent", err)
	}
	if b.given.Store(b.left == 0); err != nil {
		b.atItsEnd()
	}
	return n, err
}

// atItsEnd tells that nothing more of the body will be looked at.
func (b *sentBody) atItsEnd() {
	if !b.over {
		b.over = true
		close(b.ended)
	}
}

// probeWait is how long a response is held back for a body that has given all that was
// announced, and of which nobody knows yet that it ends there. One that takes longer waits
// for something.
const probeWait = 10 * time.Millisecond

// overlong is the error of a body that goes on behind the announced length, although the
// server has responded to what it got.
func (b *sentBody) overlong() error {
	if b.given.Load() {
		timer := time.NewTimer(probeWait)
		defer timer.Stop()
		select {
		case <-b.ended:
		case <-timer.C:
		}
	}
	if e := b.failed.Load(); e != nil && e.Kind == requests.ErrBodyLength {
		return e
	}
	return nil
}

// rethrow hands a panic of the caller's code on, to the goroutine of the caller.
func (b *sentBody) rethrow() {
	if v := b.last().panicked.Load(); v != nil {
		panic(*v)
	}
}

func (b *sentBody) fail(kind requests.Kind, detail string, err error) error {
	e := (&requests.Error{Kind: kind, Detail: detail, Err: err}).MarkWritten()
	b.failed.Store(e)
	return e
}

// settle ends a read, and does what a Close wanted to do meanwhile.
func (b *sentBody) settle() {
	if b.closing.Load() {
		b.finish()
	}
	<-b.reading
	if b.closing.Load() {
		b.tryFinish()
	}
}

func (b *sentBody) finish() {
	if !b.done {
		b.done = true
		b.atItsEnd()
		_ = b.body.Close()
	}
}

// tryFinish reports whether the reading is over; false while a read is under way, which finishes then.
func (b *sentBody) tryFinish() bool {
	select {
	case b.reading <- struct{}{}:
		b.finish()
		<-b.reading
		return true
	default:
		return false
	}
}

// Close ends the reading; a read that is under way is not waited for.
func (b *sentBody) Close() error {
	b.closing.Store(true)
	b.tryFinish()
	return nil
}

// again gives the body from its beginning, once the old reading has ended. It waits for a read that is
// under way as long as the send may last.
func (b *sentBody) again(p *requests.PreparedRequest) (*sentBody, error) {
	old := b.last()
	old.closing.Store(true)
	select {
	case old.reading <- struct{}{}:
	case <-old.watch.ctx.Done():
		return nil, context.Cause(old.watch.ctx)
	}
	old.finish()
	<-old.reading
	if err := p.Rewind(); err != nil {
		return nil, err
	}
	next := newSentBody(p, b.watch)
	next.atEnd = b.atEnd
	b.renewed.Store(next)
	return next, nil
}

// last is the body that was given last.
func (b *sentBody) last() *sentBody {
	if next := b.renewed.Load(); next != nil {
		return next
	}
	return b
}

// release closes the body, and reports whether nobody reads the caller's any more.
func (b *sentBody) release() bool {
	_ = b.last().Close()
	return b.last().tryFinish()
}
