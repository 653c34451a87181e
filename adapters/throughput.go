package adapters

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// MinThroughput ends the reading of a body that comes too slowly: fewer than rate bytes a
// second over a window, as with curl's --speed-limit and --speed-time. The error is
// [requests.ErrTooSlow], which is [requests.ErrBodyTimeout] as well, and the connection
// is closed. Only the time that is spent waiting for bytes counts, and not what the reader
// does between; bytes are counted as they come, before their content coding is undone.
// What ends within the first window is never too slow.
//
//	wrapper, err := adapters.MinThroughput(1000, 30*time.Second)
//	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(), wrapper))
//
// A rate below 1, and a window that is not above 0, are [requests.ErrInvalidArgument].
func MinThroughput(rate int64, window time.Duration) (requests.Wrapper, error) {
	if rate < 1 {
		return nil, invalid("MinThroughput: the rate is %d: expected 1 byte a second or more", rate)
	}
	if window <= 0 {
		return nil, invalid("MinThroughput: the window is %v: expected more than 0", window)
	}
	return func(base requests.Adapter) requests.Adapter { return &hurried{base, rate, window} }, nil
}

type hurried struct {
	requests.Adapter
	rate   int64
	window time.Duration
}

// CloseIdle passes on.
func (a *hurried) CloseIdle() { closeIdle(a.Adapter) }

// Send implements [requests.Adapter].
func (a *hurried) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	r, err := a.Adapter.Send(ctx, p, opts)
	if err != nil || r == nil || r.Raw == nil {
		return r, err
	}
	if _, left := r.Conn(); left {
		return r, nil
	}
	r.Raw = &hurriedBody{Stream: wire.StreamOf(r.Raw), limit: a, response: r}
	return r, nil
}

// hurriedBody is a body that is measured, a window after the other:
//
//	the window is over          in it came
//	while a Read waits          enough: the next one begins; too little: the body is closed, which ends the Read
//	behind a Read               enough: the next one begins; too little: the Read fails
type hurriedBody struct {
	wire.Stream
	limit    *hurried
	response *requests.Response

	// mu protects the fields below.
	mu      sync.Mutex
	timer   *time.Timer // ends the window of the Read under way
	reading bool
	began   time.Time     // of the Read under way, or of the window within it
	waited  time.Duration // in this window, by earlier Reads
	came    int64         // in this window
	slow    bool
}

// Read implements [io.Reader].
func (b *hurriedBody) Read(p []byte) (int, error) {
	b.begin()
	n, err := b.Stream.Read(p)
	return b.ended(n, err)
}

// begin starts the clock of a Read.
func (b *hurriedBody) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.began, b.reading = time.Now(), true
	if left := b.limit.window - b.waited; b.timer == nil {
		b.timer = time.AfterFunc(left, b.expire)
	} else {
		b.timer.Reset(left)
	}
}

// expire is called when a window is over, or by a timer that was late to be stopped.
func (b *hurriedBody) expire() {
	if b.isOver() {
		_ = b.Stream.Close()
	}
}

// isOver reports whether the Read under way has to end; else there is another window.
func (b *hurriedBody) isOver() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.limit.window - b.waited - time.Since(b.began)
	switch {
	case !b.reading:
		return false
	case left > 0:
		b.timer.Reset(left)
		return false
	case b.tooLittle():
		b.slow = true
		return true
	}
	b.began, b.waited, b.came = time.Now(), 0, 0
	b.timer.Reset(b.limit.window)
	return false
}

func (b *hurriedBody) tooLittle() bool {
	return float64(b.came) < float64(b.limit.rate)*b.limit.window.Seconds()
}

// ended counts what a Read has brought.
func (b *hurriedBody) ended(n int, err error) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	b.timer.Stop()
	b.came += int64(max(n, 0))
	b.waited += time.Since(b.began)
	switch {
	case err == io.EOF:
	case b.slow, b.waited >= b.limit.window && b.tooLittle():
		b.slow = true
		_ = b.Stream.Close()
		return n, b.tooSlow()
	case b.waited >= b.limit.window:
		b.waited, b.came = 0, 0
	}
	return n, err
}

func (b *hurriedBody) tooSlow() error {
	detail := fmt.Sprintf("fewer than %d bytes a second came within %v (MinThroughput)", b.limit.rate, b.limit.window)
	return &requests.Error{Kind: requests.ErrTooSlow, Request: b.response.Request, Response: b.response, Detail: detail}
}

// WriteTo implements [io.WriterTo], in pieces that are measured.
func (b *hurriedBody) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{b})
}
