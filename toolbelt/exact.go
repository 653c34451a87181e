package toolbelt

import (
	"io"
	"net"

	"github.com/mountable/requests"
)

// maxEmptyReads is how often in a row a reader may give neither bytes nor an error.
const maxEmptyReads = 100

// exact reads the bytes a reader has promised, no more and no less.
type exact struct {
	r    io.Reader
	size int64 // promised
	left int64 // not read yet
	one  [1]byte
}

func newExact(r io.Reader, size int64) *exact { return &exact{r: r, size: size, left: size} }

// Read gives io.EOF together with the last bytes, and those only once the reader
// has shown that nothing follows them: a body that is too long is never completed.
func (x *exact) Read(b []byte) (int, error) {
	if int64(len(b)) > x.left {
		b = b[:x.left+1] // room to see one byte too many
	}
	n, err := x.progress(b)
	switch {
	case n < 0 || n > len(b):
		return 0, refuse(requests.ErrInvalidBody, nil, "the content's Read returned an impossible count")
	case int64(n) > x.left:
		return 0, x.tooLong()
	case int64(n) < x.left && err == io.EOF:
		x.left -= int64(n)
		return n, x.tooShort()
	case int64(n) < x.left || err != nil && err != io.EOF:
		x.left -= int64(n)
		return n, err
	}
	if err == nil {
		err = x.end()
	}
	if err != io.EOF {
		return 0, err
	}
	x.left = 0
	return n, err
}

// progress is a Read that does not come back with nothing.
func (x *exact) progress(b []byte) (n int, err error) {
	for range maxEmptyReads {
		if n, err = x.r.Read(b); n != 0 || err != nil || x.left == 0 {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// end returns io.EOF if the reader is at its end. Sockets, pipes and terminals are
// not asked, as they might keep us waiting.
func (x *exact) end() error {
	if _, ok := x.r.(net.Conn); ok || isPipe(x.r) {
		return io.EOF
	}
	for range maxEmptyReads {
		n, err := x.r.Read(x.one[:])
		if n > 0 {
			return x.tooLong()
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

func (x *exact) tooLong() error {
	return refuse(requests.ErrBodyLength, nil, "the content is longer than the %d bytes announced", x.size)
}

func (x *exact) tooShort() error {
	return refuse(requests.ErrBodyLength, nil, "the content ended after %d bytes of %d", x.size-x.left, x.size)
}
