package toolbelt

import (
	"io"
	"net"
	"os"

	"github.com/mountable/requests"
)

// maxEmptyReads is how often in a row a reader may give neither bytes nor an error.
const maxEmptyReads = 100

// exact reads the bytes that are promised of a reader, no more and no less.
//
// Where the reader itself said how many there are, or an iterator gives them, its end is
// looked for. Where the caller said how many to take, nothing behind them is read: it may
// be somebody else's, or not there yet. What can be known of it without reading still
// counts.
type exact struct {
	r     io.Reader
	size  int64 // promised
	left  int64 // not read yet
	taken bool  // of more, perhaps: nothing behind is read
	told  int   // what Len said at first, -1 without one
	one   [1]byte
}

func newExact(r io.Reader, size int64, taken bool) *exact {
	return &exact{r: r, size: size, left: size, taken: taken, told: unread(r)}
}

// Read gives io.EOF together with the last bytes, and those only once the reader
// has shown that nothing follows them: a body that is too long is never completed.
func (x *exact) Read(b []byte) (int, error) {
	if int64(len(b)) > x.left {
		b = b[:x.left]
		if !x.taken {
			b = b[:x.left+1] // room to see one byte too many
		}
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

// progress is a Read that does not come back with nothing, unless nothing is wanted.
func (x *exact) progress(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	for range maxEmptyReads {
		if n, err = x.r.Read(b); n != 0 || err != nil || x.left == 0 {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// end returns io.EOF if the reader is at its end, as far as that may be asked. Sockets,
// pipes and terminals are not, as they might keep us waiting.
func (x *exact) end() error {
	if x.follows(0) {
		return x.tooLong()
	}
	if _, ok := x.r.(net.Conn); ok || x.taken || isPipe(x.r) {
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

// follows reports whether the reader is known to have more than the next n bytes. One
// whose Len never changes says nothing by it.
func (x *exact) follows(n int64) bool {
	if f, ok := x.r.(*os.File); ok {
		start, seekable := position(f)
		info, err := f.Stat()
		return seekable && err == nil && info.Size() > start+n
	}
	now := unread(x.r)
	return (now != x.told || x.size == 0) && int64(now) > n
}

// unread is what Len says there is to read, -1 without one.
func unread(r io.Reader) int {
	if r, ok := r.(interface{ Len() int }); ok {
		return r.Len()
	}
	return -1
}

func (x *exact) tooLong() error {
	return refuse(requests.ErrBodyLength, nil, "the content is longer than the %d bytes announced", x.size)
}

func (x *exact) tooShort() error {
	return refuse(requests.ErrBodyLength, nil, "the content ended after %d bytes of %d", x.size-x.left, x.size)
}
