package http2

import (
	"encoding/binary"
	"io"
	"sync"

	"golang.org/x/net/http2"
)

const (
	frameHeader = 9       // bytes before a frame's payload
	maxFrame    = 1 << 14 // of the frames we take: the least that the protocol allows us to ask for
	inputSize   = 1 << 16 // at least one frame; four make a bulk transfer's system calls few
)

type inputBuffer [inputSize]byte

var inputs = sync.Pool{New: func() any { return new(inputBuffer) }}

// input is what has been read from the connection and not been handled. It belongs to who leads. A frame is handed
// to the framer when all of it is there, so that reading can stop and go on at any byte.
type input struct {
	buf  *inputBuffer // nil where nothing is buffered
	r, w int
}

func (in *input) len() int { return in.w - in.r }

// Read gives buffered bytes only; the framer asks for no more than there are.
func (in *input) Read(p []byte) (int, error) {
	n := copy(p, in.next(len(p)))
	if n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

// next takes up to n buffered bytes, valid until the next fill.
func (in *input) next(n int) []byte {
	n = min(n, in.len())
	if n == 0 {
		return nil
	}
	b := in.buf[in.r : in.r+n]
	in.r += n
	return b
}

// fill reads from src once. It needs no lock.
func (in *input) fill(src io.Reader) error {
	if in.buf == nil {
		in.buf = inputs.Get().(*inputBuffer)
	}
	if in.r > 0 {
		in.w = copy(in.buf[:], in.buf[in.r:in.w])
		in.r = 0
	}
	n, err := src.Read(in.buf[in.w:])
	in.w += n
	if n > 0 {
		return nil // an error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// release gives the buffer back where nothing is in it.
func (in *input) release() {
	if in.buf != nil && in.r == in.w {
		inputs.Put(in.buf)
		in.buf, in.r, in.w = nil, 0, 0
	}
}

// frame looks at the header of the next frame.
func (in *input) frame() (length int, typ http2.FrameType, flags http2.Flags, ok bool) {
	if in.len() < frameHeader {
		return 0, 0, 0, false
	}
	b := in.buf[in.r:in.w]
	return int(binary.BigEndian.Uint32(b) >> 8), http2.FrameType(b[3]), http2.Flags(b[4]), true
}

// ready reports whether the next frame can be handled: all of it is there, or so much of a DATA frame that its
// content can be taken as it comes.
func (in *input) ready() bool {
	length, typ, flags, ok := in.frame()
	switch {
	case !ok:
		return false
	case length > maxFrame: // which the framer refuses
		return true
	case typ != http2.FrameData:
		return in.len() >= frameHeader+length
	case flags.Has(http2.FlagDataPadded) && length > 0:
		return in.len() > frameHeader
	}
	return true
}
