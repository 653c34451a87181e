//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	peer "github.com/carlmjohnson/requests"
	"github.com/go-resty/resty/v2"
	"github.com/mountable/requests"
	"github.com/valyala/fasthttp"
)

// client is one way to get a page and read it to its end.
type client struct {
	name string
	get  func(ctx context.Context, url string) (int, error)
}

func clients(b testing.TB) []client {
	s := requests.NewSession()
	s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(100)))
	b.Cleanup(func() { s.Close() })
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	standard := &http.Client{Transport: transport}
	fast := &fasthttp.Client{MaxConnsPerHost: 200}
	b.Cleanup(fast.CloseIdleConnections)
	rest := resty.NewWithClient(standard)
	return []client{
		{"requests", func(ctx context.Context, url string) (int, error) {
			r, err := s.Get(ctx, url)
			if err != nil {
				return 0, err
			}
			content, err := r.Content()
			return len(content), err
		}},
		{"nethttp", func(ctx context.Context, url string) (int, error) {
			req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
			if err != nil {
				return 0, err
			}
			resp, err := standard.Do(req)
			if err != nil {
				return 0, err
			}
			defer resp.Body.Close()
			content, err := io.ReadAll(resp.Body)
			return len(content), err
		}},
		{"resty", func(ctx context.Context, url string) (int, error) {
			r, err := rest.R().SetContext(ctx).Get(url)
			if err != nil {
				return 0, err
			}
			return len(r.Body()), nil
		}},
		{"carlmjohnson", func(ctx context.Context, url string) (int, error) {
			var buf bytes.Buffer
			err := peer.URL(url).Client(standard).ToBytesBuffer(&buf).Fetch(ctx)
			return buf.Len(), err
		}},
		{"fasthttp", func(_ context.Context, url string) (int, error) {
			status, content, err := fast.Get(nil, url)
			if err == nil && status != 200 {
				err = fmt.Errorf("status %d", status)
			}
			return len(content), err
		}},
	}
}

// serve answers every request with size bytes, on raw sockets: the server's share
// of the time is as small as can be.
func serve(b testing.TB, size int) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: bench\r\nContent-Type: text/plain\r\nETag: \"1\"\r\nVary: Accept\r\nContent-Length: %d\r\n\r\n", size)
	reply := append([]byte(head), bytes.Repeat([]byte("x"), size)...)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(c, reply)
		}
	}()
	return "http://" + listener.Addr().String() + "/path?q=1"
}

func answer(c net.Conn, reply []byte) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) == 2 {
			if _, err := c.Write(reply); err != nil {
				return
			}
		}
	}
}

// TestClients: every client gets the page whole, so that the benchmarks compare like
// with like.
func TestClients(t *testing.T) {
	url := serve(t, 1000)
	for _, c := range clients(t) {
		if n, err := c.get(t.Context(), url); n != 1000 || err != nil {
			t.Errorf("%s: %d bytes, %v", c.name, n, err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{200, 1 << 20} {
		url := serve(b, size)
		for _, parallel := range []int{1, 32} {
			for _, c := range clients(b) {
				b.Run(fmt.Sprintf("%dB/%dgoroutines/%s", size, parallel, c.name), func(b *testing.B) { run(b, c, url, size, parallel) })
			}
		}
	}
}

func run(b *testing.B, c client, url string, size, parallel int) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	b.SetBytes(int64(size))
	if parallel > 1 {
		b.SetParallelism(parallel / 2)
	}
	b.ResetTimer()
	before := cpuTime()
	defer func() { b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op") }()
	one := func() {
		if n, err := c.get(ctx, url); err != nil || n != size {
			b.Errorf("%d bytes, %v", n, err)
		}
	}
	if parallel == 1 {
		for range b.N {
			one()
		}
		return
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			one()
		}
	})
}

// cpuTime is the processor time this process has used, the server's share included:
// on a machine that others use too it says more than the clock on the wall.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
