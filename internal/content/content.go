// Package content is the body of a response as its reader sees it: decoded, read whole, in
// pieces or in lines, in one of six states.
package content

import (
	"io"
	"sync"
	"time"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/wire"
)

// A body is in one of six states. Who reads moves it to the right; nothing moves it
// back.
//
//	fresh      nothing of it has been read
//	streaming  some of it has been read, and the rest is on the connection
//	inMemory   content holds it
//	spent      it has been read to its end by streaming
//	failed     reading it has failed, and every further reading fails alike
//	closed     the response was closed, or a loop over it was left, before its end
//
// What an operation does in each state, and the state it leads to:
//
//	            fresh, streaming               inMemory         spent               failed   closed
//	Read        next bytes, → streaming        next bytes       io.EOF              failure  ErrStreamConsumed
//	WriteTo     the rest, → spent              the rest         nothing             failure  ErrStreamConsumed
//	ReadChunk   next piece, → streaming        next piece       io.EOF              failure  ErrStreamConsumed
//	Chunks      the rest, → spent              all of it        ErrStreamConsumed   failure  ErrStreamConsumed
//	Lines       the rest, → spent              all of it        ErrStreamConsumed   failure  ErrStreamConsumed
//	Content     the rest, → inMemory           all of it        ErrStreamConsumed   failure  ErrStreamConsumed
//	Close       → closed                       -                -                   -        -
//
// The end of the body leads from streaming to spent, an error to failed. Whatever leaves
// streaming gives the decoder and the connection back. Lines read ahead of what they
// give; every other operation begins with what they have not given yet.
type state uint8

const (
	fresh state = iota
	streaming
	inMemory
	spent
	failed
	closed
)

// Owner is the response that a Body belongs to: where the body comes from, and what its
// errors are. Source and Stream are called while the Body is locked.
type Owner interface {
	Source() io.ReadCloser // the body as it comes, nil if there is none
	Stream() wire.Stream   // Source, with all it can do
	// Decode returns the stream with its codings undone, and whether it has none.
	Decode(wire.Stream) (source io.ReadCloser, plain bool, err error)
	Fail(cause error) error // what a failure of reading is to the caller
	Spent() error           // what was read to its end is to be read again
	Closed() error          // what was closed is to be read
}

// Body is the state of a body, and what belongs to it. The zero Body is fresh.
type Body struct {
	// mu protects the fields below, up to replaced: Close may come from another
	// goroutine than the one that reads.
	mu       sync.Mutex
	state    state
	stream   wire.Stream   // the owner's, nil until it is needed
	source   io.ReadCloser // stream with its codings undone; nil until it is needed
	plain    bool          // source is stream itself
	failure  error
	replaced []io.Closer // what ends with this body
	over     time.Time   // when it has left streaming, zero before

	content []byte
	offset  int   // of Read, WriteTo and ReadChunk in content
	loop    *loop // nil until the body is read in pieces
}

// loop is what reading in pieces needs: most bodies are read at once.
type loop struct {
	ahead  charset.Scanner
	came   error  // how the source has ended, while ahead holds something
	buffer []byte // holds the piece that was given last
}

// pieces returns the state of reading in pieces.
func (b *Body) pieces() *loop {
	if b.loop == nil {
		b.loop = new(loop)
	}
	return b.loop
}

// isAhead reports whether something has been read ahead that is to be read next, were it
// the end.
func (b *Body) isAhead() bool { return b.loop != nil && (!b.loop.ahead.Empty() || b.loop.came != nil) }

// Undecoded makes the body come as it is, in its content coding, as bound returns it. It
// has no effect once something has been read.
func (b *Body) Undecoded(o Owner, bound func(io.ReadCloser) io.ReadCloser) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == fresh && b.source == nil {
		b.stream = o.Stream()
		b.source, b.plain = bound(b.stream), true
	}
}

// start returns what the body is read from, and streams from now on. Where there is
// nothing to stream its error says why, io.EOF for a body that is spent.
func (b *Body) start(o Owner) (io.Reader, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.state {
	case fresh:
		if err := b.open(o); err != nil {
			return nil, err
		}
	case inMemory:
		return (*memory)(b), nil
	case spent:
		return nil, io.EOF
	case failed:
		return nil, b.failure
	case closed:
		return nil, o.Closed()
	}
	if b.isAhead() {
		return aheadReader{b}, nil
	}
	return b.source, nil
}

// open leads from fresh to streaming, or to failed. It holds mu.
func (b *Body) open(o Owner) error {
	b.state = streaming
	if b.source != nil {
		return nil
	}
	b.stream = o.Stream()
	source, plain, err := o.Decode(b.stream)
	if err == nil {
		b.source, b.plain = source, plain
		return nil
	}
	b.state, b.failure = failed, o.Fail(err)
	_ = o.Source().Close()
	return b.failure
}

// ended makes of an error of the body's source the end of streaming: spent, failed or,
// if another goroutine has closed the response meanwhile, closed.
func (b *Body) ended(o Owner, err error) error {
	if err == nil {
		return nil
	}
	b.mu.Lock()
	switch {
	case b.state == closed:
		err = o.Closed()
	case b.state != streaming:
	case err == io.EOF:
		b.state = spent
	default:
		b.state, b.failure = failed, o.Fail(err)
		err = b.failure
	}
	b.mu.Unlock()
	b.release(o)
	return err
}

// release gives the decoder and the connection back.
func (b *Body) release(o Owner) {
	b.mu.Lock()
	source, plain, raw, replaced := b.source, b.plain, o.Source(), b.replaced
	b.replaced = nil
	if b.over.IsZero() {
		b.over = time.Now()
	}
	b.mu.Unlock()
	if source != nil && !plain {
		_ = source.Close()
	}
	if raw != nil {
		_ = raw.Close()
	}
	for _, r := range replaced {
		_ = r.Close()
	}
}

// Close ends the reading of a body that is not in memory.
func (b *Body) Close(o Owner) {
	b.mu.Lock()
	if b.state == fresh || b.state == streaming {
		b.state = closed
	}
	b.mu.Unlock()
	b.release(o)
}

// Replace lets another body, which this one may read from, end with it.
func (b *Body) Replace(other io.Closer) {
	b.mu.Lock()
	open := b.state == fresh || b.state == streaming
	if open {
		b.replaced = append(b.replaced, other)
	}
	b.mu.Unlock()
	if !open {
		_ = other.Close()
	}
}

// Over returns when the reading ended: with the body, a failure or Close; zero before.
func (b *Body) Over() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}

// InMemory reports whether all of the body is in memory.
func (b *Body) InMemory() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state == inMemory
}

// Keep makes content the body.
func (b *Body) Keep(content []byte) {
	b.mu.Lock()
	b.state, b.content = inMemory, content
	b.mu.Unlock()
}
