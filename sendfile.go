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
	if !ok || w.x.conn.state != nil || w.x.conn.source.limit > 0 || !w.x.conn.source.deadline.IsZero() {
		return 0, false, nil
	}
	if _, ok := limited.R.(*os.File); !ok {
		return 0, false, nil
	}
	to, ok := w.x.conn.Conn.(io.ReaderFrom)
	if !ok {
		return 0, false, nil
	}
	n, err = to.ReadFrom(limited)
	w.x.wrote = w.x.wrote || n > 0
	if ne, ok := err.(*net.OpError); ok {
		return n, true, &writeError{ne}
	}
	return n, true, w.readerError(err)
}

// checkAnswered looks, without waiting, whether the server has answered while a
// long body is being sent.
func (x *exchange) checkAnswered() error { return nil }
