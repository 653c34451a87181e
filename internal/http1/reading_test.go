package http1

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/wire"
)

// drippingConn gives what is asked for, and then its rest piece by piece, each when it is
// let go: entered gets a value when a read waits for one.
type drippingConn struct {
	net.Conn
	head    string
	entered chan struct{}
	pieces  chan string
	busy    atomic.Bool
}

func (c *drippingConn) Read(b []byte) (int, error) {
	if c.head != "" {
		n := copy(b, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	if !c.busy.CompareAndSwap(false, true) {
		return 0, errors.New("two goroutines read the connection")
	}
	defer c.busy.Store(false)
	c.entered <- struct{}{}
	return copy(b, <-c.pieces), nil
}

func exchangeOver(t *testing.T, c net.Conn) (x *Exchange, fate <-chan Fate) {
	t.Helper()
	ended := make(chan Fate, 1)
	x = new(Exchange)
	req := &wire.Request{Method: http.MethodGet, Target: "/", Authority: "h"}
	if _, err := x.Do(context.Background(), NewConn(c, true), req, nil, func(f Fate) { ended <- f }); err != nil {
		t.Fatal(err)
	}
	return x, ended
}

// TestCloseKeepsReadersOut: while Close reads the rest of a body, nobody else does, and
// what it has read is not the end of what a reader sees.
func TestCloseKeepsReadersOut(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab",
	} {
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }() // the request
		t.Cleanup(func() { _ = client.Close() })
		c := &drippingConn{Conn: client, head: head, entered: make(chan struct{}), pieces: make(chan string)}
		x, fate := exchangeOver(t, c)
		if n, err := x.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		closed := make(chan error)
		go func() { closed <- x.Close() }()
		<-c.entered // Close reads
		check := func(when string) {
			t.Helper()
			n, err := x.Read(make([]byte, 64))
			_, err2 := x.WriteTo(io.Discard)
			got := []any{n, errors.Is(err, wire.ErrClosed), errors.Is(err2, wire.ErrClosed), x.Remaining(), x.ChunkRemaining(), len(x.Trailers()), x.Close()}
			if diff := cmp.Diff([]any{0, true, true, int64(-1), int64(0), 0, nil}, got); diff != "" {
				t.Errorf("%q, %s (-want +got):\n%s", head, when, diff)
			}
		}
		check("while Close reads")
		var asking sync.WaitGroup
		asking.Go(func() { // the race detector is to see nothing
			for range 1000 {
				_, _, _ = x.Remaining(), x.ChunkRemaining(), x.Trailers()
				x.LimitUntil(time.Now().Add(time.Hour))
			}
		})
		if x.Chunked() {
			c.pieces <- "cd\r\n0\r\nX-Sum: 1\r\n\r\n"
		} else {
			c.pieces <- "defghi"
		}
		if err := <-closed; err != nil || <-fate != Keep {
			t.Errorf("%q: Close gives %v, or the connection is not kept", head, err)
		}
		asking.Wait()
		check("closed")
	}
}

// TestCloseBesideTheEnd: a read that has come to the end ends the exchange, whatever Close
// does meanwhile.
func TestCloseBesideTheEnd(t *testing.T) {
	for range 200 {
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }()
		c := &drippingConn{Conn: client, head: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"}
		x, fate := exchangeOver(t, c)
		closed := make(chan struct{})
		go func() {
			_ = x.Close()
			close(closed)
		}()
		n, err := x.Read(make([]byte, 6))
		if err != nil && !errors.Is(err, wire.ErrClosed) && err != io.EOF || n != 0 && n != 6 {
			t.Errorf("%d bytes, %v", n, err)
		}
		<-closed
		<-fate
		_ = client.Close()
	}
}

// slowError takes its time to be told from others.
type slowError struct{}

func (slowError) Error() string { return "slow" }

func (slowError) Is(target error) bool {
	if target == os.ErrDeadlineExceeded {
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// failingConn gives its head, and then fails, late.
type failingConn struct {
	net.Conn
	head string
}

func (c *failingConn) Read(b []byte) (int, error) {
	n := copy(b, c.head)
	if c.head = c.head[n:]; n > 0 {
		return n, nil
	}
	time.Sleep(10 * time.Millisecond)
	return 0, slowError{}
}

// TestCloseBesideFailure: Close that comes while a read finds out why it has failed changes
// nothing that the read looks at. Only time orders the two, so that the race detector can see it.
func TestCloseBesideFailure(t *testing.T) {
	for range 10 { // the race detector remembers a few accesses only
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }() // the request
		t.Cleanup(func() { _ = client.Close() })
		x, fate := exchangeOver(t, &failingConn{client, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"})
		var closing sync.WaitGroup
		closing.Go(func() {
			time.Sleep(20 * time.Millisecond)
			_ = x.Close()
		})
		n, err := x.Read(make([]byte, 6))
		closing.Wait()
		if n != 0 || !errors.Is(err, wire.ErrClosed) && !strings.Contains(err.Error(), "slow") || <-fate != Close {
			t.Errorf("%d bytes, %v, or the connection is kept", n, err)
		}
	}
}

// TestFailureStays: what has ended a body is what every later read gives.
func TestFailureStays(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
	} {
		client, server := net.Pipe()
		go func() {
			_, _ = server.Read(make([]byte, 1<<10)) // the request
			_, _ = io.WriteString(server, head)
			_ = server.Close()
		}()
		x, _ := exchangeOver(t, client)
		_, first := io.ReadAll(x)
		_, second := x.Read(make([]byte, 1))
		_, third := x.WriteTo(io.Discard)
		_ = x.Close()
		_, fourth := x.Read(make([]byte, 1))
		if first == nil || errors.Is(first, wire.ErrClosed) || second != first || third != first || fourth != first {
			t.Errorf("%q: %v, then %v, %v and, closed, %v", head, first, second, third, fourth)
		}
		_ = client.Close()
	}
}
