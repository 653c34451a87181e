package requests

import (
	"errors"
	"io"
	"iter"
	"math"
	"sync"

	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/wire"
)

// open starts decoding. Unknown single codings are left alone, as in Requests.
func (r *Response) open() (io.Reader, error) {
	if r.decoded != nil {
		return r.decoded, nil
	}
	r.stream = wire.StreamOf(r.Raw)
	if r.Raw == nil {
		r.Raw = r.stream
	}
	codings := r.Headers.Values("Content-Encoding")
	if len(codings) == 0 {
		r.decoded = r.stream
		return r.decoded, nil
	}
	lim := coding.Limits{}
	if r.opts.policy != nil && r.opts.policy.UnlimitedDecoding {
		lim = coding.NoLimits
	}
	decoded, err := coding.NewReader(r.stream, codings, lim)
	if err != nil {
		return nil, err
	}
	r.decoded = decoded
	return decoded, nil
}

// Undecoded makes r give its body as it came, in its content coding, and returns r.
// It must be called before anything of the body is read.
func (r *Response) Undecoded() *Response {
	if r.decoded == nil {
		r.stream = wire.StreamOf(r.Raw)
		r.decoded = r.stream
	}
	return r
}

// Read reads the decoded body: from the connection, or from memory where it has
// been read before.
func (r *Response) Read(b []byte) (int, error) {
	switch {
	case r.loaded && r.offset >= len(r.content) && len(b) > 0:
		return 0, io.EOF
	case r.loaded:
		n := copy(b, r.content[r.offset:])
		r.offset += n
		return n, nil
	case r.failure != nil:
		return 0, r.failure
	case r.consumed:
		return 0, io.EOF
	}
	src, err := r.open()
	if err != nil {
		return 0, r.fail(err)
	}
	n, err := src.Read(b)
	if err == io.EOF {
		r.finish()
		return n, err
	}
	return n, r.fail(err)
}

