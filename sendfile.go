package requests

import (
	"errors"
	"io"
	"net"
	"os"
)

// sendFile lets the kernel move a file straight to a plain TCP connection. done is
// false where that is not possible, and then nothing has been sent.
func (w *bodyWriter) sendFile(r io.Reader) (n int64, done bool, err error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok || !w.x.conn.plain {
		return 0, false, nil
	}
	f, ok := limited.R.(*os.File)
	if !ok || limited.N > w.framing.length-w.sent {
		return 0, false, nil
	}
	to, ok := w.x.conn.Conn.(io.ReaderFrom)
	if !ok {
		return 0, false, nil
	}
	start, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false, nil // a pipe: what a failed write has taken of it would be lost
	}
	w.early.start(w.x.conn)
	n, err = w.sendPieces(to, f, start, limited.N)
	w.early.stop()
	limited.N -= n
	if ne, ok := errors.AsType[*net.OpError](err); ok {
		return n, true, w.writeFailed(&writeError{ne})
	}
	return n, true, w.readerError(err)
}

// filePiece is how much of a file goes out under one time limit. There is none to
// set anew where the request has none.
const filePiece = 1 << 20

// sendPieces sends size bytes of f from start, or what there is. As in conn.write, a
// time limit bounds each wait for the server to take something.
func (w *bodyWriter) sendPieces(to io.ReaderFrom, f *os.File, start, size int64) (sent int64, err error) {
	piece := size
	if w.x.conn.source.limit > 0 {
		piece = filePiece
	}
	for sent < size {
		if err := w.x.conn.armWrite(w.x); err != nil {
			return sent, &writeError{err}
		}
		if w.early.answered.Load() {
			return sent, errAnswered
		}
		n, err := to.ReadFrom(&io.LimitedReader{R: f, N: min(piece, size-sent)})
		w.x.written += n
		sent += n
		switch {
		case err == nil && n == 0:
			return sent, nil // the file is shorter than it was
		case err == nil:
		case !w.x.progresses(int(n), err):
			return sent, err
		default:
			if _, err := f.Seek(start+sent, io.SeekStart); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// ReadFrom sends all r gives as part of the body. With it the WriteTo of a [Streamer]
// hands over its files, as *io.LimitedReader of an *os.File, for the kernel to move.
func (w *bodyWriter) ReadFrom(r io.Reader) (int64, error) {
	before := w.sent
	err := w.copy(r)
	return w.sent - before, err
}
