package requests

import (
	"io"
	"net"
	"os"
)

// sendFile lets the kernel move a file straight to a plain TCP connection. done is
// false where that is not possible, and then nothing has been sent.
func (w *bodyWriter) sendFile(r io.Reader) (n int64, done bool, err error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok || !w.x.conn.plain || w.x.conn.source.limit > 0 || !w.x.conn.source.deadline.IsZero() {
		return 0, false, nil
	}
	if _, ok := limited.R.(*os.File); !ok || limited.N > w.framing.length-w.sent {
		return 0, false, nil
	}
	to, ok := w.x.conn.Conn.(io.ReaderFrom)
	if !ok {
		return 0, false, nil
	}
	w.early.start(w.x.conn)
	n, err = to.ReadFrom(limited)
	w.early.stop()
	w.x.wrote = w.x.wrote || n > 0
	if ne, ok := err.(*net.OpError); ok {
		return n, true, w.writeFailed(&writeError{ne})
	}
	return n, true, w.readerError(err)
}

// ReadFrom sends all r gives as part of the body. With it the WriteTo of a [Streamer]
// hands over its files, as *io.LimitedReader of an *os.File, for the kernel to move.
func (w *bodyWriter) ReadFrom(r io.Reader) (int64, error) {
	before := w.sent
	err := w.copy(r)
	return w.sent - before, err
}
