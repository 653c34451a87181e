package http1

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/wire"
)

// lateFailure gives all that was announced, and fails when asked for more after a while.
type lateFailure struct {
	left  int
	after time.Duration
	err   error
}

func (l *lateFailure) Len() int { return l.left }

func (l *lateFailure) Read(p []byte) (int, error) {
	if l.left == 0 {
		time.Sleep(l.after)
		return 0, l.err
	}
	n := min(len(p), l.left)
	l.left -= n
	return n, nil
}

// TestFirstFailure: a body that fails while its end, held back until then, is being written is told as that, and not
// as the write which the failure has stopped.
func TestFirstFailure(t *testing.T) {
	mine := errors.New("mine")
	for what, taken := range map[string]bool{"nobody reads": false, "the peer has taken all": true} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer client.Close()
				defer server.Close()
				if taken {
					go func() { _, _ = io.Copy(io.Discard, server) }()
				}
				b, err := body.New(&lateFailure{left: 10, after: 2 * holdBack, err: mine})
				if err != nil {
					t.Fatal(err)
				}
				req := &wire.Request{Method: http.MethodPut, Target: "/", Authority: "h", Body: &b, Fields: [][2]string{{"Content-Length", "10"}}}
				x := new(Exchange)
				_, err = x.Do(context.Background(), NewConn(client, true), req, nil, func(Fate) {})
				if !errors.Is(err, mine) {
					t.Errorf("%v, want that of the body", err)
				}
				client.Close()
			})
		})
	}
}