// WriteTo writes the rest of the decoded body to w; it is what [io.Copy] uses. An
// error of w is returned as it is, and leaves r to be closed.
func (r *Response) WriteTo(w io.Writer) (int64, error) {
	if r.loaded {
		n, err := w.Write(r.content[r.offset:])
		r.offset += n
		return int64(n), err
	}
	if r.failure != nil || r.consumed {
		return 0, r.failure
	}
	src, err := r.open()
	if err != nil {
		return 0, r.fail(err)
	}
	out := &sink{w: w}
	n, err := copyTo(out, src)
	switch {
	case out.err != nil:
		return n, out.err
	case err != nil:
		return n, r.fail(err)
	}
	r.finish()
	return n, nil
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

// finish notes that the body has been read to its end.
func (r *Response) finish() {
	r.consumed = true
	r.closeBody()
}

// fail notes an error, which every later read repeats, and gives it its kind.
func (r *Response) fail(err error) error {
	if err == nil {
		return nil
	}
	r.failure = bodyError(r, err)
	r.closeBody()
	return r.failure
}

// closeBody hands the decoder and the connection back.
func (r *Response) closeBody() {
	if r.decoded != nil && !r.undecoded() {
		_ = r.decoded.Close()
	}
	if r.Raw != nil {
		_ = r.Raw.Close()
	}
}

// Close releases the connection: to the pool if the body has been read to its
// end, else by closing it. Closing twice, or a response that was read, is
// harmless. A body in memory stays readable.
func (r *Response) Close() error {
	if !r.loaded && !r.consumed && r.failure == nil {
		r.consumed = true
	}
	r.closeBody()
	return nil
}

// usedUp is the error of reading what has been streamed, or given up.
func (r *Response) usedUp() error {
	return &Error{Kind: ErrStreamConsumed, Request: r.Request, Response: r, Detail: "the body has been read by streaming or closed before"}
}

// Content reads the rest of the decoded body into memory, once, and returns it;
// the slice is the response's own. A body that was read to its end by streaming
// is [ErrStreamConsumed].
func (r *Response) Content() ([]byte, error) { return r.contentUpTo(math.MaxInt64) }

// errTooLong ends the reading of a body that is longer than its purpose allows.
var errTooLong = errors.New("the body is too long to be read here")

// contentUpTo is Content for a body of at most limit bytes, decoded or not.
func (r *Response) contentUpTo(limit int64) ([]byte, error) {
	switch {
	case r.loaded:
		return r.content, nil
	case r.failure != nil:
		return nil, r.failure
	case r.consumed:
		return nil, r.usedUp()
	}
	src, err := r.open()
	if err != nil {
		return nil, r.fail(err)
	}
	length := r.expected()
	if length > limit {
		return nil, r.fail(errTooLong)
	}
	if length < 0 && limit < math.MaxInt64 {
		src = &cappedReader{src, limit}
	}
	content, err := readAll(src, length)
	if err != nil {
		return nil, r.fail(err)
	}
	r.content, r.loaded = content, true
	r.closeBody()
	return content, nil
}

// cappedReader fails once more than left bytes came.
type cappedReader struct {
	io.Reader
	left int64
}

func (c *cappedReader) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// expected returns the decoded length where it is known, else -1.
func (r *Response) expected() int64 {
	if r.undecoded() {
		return r.stream.Remaining()
	}
	return -1
}

// undecoded reports whether the body is read as it comes.
func (r *Response) undecoded() bool {
	stream, ok := r.decoded.(wire.Stream)
	return ok && stream == r.stream
}

const (
	segmentSize = 128 << 10
	// maxAhead is the most that is allocated on a server's word alone.
	maxAhead = 16 << 20
)

var segments = sync.Pool{New: func() any { return new([segmentSize]byte) }}

// readAll reads src to its end: into one exact allocation where the length is
// known, else through pooled segments.
func readAll(src io.Reader, length int64) ([]byte, error) {
	if length == 0 {
		return []byte{}, expectEOF(src)
	}
	if length > 0 && length <= maxAhead {
		content := make([]byte, length)
		if _, err := io.ReadFull(src, content); err != nil {
			return nil, err
		}
		return content, expectEOF(src)
	}
	return readSegments(src)
}

// expectEOF takes the end of a body of known length, which gives its connection back.
func expectEOF(src io.Reader) error {
	if s, ok := src.(wire.Stream); ok && s.Remaining() == 0 {
		return nil
	}
	var b [1]byte
	n, err := src.Read(b[:])
	if err == io.EOF || err == nil && n > 0 {
		return nil
	}
	return err
}

func readSegments(src io.Reader) ([]byte, error) {
	var full []*[segmentSize]byte
	defer func() {
		for _, s := range full {
			segments.Put(s)
		}
	}()
	for {
		segment := segments.Get().(*[segmentSize]byte)
		full = append(full, segment)
		n, err := fill(src, segment[:])
		if err == io.EOF {
			return joinSegments(full, n), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func joinSegments(full []*[segmentSize]byte, last int) []byte {
	content := make([]byte, 0, (len(full)-1)*segmentSize+last)
	for _, s := range full[:len(full)-1] {
		content = append(content, s[:]...)
	}
	return append(content, full[len(full)-1][:last]...)
}

// fill reads until b is full or src ends; io.EOF comes with what was read.
func fill(src io.Reader, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := src.Read(b[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Chunks iterates over the decoded body in pieces of size bytes, the last one
// shorter; a chunked body also ends a piece at each of its chunks. A negative
// size gives what a chunk holds, or everything where the length is known; zero
// gives nothing. Each piece is valid until the next. Leaving the loop early
// releases the connection. A body in memory is sliced from its beginning, zero
// and negative giving all of it; one that was streamed before is
// [ErrStreamConsumed].
func (r *Response) Chunks(size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if r.consumed && !r.loaded && r.failure == nil {
			yield(nil, r.usedUp())
			return
		}
		defer r.abandon()
		r.offset = 0
		for {
			chunk, err := r.ReadChunk(size)
			if err == io.EOF {
				return
			}
			if !yield(chunk, err) || err != nil {
				return
			}
		}
	}
}

// abandon gives up what is left of a streamed body.
func (r *Response) abandon() {
	if !r.loaded {
		r.Close()
	}
}

// ReadChunk returns the next piece that [Response.Chunks] would give, and io.EOF
// after the last.
func (r *Response) ReadChunk(size int) ([]byte, error) {
	switch {
	case r.loaded:
		return r.sliceContent(size)
	case size == 0:
		return nil, io.EOF
	case r.failure != nil:
		return nil, r.failure
	case r.consumed && r.chunked:
		return nil, io.EOF
	case r.consumed:
		return nil, r.usedUp()
	}
	r.chunked = true
	src, err := r.open()
	if err != nil {
		return nil, r.fail(err)
	}
	chunk, err := r.nextChunk(src, size)
	if err == io.EOF {
		r.finish()
		if len(chunk) > 0 {
			return chunk, nil
		}
		return nil, io.EOF
	}
	if err != nil {
		return nil, r.fail(err)
	}
	return chunk, nil
}

func (r *Response) sliceContent(size int) ([]byte, error) {
	rest := r.content[min(r.offset, len(r.content)):]
	if len(rest) == 0 {
		r.offset = 0
		return nil, io.EOF
	}
	if size > 0 && size < len(rest) {
		rest = rest[:size]
	}
	r.offset += len(rest)
	return rest, nil
}

// nextChunk reads one piece: up to size bytes, or as it comes.
func (r *Response) nextChunk(src io.Reader, size int) ([]byte, error) {
	if r.stream.Chunked() {
		return r.wireChunk(src, size)
	}
	if size < 0 {
		rest, err := readAll(src, r.expected())
		if err == nil && len(rest) == 0 {
			err = io.EOF
		}
		return rest, err
	}
	n, err := fill(src, r.room(size))
	return r.buffer[:n], err
}

// wireChunk reads one piece of a chunked body, which ends where a chunk ends.
func (r *Response) wireChunk(src io.Reader, size int) ([]byte, error) {
	if size < 0 {
		size = segmentSize
		if left := r.stream.ChunkRemaining(); left > 0 {
			size = int(min(left, maxAhead))
		}
	}
	for {
		n, err := src.Read(r.room(size))
		if n > 0 && err == io.EOF {
			err = nil // the end comes again with the next call
		}
		if n > 0 || err != nil {
			return r.buffer[:n], err
		}
	}
}

// room returns a buffer of size bytes, kept for the next piece.
func (r *Response) room(size int) []byte {
	if cap(r.buffer) < size {
		r.buffer = make([]byte, size)
	}
	r.buffer = r.buffer[:size]
	return r.buffer
}
