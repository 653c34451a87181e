package coding

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// body is the stack of layers a caller reads. The lock keeps a decoder from
// going back to its pool while a Read is still inside it.
type body struct {
	top    io.Reader
	layers []layer // in the order the codings were applied

	mu     sync.Mutex // held while something is read
	closed atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return 0, ErrClosed
	}
	n, err := b.top.Read(p)
	if err != nil || b.closed.Load() {
		b.release()
	}
	return n, err
}

// Close never waits: when a Read holds the lock, that Read releases.
func (b *body) Close() error {
	b.closed.Store(true)
	if b.mu.TryLock() {
		b.release()
		b.mu.Unlock()
	}
	return nil
}

func (b *body) release() {
	for i := range b.layers {
		b.layers[i].release()
	}
}

// source is what a decoder reads from. It counts, it remembers how its reader
// ended, and it spares the decoders readers that return nothing without error.
type source struct {
	r   io.Reader
	n   int64
	err error
}

const maxEmptyReads = 100

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	for range maxEmptyReads {
		n, err := s.r.Read(p)
		s.n += int64(n)
		s.err = err
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	s.err = io.ErrNoProgress
	return 0, s.err
}

// failed returns the error src ended with, unless that was its regular end.
func (s *source) failed() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

// decoder undoes one coding. It returns io.EOF when its source is used up,
// io.ErrUnexpectedEOF when that came too early, and any other error when the
// data is corrupt. release gives what is pooled back, and is called once.
type decoder interface {
	io.Reader
	release()
}

// layer is one coding of the list: it holds a decoder to its limits and sorts
// its errors.
type layer struct {
	name    string
	in, raw *source
	dec     decoder
	lim     Limits
	lenient bool
	out     int64
	err     error
}

func (l *layer) start(name string, in, raw *source, lim Limits) {
	*l = layer{name: name, in: in, raw: raw, lim: lim}
	switch name {
	case "gzip", "x-gzip":
		l.dec, l.lenient = newGzip(in, lim.Leniency == WithoutTrailer), lim.Leniency == Truncated
	case "deflate":
		l.dec, l.lenient = newDeflate(in), lim.Leniency == Truncated
	case "br":
		l.dec = newBrotli(in)
	case "zstd":
		l.dec = newZstd(in)
	default:
		l.dec = unsupported{in}
	}
}

func (l *layer) Read(p []byte) (int, error) {
	for l.err == nil {
		n, err := l.dec.Read(p)
		if err != nil {
			l.err = l.sort(err)
		}
		if n = l.limit(n); n > 0 {
			return n, nil
		}
	}
	return 0, l.err
}

// limit counts n decoded bytes and returns how many of them may be shown.
func (l *layer) limit(n int) int {
	decoded := l.out + int64(n)
	allowed := l.lim.allows(decoded, l.raw.n)
	if allowed == decoded {
		l.out = decoded
		return n
	}
	l.err = &Error{Coding: l.name, Err: ErrTooLarge}
	n = int(max(0, allowed-l.out))
	l.out += int64(n)
	return n
}

// sort tells the three ways a decoder can stop apart: its source ended or
// failed (that error is passed on as it is), its data was cut, or is corrupt.
func (l *layer) sort(err error) error {
	ended := err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)
	if failed := l.in.failed(); failed != nil && (ended || errors.Is(err, failed)) {
		return failed
	}
	if err == io.EOF || ended && l.lenient {
		return io.EOF
	}
	return &Error{Coding: l.name, Err: err}
}

func (l *layer) release() {
	if l.dec != nil {
		l.dec.release()
		l.dec = nil
	}
	if l.err == nil {
		l.err = ErrClosed
	}
}

// unsupported stands for a coding that is not known: an empty body is fine.
type unsupported struct{ in io.Reader }

func (u unsupported) Read(p []byte) (int, error) {
	if _, err := u.in.Read(p[:1]); err != nil {
		return 0, err
	}
	return 0, ErrUnsupported
}

func (unsupported) release() {}

// own is a decoder of the program's. It is made when something is read: it may read itself.
type own struct {
	in   *source
	open func(io.Reader) (io.Reader, error)
	out  io.Reader
	err  error
}

var errNoReader = errors.New("the decoder has returned neither a reader nor an error")

func (o *own) Read(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	if o.out == nil {
		o.out, o.err = o.open(o.in)
		if o.out == nil && o.err == nil {
			o.err = errNoReader
		}
		if o.err != nil {
			return 0, o.err
		}
	}
	n, err := o.out.Read(p)
	if err == io.EOF { // and not before the source has told its own
		_, _ = io.Copy(io.Discard, o.in)
		if err = o.in.err; err == nil {
			err = io.EOF
		}
	}
	o.err = err
	return n, err
}

func (o *own) release() {
	if c, ok := o.out.(io.Closer); ok {
		_ = c.Close()
	}
}
