package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/mountable/requests/internal/body"
)

// sendMost lets the kernel move a file that is the body of an http.Request, but for its end:
// Read sees that, as it closes the file, and tells one that has grown.
func (u *upload) sendMost(r io.Reader) error {
	own, ok := r.(interface{ File() *os.File })
	if !ok {
		return nil
	}
	f, most := own.File(), u.framing.length-u.sent-body.EndSize
	if f == nil || most < segmentSize || body.Waits(f) {
		return nil
	}
	_, _, err := u.sendFile(&io.LimitedReader{R: f, N: most})
	return err
}

// sendFile lets the kernel move a file straight to a plain TCP connection. done is
// false where that is not possible, and then nothing has been sent.
func (u *upload) sendFile(r io.Reader) (n int64, done bool, err error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok || !u.x.conn.plain || u.framing.chunked {
		return 0, false, nil
	}
	f, ok := limited.R.(*os.File)
	if !ok || limited.N > u.framing.length-u.sent {
		return 0, false, nil
	}
	to, ok := u.x.conn.Conn.(io.ReaderFrom)
	if !ok {
		return 0, false, nil
	}
	start, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false, nil // a pipe: what a failed write has taken of it would be lost
	}
	u.writing.Lock()
	defer u.writing.Unlock()
	if err := u.flush(); err != nil {
		return 0, true, err
	}
	u.reading.Store(false)
	defer u.reading.Store(true)
	n, err = u.sendPieces(to, f, start, limited.N)
	limited.N -= n
	u.sent += n
	if ne, ok := errors.AsType[*net.OpError](err); ok {
		return n, true, &writeError{ne}
	}
	return n, true, err
}

// filePiece is how much of a file goes out under one time limit. Larger ones are not
// faster, and tell later how much the socket has taken.
const filePiece = 256 << 10

// sendPieces sends size bytes of f from start, or what there is. As in write, a time
// limit bounds each wait for the server to take something.
func (u *upload) sendPieces(to io.ReaderFrom, f *os.File, start, size int64) (sent int64, err error) {
	u.begin()
	for sent < size {
		if err := u.arm(time.Time{}); err != nil {
			return sent, &writeError{err}
		}
		n, err := to.ReadFrom(&io.LimitedReader{R: f, N: min(filePiece, size-sent)})
		u.x.written.Add(n)
		sent += n
		switch {
		case err == nil && n == 0:
			return sent, nil // the file is shorter than it was
		case err == nil:
			u.begin()
		case !u.goesOn(int(n), err):
			return sent, err
		default:
			if _, err := f.Seek(start+sent, io.SeekStart); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}
