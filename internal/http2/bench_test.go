package http2

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mountable/requests/internal/wire"
)

// canned is a server that answers each request with the same response, with as little work as possible: one write
// for what one read has brought.
// With hold it never answers the first.
func canned(b *testing.B, content []byte, hold bool) net.Listener {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serveCanned(c, content, hold)
		}
	}()
	return ln
}

func serveCanned(c net.Conn, content []byte, hold bool) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReaderSize(c, 64<<10)
	if _, err := io.CopyN(io.Discard, in, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	var head bytes.Buffer
	enc := hpack.NewEncoder(&head)
	enc.SetMaxDynamicTableSizeLimit(0)
	for _, f := range [][2]string{{":status", "200"}, {"content-type", "application/json"}, {"content-length", fmt.Sprint(len(content))}, {"date", "Tue, 01 Jul 2025 12:00:00 GMT"}} {
		_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	var answer bytes.Buffer
	f := http2.NewFramer(&answer, nil)
	_ = f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 250})
	_ = f.WriteSettingsAck()
	out := append([]byte(nil), answer.Bytes()...)
	answer.Reset()
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true})
	second := answer.Len() + 5
	_ = f.WriteData(1, true, content)
	canned := answer.Bytes()
	var h [9]byte
	for {
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return
		}
		_, _ = in.Discard(int(binary.BigEndian.Uint32(h[:]) >> 8))
		if stream := binary.BigEndian.Uint32(h[5:]); http2.FrameType(h[3]) == http2.FrameHeaders && !(hold && stream == 1) {
			start := len(out)
			out = append(out, canned...)
			copy(out[start+5:], h[5:])
			copy(out[start+second:], h[5:])
		}
		if in.Buffered() < 9 && len(out) > 0 {
			if _, err := c.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
	}
}

var benchContent = bytes.Repeat([]byte("x"), 200)

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			nc, err := net.Dial("tcp", canned(b, benchContent, false).Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			c := New(nc, Config{})
			defer func() { _ = c.Close() }()
			concurrently(b, n, func() error { return getOnce(context.Background(), c) })
		})
	}
}

// BenchmarkGetOneReader is the same where one goroutine, which waits for a response that does not come, reads for all:
// what a reader of its own would cost every connection.
func BenchmarkGetOneReader(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			nc, err := net.Dial("tcp", canned(b, benchContent, true).Addr().String())
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
			concurrently(b, n, func() error { return getOnce(context.Background(), c) })
		})
	}
}

func BenchmarkGetLimited(b *testing.B) {
	nc, err := net.Dial("tcp", canned(b, benchContent, false).Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	c := New(nc, Config{})
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	concurrently(b, 1, func() error { return getOnce(ctx, c) })
}

func getOnce(ctx context.Context, c *Conn) error {
	req := benchRequest
	if ctx.Done() != nil {
		req.Limits = wire.Limits{Read: time.Minute, Write: time.Minute}
	}
	resp, err := c.RoundTrip(ctx, &req, nil)
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
			url := "http://" + canned(b, benchContent, false).Addr().String() + "/path?query=1"
			concurrently(b, n, func() error {
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

// concurrently runs b.N calls on n goroutines.
func concurrently(b *testing.B, n int, call func() error) {
	if err := call(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for j := i; j < b.N; j += n {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
