package http3

import (
	"io"

	"github.com/quic-go/quic-go/quicvarint"
)

// frames reads the frames of a stream.
type frames struct {
	r       quicvarint.Reader
	unknown int // frames, since the last that was known
	ignored uint64
}

// next reads the head of a frame; io.EOF is the end of the stream between two of them.
func (f *frames) next() (kind, length uint64, err error) {
	first, err := f.r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	kind, err = quicvarint.Read(&unread{first: first, more: f.r})
	if err == nil {
		length, err = quicvarint.Read(f.r)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return kind, length, err
}

// unread gives a byte back.
type unread struct {
	first byte
	given bool
	more  io.ByteReader
}

// ReadByte implements [io.ByteReader].
func (u *unread) ReadByte() (byte, error) {
	if !u.given {
		u.given = true
		return u.first, nil
	}
	return u.more.ReadByte()
}

// skip throws away a frame that nobody here knows (RFC 9114 section 9), of which there may be a few.
func (f *frames) skip(kind, length uint64) error {
	switch kind {
	case frameData, frameHeaders, 2, frameCancelPush, frameSettings, framePushPromise, 6, frameGoAway, 8, 9, frameMaxPushID:
		return ofConn(codeFrameUnexpected, "the server sent a frame of the type %d where it does not belong", kind)
	}
	if length > mostIgnored || f.unknown == mostUnknown || f.ignored+length > mostIgnored {
		return ofConn(codeExcessiveLoad, "the server sent too many frames that nobody knows")
	}
	f.unknown++
	f.ignored += length
	n, err := io.CopyN(io.Discard, f.r, int64(length))
	if err == io.EOF && n < int64(length) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
