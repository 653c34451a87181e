package requests

import (
	"io"
	"net/http"
	"sync"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/coding"
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
type bodyState uint8

const (
	fresh bodyState = iota
	streaming
	inMemory
	spent
	failed
	closed
)

// responseBody is the state of a body, and what belongs to it.
type responseBody struct {
	// mu protects the fields below, up to dropped: Close may come from another
	// goroutine than the one that reads.
	mu      sync.Mutex
	state   bodyState
	stream  wire.Stream   // Raw, with all it can do; nil until it is needed
	source  io.ReadCloser // stream with its codings undone; nil until it is needed
	plain   bool          // source is stream itself
	failure error
	dropped []*Response // those that a hook has replaced by this one, and that end with it

	content []byte
	offset  int // of Read, WriteTo and ReadChunk in content
	ahead   charset.Scanner
	came    error  // how the source has ended, while ahead holds something
	buffer  []byte // holds the piece that was given last
}

// state returns the state of the body; a Response that is a literal gets one here.
func (r *Response) state() *responseBody {
	if r.body == nil {
		r.body = new(responseBody)
	}
	return r.body
}

// Undecoded makes r give its body as it came, in its content coding, and returns r.
// It must be called before anything of the body is read.
func (r *Response) Undecoded() *Response {
	b := r.state()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == fresh && b.source == nil {
		b.stream = r.streamOf()
		b.source, b.plain = r.bounded(b.stream), true
	}
	return r
}

// bounded holds source to the size that the call or the session allows.
func (r *Response) bounded(source io.ReadCloser) io.ReadCloser {
	if limit := r.opts.Limits.MaxBody; limit > 0 {
		return &boundedBody{Reader: source, Closer: source, left: limit, limit: limit, tooLong: bodyTooLarge}
	}
	return source
}

func (r *Response) streamOf() wire.Stream {
	stream := wire.StreamOf(r.Raw)
	if r.Raw == nil {
		r.Raw = stream
	}
	return stream
}

// decode returns stream with its codings undone, and whether it has none. An unknown
// single coding is left alone, as in Requests.
func (r *Response) decode(stream wire.Stream) (source io.ReadCloser, plain bool, err error) {
	codings := r.Headers.Values("Content-Encoding")
	if len(codings) == 0 {
		return stream, true, nil
	}
	source, err = coding.NewReader(stream, codings, r.opts.policy.decoding())
	return source, false, err
}

// decoding are the bounds of decoding. A nil Policy is the zero one.
func (p *Policy) decoding() coding.Limits {
	lim := coding.Limits{}
	switch {
	case p == nil:
		return lim
	case p.TruncatedContent:
		lim.Leniency = coding.Truncated
	case p.GzipWithoutTrailer:
		lim.Leniency = coding.WithoutTrailer
	}
	if p.UnlimitedDecoding {
		lim.MaxRatio = coding.Unlimited
	}
	return lim
}

// start returns what the body is read from, and streams from now on. Where there is
// nothing to stream its error says why, io.EOF for a body that is spent.
func (r *Response) start() (io.Reader, error) {
	b := r.state()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.state {
	case fresh:
		if err := r.open(); err != nil {
			return nil, err
		}
	case inMemory:
		return (*contentReader)(b), nil
	case spent:
		return nil, io.EOF
	case failed:
		return nil, b.failure
	case closed:
		return nil, r.closedError()
	}
	if !b.ahead.Empty() || b.came != nil {
		return aheadReader{b}, nil
	}
	return b.source, nil
}

// open leads from fresh to streaming, or to failed. It holds mu.
func (r *Response) open() error {
	b := r.state()
	b.state = streaming
	if b.source != nil {
		return nil
	}
	b.stream = r.streamOf()
	source, plain, err := r.decode(b.stream)
	if err == nil {
		b.source, b.plain = r.bounded(source), plain
		return nil
	}
	b.state, b.failure = failed, bodyError(r, err)
	_ = r.Raw.Close()
	return b.failure
}

// ended makes of an error of the body's source the end of streaming: spent, failed or,
// if another goroutine has closed the response meanwhile, closed.
func (r *Response) ended(err error) error {
	if err == nil {
		return nil
	}
	b := r.state()
	b.mu.Lock()
	switch {
	case b.state == closed:
		err = r.closedError()
	case b.state != streaming:
	case err == io.EOF:
		b.state = spent
	default:
		b.state, b.failure = failed, bodyError(r, err)
		err = b.failure
	}
	b.mu.Unlock()
	r.release()
	return err
}

// release gives the decoder and the connection back.
func (r *Response) release() {
	b := r.state()
	b.mu.Lock()
	source, plain, raw, dropped := b.source, b.plain, r.Raw, b.dropped
	b.dropped = nil
	b.mu.Unlock()
	if source != nil && !plain {
		_ = source.Close()
	}
	if raw != nil {
		_ = raw.Close()
	}
	for _, d := range dropped {
		_ = d.Close()
	}
}

// Close releases the connection: to the pool if the body has been read to its end, else
// by closing it. Closing twice, or a response that was read, is harmless. A body in
// memory stays readable; reading any other is [ErrStreamConsumed] from now on, and
// [http.ErrBodyReadAfterClose]. It may be called while another goroutine reads.
func (r *Response) Close() error {
	b := r.state()
	b.mu.Lock()
	if b.state == fresh || b.state == streaming {
		b.state = closed
	}
	b.mu.Unlock()
	r.release()
	return nil
}

// isInMemory reports whether content holds the body.
func (r *Response) isInMemory() bool {
	b := r.state()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state == inMemory
}

// keep makes content the body.
func (r *Response) keep(content []byte) {
	b := r.state()
	b.mu.Lock()
	b.state, b.content = inMemory, content
	b.mu.Unlock()
}

func (r *Response) consumedError() error {
	return &Error{Kind: ErrStreamConsumed, Request: r.Request, Response: r, Detail: "the body has been read to its end by streaming"}
}

func (r *Response) closedError() error {
	return &Error{Kind: ErrStreamConsumed, Request: r.Request, Response: r, Err: http.ErrBodyReadAfterClose, Detail: "the response was closed before its body was read"}
}

// contentReader reads content from offset on.
type contentReader responseBody

func (c *contentReader) Read(p []byte) (int, error) {
	n := copy(p, c.content[c.offset:])
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	c.offset += n
	return n, nil
}

func (c *contentReader) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.content[c.offset:])
	c.offset += n
	return int64(n), err
}

