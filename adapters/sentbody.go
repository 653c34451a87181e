package adapters

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/mountable/requests"
)

// sentBody is the body of a prepared request as a reader for somebody else's
// goroutine: it may be closed while it is being read, has exactly the announced length,
// and starts the wait for the reply at its end.
type sentBody struct {
	watch  *watch
	left   int64 // of the announced length, -1 if there is none
	length int64

	reading sync.Mutex // held by the one who touches body
	body    io.ReadCloser
	done    bool // guarded by reading

	atEnd func() // called once the body has ended as announced; may be nil

	closing atomic.Bool
	failed  atomic.Pointer[requests.Error] // of the caller's reader
}

func newSentBody(p *requests.PreparedRequest, w *watch) *sentBody {
	length := p.ContentLength()
	return &sentBody{watch: w, body: p.OpenBody(), left: length, length: length}
}

// Read implements [io.Reader].
func (b *sentBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.settle()
	if b.done || b.closing.Load() {
		return 0, io.ErrClosedPipe
	}
	b.watch.stop() // nobody is expected to speak while listening
	n, err := b.body.Read(p)
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
	return n, err
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
	b.reading.Unlock()
	if b.closing.Load() && b.reading.TryLock() {
		b.finish()
		b.reading.Unlock()
	}
}

func (b *sentBody) finish() {
	if !b.done {
		b.done = true
		_ = b.body.Close()
	}
}

// Close ends the reading; a read that is under way is not waited for.
func (b *sentBody) Close() error {
	b.closing.Store(true)
	if b.reading.TryLock() {
		b.finish()
		b.reading.Unlock()
	}
	return nil
}

// again gives the body from its beginning, once the old reading has ended.
func (b *sentBody) again(p *requests.PreparedRequest) (*sentBody, error) {
	b.closing.Store(true)
	b.reading.Lock()
	b.finish()
	b.reading.Unlock()
	if err := p.Rewind(); err != nil {
		return nil, err
	}
	return newSentBody(p, b.watch), nil
}
