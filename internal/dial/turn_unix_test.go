//go:build unix

package dial

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// turned is what a Turn did.
type turned struct {
	wrote, read int
	text        string
	next        error // of the Read after it
}

// TestTurn: what comes of writing a request and waiting for the response at once, for each way in which that can end.
func TestTurn(t *testing.T) {
	const request, response = "ping\n", "pong"
	ended := func(c net.Conn) { c.Close() }
	reset := func(c net.Conn) {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	for _, tt := range []struct {
		name   string
		before func(c *Conn)                // the turn
		peer   func(peer net.Conn, c *Conn) // once it has read the request
		want   turned
	}{
		{"the response comes", nil, func(p net.Conn, _ *Conn) { _, _ = io.WriteString(p, response) }, turned{5, 4, response, io.EOF}},
		{"the peer ends", nil, func(p net.Conn, _ *Conn) { ended(p) }, turned{wrote: 5, next: io.EOF}},
		{"the peer resets", nil, func(p net.Conn, _ *Conn) { reset(p) }, turned{wrote: 5, next: syscall.ECONNRESET}},
		{"a deadline in between", nil, func(_ net.Conn, c *Conn) { _ = c.SetDeadline(past) }, turned{wrote: 5, next: os.ErrDeadlineExceeded}},
		{"a deadline before", func(c *Conn) { _ = c.SetReadDeadline(past) }, nil, turned{next: os.ErrDeadlineExceeded}},
		{"closed in between", nil, func(_ net.Conn, c *Conn) { c.Close() }, turned{wrote: 5, next: net.ErrClosed}},
		{"closed before", func(c *Conn) { c.Close() }, nil, turned{next: net.ErrClosed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, peer := ends(t)
			if tt.before != nil {
				tt.before(c)
			}
			over := make(chan struct{})
			go func() {
				defer close(over)
				defer ended(peer)
				if line, _ := bufio.NewReader(peer).ReadString('\n'); line == request && tt.peer != nil {
					tt.peer(peer, c)
				}
			}()
			into := make([]byte, 64)
			wrote, read, writeErr, readErr := c.Turn([]byte(request), into)
			if writeErr != nil {
				t.Errorf("writing: %v", writeErr)
			}
			got := turned{wrote, read, string(into[:read]), readErr}
			if readErr == nil {
				_, got.next = c.Read(into)
			}
			c.Close()
			<-over
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(turned{}), cmp.Comparer(func(a, b error) bool { return errors.Is(b, a) || errors.Is(a, b) })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestTurnLeaves: a request that the socket does not take at once is left to Write.
func TestTurnLeaves(t *testing.T) {
	c, _ := ends(t) // whose peer does not read
	request := make([]byte, 64<<20)
	wrote, read, writeErr, readErr := c.Turn(request, make([]byte, 1))
	if wrote == 0 || wrote == len(request) || read != 0 || writeErr != nil || readErr != nil {
		t.Errorf("wrote %d of %d, read %d, %v, %v", wrote, len(request), read, writeErr, readErr)
	}
}

// TestTurnNeeds: what is not a plain socket does nothing.
func TestTurnNeeds(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	c := newConn(a, a, nil, nil)
	if wrote, read, writeErr, readErr := c.Turn([]byte("x"), make([]byte, 1)); wrote+read != 0 || writeErr != nil || readErr != nil {
		t.Errorf("wrote %d, read %d, %v, %v", wrote, read, writeErr, readErr)
	}
}

// BenchmarkTurn is a request and its response, by Turn and by Write and Read.
func BenchmarkTurn(b *testing.B) {
	for name, turn := range map[string]bool{"turn": true, "write and read": false} {
		b.Run(name, func(b *testing.B) {
			c, peer := ends(b)
			go func() { _, _ = io.Copy(peer, peer) }()
			request, into := make([]byte, 100), make([]byte, 200)
			b.ReportAllocs()
			for b.Loop() {
				wrote, read := 0, 0
				if turn {
					wrote, read, _, _ = c.Turn(request, into)
				}
				if wrote == 0 {
					wrote, _ = c.Write(request)
				}
				if read == 0 {
					read, _ = c.Read(into)
				}
				if wrote != len(request) || read == 0 {
					b.Fatal(wrote, read)
				}
			}
		})
	}
}

// ends are both ends of a TCP connection, the first as Dial returns it.
func ends(t testing.TB) (c *Conn, peer net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err == nil {
		peer, err = l.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	socket := timely(raw)
	c = newConn(socket, socket, nil, nil)
	t.Cleanup(func() {
		c.Close()
		peer.Close()
	})
	return c, peer
}
