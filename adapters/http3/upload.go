package http3

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go/quicvarint"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/section"
)

const mostTrailer = h1.DefaultTrailerBytes

// continueWait is how long a body is held back for 100 where Timeouts.Continue is 0.
const continueWait = time.Second

// upload sends the body of a request on a goroutine of its own, which ends when the body has
// been sent, the server wants no more, or the exchange is over. Nobody waits for it.
type upload struct {
	exchange  *exchange
	req       *http.Request
	once      sync.Once
	continued chan struct{} // closed when the body may follow
}

// proceed ends the wait for 100.
func (u *upload) proceed() { u.once.Do(func() { close(u.continued) }) }

// run sends the body. A panic of the caller's body is handed on to whoever waits for the response.
func (u *upload) run() {
	defer func() {
		if v := recover(); v != nil {
			u.exchange.panicked.Store(&v)
			u.exchange.fail(errPanicked)
		}
	}()
	defer u.req.Body.Close()
	if !u.heldBack() {
		return
	}
	err := u.send()
	switch {
	case err == nil:
		u.exchange.close()
	case !isStopped(err):
		u.exchange.fail(err)
	}
}

// heldBack waits for 100 where the request expects it, and reports whether the body is still wanted.
func (u *upload) heldBack() bool {
	s := u.exchange.sending
	if !section.HasToken(s.prepared.Headers.Get("Expect"), "100-continue") {
		return true
	}
	wait := s.opts.Timeouts.Continue
	if wait <= 0 {
		wait = continueWait
	}
	if wait == requests.Forever {
		wait = time.Hour
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-u.continued:
	case <-timer.C:
	case <-u.exchange.closed:
		return false
	}
	return true
}

const (
	pieceSize = 16 << 10
	headSpace = 8 // for the head of a DATA frame: one byte of type, and at most four of length
)

// send sends DATA frames, and the trailers.
func (u *upload) send() error {
	buffer := make([]byte, headSpace+pieceSize)
	for {
		n, err := u.req.Body.Read(buffer[headSpace:])
		if n > 0 {
			frame := quicvarint.Append([]byte{frameData}, uint64(n))
			start := headSpace - len(frame)
			copy(buffer[start:], frame)
			if err := u.exchange.write(buffer[start : headSpace+n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return u.trailers()
		}
		if err != nil {
			return err
		}
	}
}

// trailers asks the prepared request: req is a copy, whose trailers nobody fills in.
func (u *upload) trailers() error {
	give := u.exchange.sending.prepared.Trailers
	if give == nil {
		return nil
	}
	e, err := trailers(give())
	if err != nil || e.size == 0 {
		return err
	}
	frame, err := e.frame(u.exchange.conn.mostHead.Load())
	if err != nil {
		return err
	}
	return u.exchange.write(frame)
}
