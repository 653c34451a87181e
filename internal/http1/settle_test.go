package http1

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/wire"
)

// socket is a connection that knows what its other end has taken.
type socket struct {
	net.Conn
	taken atomic.Int64
}

func (s *socket) Queued() int64 { return -s.taken.Load() } // what has been given to it counts 0 until it is taken

// peer responds as soon as it has a head, and takes the body in steps.
type peer struct {
	step  int64
	pause time.Duration
	until int64 // it takes this much
}

// serve tells how much it was given of the body.
func (p peer) serve(c net.Conn, taken *atomic.Int64, got chan<- int64) {
	defer close(got)
	r, n := bufio.NewReaderSize(c, 16), int64(0)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	for n < p.until {
		time.Sleep(p.pause)
		m, err := io.CopyN(io.Discard, req.Body, p.step)
		n += m
		if taken != nil {
			taken.Add(m)
		}
		if err != nil {
			break
		}
	}
	if n == settled {
		io.Copy(io.Discard, req.Body) // the last chunk
	}
	got <- n
}

const settled = 64 << 10 // bytes of a body

// TestUploadBehindTheResponse: who has read a whole response waits for the upload as long as the
// server takes something of it, and the caller's code gives something. The time is not the machine's.
func TestUploadBehindTheResponse(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, settled), 0o600); err != nil {
		t.Fatal(err)
	}
	memory := func(testing.TB) any { return make([]byte, settled) }
	pausing := func(d time.Duration) func(testing.TB) any {
		return func(testing.TB) any {
			return func(yield func([]byte) bool) {
				for range 64 {
					if time.Sleep(d); !yield(make([]byte, settled/64)) {
						return
					}
				}
			}
		}
	}
	for what, c := range map[string]struct {
		body  func(testing.TB) any
		peer  peer
		known bool // the socket tells what is taken
		sent  int64
		fate  Fate
		wait  time.Duration
	}{
		"a byte at a time":             {memory, peer{1, stalled - 2*stallTick, 20}, true, 20, Close, 25 * stalled},
		"some at a time":               {memory, peer{settled / 16, stalled - 2*stallTick, settled}, true, settled, Keep, 16 * stalled},
		"a file":                       {func(t testing.TB) any { return open(t, name) }, peer{settled / 16, stalled - 2*stallTick, settled}, true, settled, Keep, 16 * stalled},
		"a socket that cannot tell":    {memory, peer{settled / 4, stalled/4 - 2*stallTick, settled}, false, settled, Keep, 4 * stalled},
		"a server that has stopped":    {memory, peer{settled / 4, stallTick, settled / 4}, true, settled / 4, Close, stalled + 4*stallTick},
		"the caller's code, in pieces": {pausing(stallTick / 2), peer{settled / 64, 0, settled}, true, settled, Keep, 64 * stallTick},
		"the caller's code, blocked":   {pausing(time.Hour), peer{settled / 64, 0, settled}, true, 0, Close, withheld + 4*stallTick},
	} {
		t.Run(what, func(t *testing.T) {
			content := c.body(t)
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer client.Close()
				defer server.Close()
				under, taken := net.Conn(client), (*atomic.Int64)(nil)
				if c.known {
					s := &socket{Conn: client}
					under, taken = s, &s.taken
				}
				got := make(chan int64, 1)
				go c.peer.serve(server, taken, got)
				began := time.Now()
				fate := deliver(t, under, content)
				if waited := time.Since(began); waited > c.wait {
					t.Errorf("it took %v, want at most %v", waited, c.wait)
				}
				client.Close()
				if diff := cmp.Diff([]any{c.sent, c.fate}, []any{<-got, fate}); diff != "" {
					t.Errorf("bytes that the server was sent, fate of the connection (-want +got)\n%s", diff)
				}
				time.Sleep(time.Hour) // the caller's code ends
			})
		})
	}
}

// deliver sends content, reads the response and returns what became of the connection.
func deliver(t *testing.T, c net.Conn, content any) (fate Fate) {
	b, err := body.New(content)
	if err != nil {
		t.Fatal(err)
	}
	req := &wire.Request{Method: http.MethodPut, Target: "/", Authority: "h", Body: &b}
	if b.Len() >= 0 {
		req.Fields = [][2]string{{"Content-Length", strconv.FormatInt(b.Len(), 10)}}
	}
	x := new(Exchange)
	if _, err := x.Do(context.Background(), NewConn(c, true), req, nil, func(f Fate) { fate = f }); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(x); !bytes.Equal(text, []byte("ok")) || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	return fate
}

func open(t testing.TB, name string) *os.File {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
