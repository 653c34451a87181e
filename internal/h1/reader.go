package h1

import (
	"bytes"
	"io"
	"sync"
)

// bufferSize is the size of a Reader's pooled buffer: one read takes any usual head with a small body.
const bufferSize = 8 << 10

// wideSize is the size of the buffer of a stream: one read takes many chunks.
const wideSize = 128 << 10

var (
	buffers     = sync.Pool{New: func() any { return new([bufferSize]byte) }}
	wideBuffers = sync.Pool{New: func() any { return new([wideSize]byte) }}
)

// Reader is a buffered reader of HTTP messages. Its buffer comes from a pool at the first read and is given back by
// Release, so that an idle connection costs none. A Reader is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	buf    []byte            // nil while released
	pooled *[bufferSize]byte // what backs buf: this,
	wide   *[wideSize]byte   // or this in a stream, or neither where a long head made it grow
	r, w   int               // buf[r:w] is unread
	err    error             // what src.Read last failed with
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Reset makes r read from src, forgetting what was buffered and any earlier error.
func (r *Reader) Reset(src io.Reader) {
	r.r, r.w, r.err = 0, 0, nil
	r.Release()
	r.src = src
}

// Release gives the buffer back to the pool and reports whether it could: it does nothing while bytes are buffered.
func (r *Reader) Release() bool {
	if r.r < r.w {
		return false
	}
	r.replace(nil)
	return true
}

// replace moves the unread bytes into another buffer, and gives back the pooled one there was.
func (r *Reader) replace(buf []byte) {
	r.w = copy(buf, r.buf[r.r:r.w])
	r.r, r.buf = 0, buf
	if r.pooled != nil {
		buffers.Put(r.pooled)
		r.pooled = nil
	}
	if r.wide != nil {
		wideBuffers.Put(r.wide)
		r.wide = nil
	}
}

// widen takes a wide buffer, unless there is a larger one.
func (r *Reader) widen() {
	if len(r.buf) < wideSize {
		wide := wideBuffers.Get().(*[wideSize]byte)
		r.replace(wide[:])
		r.wide = wide
	}
}

// Buffered returns the number of bytes read from the source and not yet consumed.
func (r *Reader) Buffered() int { return r.w - r.r }

// Ended reports whether the source has already failed or ended, so that nothing more can follow what is buffered.
func (r *Reader) Ended() bool { return r.err != nil }

// Room returns where the next bytes of the source belong: not empty, unless the source has failed. Whoever reads them
// tells Came.
func (r *Reader) Room() []byte {
	if r.err == nil {
		r.makeRoom()
	}
	return r.buf[r.w:]
}

// Came tells that n bytes of the source were read into Room, and with which error, which stays.
func (r *Reader) Came(n int, err error) { r.w, r.err = r.w+n, err }

// fill reads once from the source, after making room. It returns nil when there is at least one byte more.
func (r *Reader) fill() error {
	if r.err == nil {
		r.makeRoom()
	}
	n, err := r.readSource(r.buf[r.w:])
	r.w += n
	return err
}

// readSource reads at least one byte into p, or returns the error of the source, which then stays.
func (r *Reader) readSource(p []byte) (int, error) {
	for range 100 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		if n, r.err = r.src.Read(p); n > 0 {
			return n, nil
		}
	}
	r.err = io.ErrNoProgress
	return 0, r.err
}

func (r *Reader) makeRoom() {
	switch {
	case r.buf == nil:
		r.pooled = buffers.Get().(*[bufferSize]byte)
		r.buf = r.pooled[:]
	case r.r == r.w:
		r.r, r.w = 0, 0
	case r.w < len(r.buf):
	case r.r > 0:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	default:
		r.replace(make([]byte, 2*len(r.buf)))
	}
}

// read reads up to len(p) bytes, straight into p where the buffer would not help. It returns n > 0 or an error.
func (r *Reader) read(p []byte, direct bool) (int, error) {
	if r.r == r.w {
		if direct || len(p) >= max(len(r.buf), bufferSize) {
			return r.readSource(p)
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.buf[r.r:r.w])
	r.r += n
	return n, nil
}

// take consumes n buffered bytes, which are valid until the next fill.
func (r *Reader) take(n int) []byte {
	b := r.buf[r.r : r.r+n]
	r.r += n
	return b
}

// skip consumes the text if it is buffered next.
func (r *Reader) skip(text string) bool {
	found := r.Buffered() >= len(text) && string(r.buf[r.r:r.r+len(text)]) == text
	if found {
		r.r += len(text)
	}
	return found
}

// block returns the length of the buffered section that ends with an empty line, reading until it is there, and
// over with a length beyond limit. Bytes that cannot be the beginning of a section starting with start end the
// wait at once: a peer which speaks another protocol may never send a line end.
func (r *Reader) block(limit int, start string) (n int, err error) {
	var s lineScan
	for {
		b := r.buf[r.r:r.w]
		if k := min(len(b), len(start)); string(b[:k]) != start[:k] {
			return 0, errStart
		}
		if n := s.end(b); n > limit || n == 0 && len(b) >= limit {
			return 0, errLimit
		} else if n > 0 {
			return n, nil
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
}

// line consumes a line that ends in CRLF and returns it without, valid until the next fill.
func (r *Reader) line(limit int) ([]byte, error) {
	for seen := 0; ; {
		b := r.buf[r.r:r.w]
		if i := bytes.IndexByte(b[seen:], '\n'); i >= 0 {
			return cutLine(r.take(seen+i+1), limit)
		}
		if seen = len(b); seen > limit+1 {
			return nil, errLimit
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

func cutLine(b []byte, limit int) ([]byte, error) {
	line, ok := bytes.CutSuffix(b, []byte("\r\n"))
	if !ok {
		return nil, errLineEnd
	}
	if len(line) > limit {
		return nil, errLimit
	}
	return line, nil
}

// lineScan finds the empty line that ends a section, remembering what it has looked at between two reads.
type lineScan struct {
	line int // start of the current line
	seen int // where to look on for its end
}

// end returns the length of the section at the start of b, 0 while its end is not there yet.
func (s *lineScan) end(b []byte) int {
	for {
		switch line := b[s.line:]; {
		case len(line) > 0 && line[0] == '\n':
			return s.line + 1
		case len(line) > 1 && line[0] == '\r' && line[1] == '\n':
			return s.line + 2
		}
		i := bytes.IndexByte(b[s.seen:], '\n')
		if i < 0 {
			s.seen = len(b)
			return 0
		}
		s.seen += i + 1
		s.line = s.seen
	}
}