// aheadReader reads what lines have read ahead, then the source.
type aheadReader struct{ b *responseBody }

func (a aheadReader) Read(p []byte) (int, error) {
	ahead := &a.b.ahead
	for {
		if n := copy(p, ahead.Bytes()); n > 0 || len(p) == 0 {
			ahead.Discard(n)
			return n, nil
		}
		if err := a.b.readAhead(len(p)); err != nil && len(ahead.Bytes()) == 0 {
			return 0, err
		}
	}
}

// readAhead reads some more into ahead. An error stays the source's, and is the end of it.
func (b *responseBody) readAhead(size int) error {
	if b.came != nil {
		return b.came
	}
	n, err := b.source.Read(b.ahead.Room(min(size, lineBlock)))
	b.ahead.Came(n)
	if b.came = err; err == io.EOF {
		b.ahead.End()
	}
	return err
}

// Read reads the decoded body: from the connection, or from memory where it has
// been read before.
func (r *Response) Read(p []byte) (int, error) {
	src, err := r.start()
	if err != nil {
		return 0, err
	}
	n, err := src.Read(p)
	return n, r.ended(err)
}

// WriteTo writes the rest of the decoded body to w; it is what [io.Copy] uses. An
// error of w is returned as it is, and leaves r to be closed.
func (r *Response) WriteTo(w io.Writer) (int64, error) {
	src, err := r.start()
	if err == io.EOF {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	out := &sink{w: w}
	n, err := copyTo(out, src)
	switch {
	case out.err != nil:
		return n, out.err
	case err == nil:
		err = io.EOF
	}
	if err = r.ended(err); err == io.EOF {
		err = nil
	}
	return n, err
}

// sink remembers its own error, which is not one of the body.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}

// copyTo copies through a pooled segment where src cannot write itself.
func copyTo(w io.Writer, src io.Reader) (int64, error) {
	if wt, ok := src.(io.WriterTo); ok {
		return wt.WriteTo(w)
	}
	segment := segments.Get().(*[segmentSize]byte)
	defer segments.Put(segment)
	return io.CopyBuffer(w, src, segment[:])
}
