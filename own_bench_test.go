package requests_test

import (
	"context"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// cannedConn answers each write at once, without a system call.
type cannedConn struct {
	net.Conn
	response, rest []byte
}

func (c *cannedConn) Write(b []byte) (int, error) {
	c.rest = c.response
	return len(b), nil
}

func (c *cannedConn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *cannedConn) LocalAddr() net.Addr              { return nil }
func (c *cannedConn) RemoteAddr() net.Addr             { return nil }
func (c *cannedConn) SetDeadline(time.Time) error      { return nil }
func (c *cannedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *cannedConn) SetWriteDeadline(time.Time) error { return nil }
func (c *cannedConn) Close() error                     { return nil }

// BenchmarkOwn is what a small GET costs this library itself: no system call is made.
func BenchmarkOwn(b *testing.B) {
	dial := requests.DialFunc(func(context.Context, string, string) (net.Conn, error) {
		return &cannedConn{response: pongResponse}, nil
	})
	canned := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Dial = &dial
		return nil
	})
	for _, cancelable := range []bool{false, true} {
		b.Run("cancelable="+strconv.FormatBool(cancelable), func(b *testing.B) {
			ctx := context.Background()
			if cancelable {
				ctx = b.Context()
			}
			s := requests.NewSession()
			defer s.Close()
			s.Mount("http://", requests.NewHTTPAdapter(canned))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Get(ctx, "http://127.0.0.1:80/path?q=1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestNewSessionAllocations holds what a session costs before its first request: itself with its jar and its adapters,
// its headers, and the tree of what is mounted.
func TestNewSessionAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates by itself, so that the counts are not the library's")
	}
	if n := testing.AllocsPerRun(100, func() { requests.NewSession() }); n > 10 {
		t.Errorf("%v allocations, want 10 at most", n)
	}
}

func BenchmarkNewSession(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		requests.NewSession()
	}
}

// BenchmarkManyFields grows with the number of fields, and not with its square.
func BenchmarkManyFields(b *testing.B) {
	for _, n := range []int{1000, 8000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := requests.NewSession()
			defer s.Close()
			var many requests.Headers
			for i := range n {
				many = append(many, [2]string{"X-Field-" + strconv.Itoa(i), "value"})
			}
			b.ReportAllocs()
			url := pongServer(b) + "/path?q=1"
			for b.Loop() {
				if _, err := s.Get(context.Background(), url, many); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
