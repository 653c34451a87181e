package h1

import (
	"io"
	"math"
)

// Body reads one message body: the bytes after transfer decoding and before content decoding. It is meant to be
// embedded by value; Init makes it ready. It ends with io.EOF and only with it: a body cut short is an *Error with
// BodyTruncated, a failing source one with ReadFailed, and both stay.
type Body struct {
	r         *Reader
	lim       *Limits // as given to Init
	chunkLine int     // the limit of that name
	err       error   // sticky
	left      int64   // bytes left of the body, or of the current chunk
	surplus   int     // bytes of chunk extensions beyond those of data
	framing   Framing
	inChunks  bool // a chunk has been read, its CRLF not yet
	trailers  Fields
}

// Init makes b read a body from r, as ResponseFraming decided. n counts for Length only. lim must not change as long as b
// is read.
func (b *Body) Init(r *Reader, f Framing, n int64, lim *Limits) {
	*b = Body{r: r, framing: f}
	switch f {
	case Length:
		b.left = max(n, 0)
	case Chunked:
		b.lim, b.chunkLine = lim, lim.orDefaults().ChunkLine
		return
	case UntilClose:
		b.left = math.MaxInt64
	}
	if b.left == 0 {
		b.err = io.EOF
	}
}

// Done reports whether the body was read to its proper end. That may be known with its last byte, before io.EOF: always
// with a length, and where the end of a chunked body came along with it.
func (b *Body) Done() bool { return b.err == io.EOF }

// Trailers returns the fields after a chunked body, once it is done.
func (b *Body) Trailers() Fields { return b.trailers }

// Read reads what is there, at least one byte. It never crosses the border of a chunk.
func (b *Body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := b.ready(); err != nil {
		return 0, err
	}
	if b.framing == Chunked && len(p) >= wideSize/4 {
		b.r.widen()
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.read(p, b.framing == Length && int64(len(p)) == b.left)
	if err != nil {
		return 0, b.cut(err)
	}
	b.consumed(n)
	return n, nil
}

// ReadFull reads until p is full, or as far as the current chunk (or the body) goes: what urllib3's stream yields for
// one chunk size. The error is that of the Read which failed; n may be more than 0 beside it, but not beside io.EOF.
func (b *Body) ReadFull(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := b.Read(p[n:])
		n += m
		switch {
		case err == io.EOF && n > 0:
			return n, nil
		case err != nil:
			return n, err
		case b.framing == Chunked && b.left == 0:
			return n, nil
		}
	}
	return n, nil
}

// Chunk returns how many bytes the current chunk still holds (with a length: the body), reading the next chunk's size
// where one has ended; -1 where only the end of the connection ends it, and io.EOF at the end. The peer chose the
// number: do not allocate by it unbounded.
func (b *Body) Chunk() (int64, error) {
	if err := b.ready(); err != nil {
		return 0, err
	}
	if b.framing == UntilClose {
		return -1, nil
	}
	return b.left, nil
}

// ready makes sure that a byte of the body is due.
func (b *Body) ready() error {
	if b.err == nil && b.left == 0 {
		b.err = b.nextChunk()
	}
	return b.err
}

func (b *Body) consumed(n int) {
	if b.framing == UntilClose {
		return
	}
	if b.left -= int64(n); b.left > 0 {
		return
	}
	if b.framing == Length || b.r.skip("\r\n"+LastChunk) {
		b.err = io.EOF
	}
}

// cut keeps the error for a source that failed, or ended: the proper end only where that ends the body.
func (b *Body) cut(err error) error {
	if b.err = err; err != io.EOF || b.framing != UntilClose {
		b.err = readFault(BodyTruncated, err)
	}
	return b.err
}

// WriteTo writes the rest of the body to w, straight from a pooled buffer of 128 KiB where there is much of it. An
// error of w leaves the body where it is, unread bytes lost.
func (b *Body) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := b.ready(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		p, err := b.next()
		if err != nil {
			b.cut(err)
			continue
		}
		b.consumed(len(p))
		n, err := w.Write(p)
		total += int64(n)
		if err == nil && n < len(p) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return total, err
		}
	}
}

// next returns the next bytes of the body, valid until the buffer is filled again.
func (b *Body) next() ([]byte, error) {
	if b.r.Buffered() == 0 {
		if b.framing == Chunked || b.left >= bufferSize {
			b.r.widen()
		}
		if err := b.r.fill(); err != nil {
			return nil, err
		}
	}
	return b.r.take(int(min(b.left, int64(b.r.Buffered())))), nil
}
