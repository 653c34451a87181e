package wire

import (
	"errors"
	"io"
	"time"
)

// ErrClosed is the cause of the error of a body that is read after it was closed
// before its end.
var ErrClosed = errors.New("read after the body was closed")

// StreamOf makes a Stream of any body. One that is a Stream is returned as it is; of any
// other, the abilities that it has in common with Stream are used: Remaining, Chunked
// and ChunkRemaining, Trailers, LimitUntil, Verifiable. One that does not know whether it is
// verifiable is: its Read has to fail where it was cut short, as that is all it can do.
func StreamOf(rc io.ReadCloser) Stream {
	if rc == nil {
		return &foreign{ReadCloser: empty{}, sized: empty{}, ended: true}
	}
	if s, ok := rc.(Stream); ok {
		return s
	}
	f := &foreign{ReadCloser: rc}
	f.sized, _ = rc.(interface{ Remaining() int64 })
	f.trailed, _ = rc.(interface{ Trailers() [][2]string })
	f.chunked, _ = rc.(chunked)
	return f
}

// foreign is a body that was not made by this module, or wraps one.
type foreign struct {
	io.ReadCloser
	sized   interface{ Remaining() int64 }
	trailed interface{ Trailers() [][2]string }
	chunked chunked
	ended   bool
}

type chunked interface {
	Chunked() bool
	ChunkRemaining() int64
}

func (f *foreign) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, f.ReadCloser) }

func (f *foreign) Read(b []byte) (int, error) {
	n, err := f.ReadCloser.Read(b)
	f.ended = f.ended || err == io.EOF
	return n, err
}

// Remaining is not 0 before the end has been read: Close may not be enough for such a body.
func (f *foreign) Remaining() int64 {
	if f.sized == nil {
		return -1
	}
	n := f.sized.Remaining()
	if n == 0 && !f.ended {
		return -1
	}
	return n
}

func (f *foreign) Chunked() bool { return f.chunked != nil && f.chunked.Chunked() }

func (f *foreign) ChunkRemaining() int64 {
	if f.chunked == nil {
		return 0
	}
	return f.chunked.ChunkRemaining()
}

func (f *foreign) Trailers() [][2]string {
	if f.trailed == nil {
		return nil
	}
	return f.trailed.Trailers()
}

func (f *foreign) LimitUntil(t time.Time) {
	if l, ok := f.ReadCloser.(interface{ LimitUntil(time.Time) }); ok {
		l.LimitUntil(t)
	}
}

func (f *foreign) Verifiable() bool {
	v, ok := f.ReadCloser.(interface{ Verifiable() bool })
	return !ok || v.Verifiable()
}

// empty is the body of a response that has none.
type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, io.EOF }
func (empty) Close() error             { return nil }
func (empty) Remaining() int64         { return 0 }
