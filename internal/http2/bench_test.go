package http2

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests/internal/wire"
	"github.com/mountable/requests/internal/wiretest"
)

var benchContent = bytes.Repeat([]byte("x"), 200)

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			nc, err := net.Dial("tcp", wiretest.HTTP2(b, benchContent, false))
			if err != nil {
				b.Fatal(err)
			}
			c := New(nc, Config{})
			defer func() { _ = c.Close() }()
			wiretest.InParallel(b, n, func() error { return getOnce(context.Background(), c) })
		})
	}
}

// BenchmarkGetOneReader is the same where one goroutine, which waits for a response that does not come, reads for all:
// what a reader of its own would cost every connection.
func BenchmarkGetOneReader(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			nc, err := net.Dial("tcp", wiretest.HTTP2(b, benchContent, true))
			if err != nil {
				b.Fatal(err)
			}
			c := New(nc, Config{})
			var reader sync.WaitGroup
			reader.Go(func() { _ = getOnce(context.Background(), c) })
			for opened := false; !opened; runtime.Gosched() {
				c.mu.Lock()
				opened = c.leader != nil
				c.mu.Unlock()
			}
			defer reader.Wait()
			defer func() { _ = c.Close() }()
			wiretest.InParallel(b, n, func() error { return getOnce(context.Background(), c) })
		})
	}
}

func BenchmarkGetLimited(b *testing.B) {
	nc, err := net.Dial("tcp", wiretest.HTTP2(b, benchContent, false))
	if err != nil {
		b.Fatal(err)
	}
	c := New(nc, Config{})
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	wiretest.InParallel(b, 1, func() error { return getOnce(ctx, c) })
}

func getOnce(ctx context.Context, c *Conn) error {
	req := benchRequest
	if ctx.Done() != nil {
		req.Limits = wire.Limits{Read: time.Minute, Write: time.Minute}
	}
	resp, err := roundTrip(ctx, c, &req, nil)
	if err != nil {
		return err
	}
	var buf [256]byte
	if n, err := io.ReadFull(resp.Body, buf[:]); n != 200 || err != io.ErrUnexpectedEOF {
		return fmt.Errorf("%d bytes, %v", n, err)
	}
	return nil
}

var benchRequest = wire.Request{Method: "GET", Scheme: "http", Authority: "example.test", Target: "/path?query=1", Fields: [][2]string{
	{"User-Agent", "x/1"}, {"Accept-Encoding", "gzip, deflate"}, {"Accept", "*/*"},
}}

// BenchmarkGetNetHTTP is the same with net/http's transport, to compare with.
func BenchmarkGetNetHTTP(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
			transport.Protocols.SetUnencryptedHTTP2(true)
			defer transport.CloseIdleConnections()
			url := "http://" + wiretest.HTTP2(b, benchContent, false) + "/path?query=1"
			wiretest.InParallel(b, n, func() error {
				req, _ := http.NewRequest("GET", url, nil)
				req.Header.Set("User-Agent", "x/1")
				req.Header.Set("Accept-Encoding", "gzip, deflate")
				req.Header.Set("Accept", "*/*")
				resp, err := transport.RoundTrip(req)
				if err != nil {
					return err
				}
				var buf [256]byte
				if n, err := io.ReadFull(resp.Body, buf[:]); n != 200 || err != io.ErrUnexpectedEOF {
					return fmt.Errorf("%d bytes, %v", n, err)
				}
				return resp.Body.Close()
			})
		})
	}
}
