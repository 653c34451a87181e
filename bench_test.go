package requests_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// pongServer answers every request on a keep-alive connection with a small response.
func pongServer(tb testing.TB) string {
	tb.Helper()
	return "http://" + pongs(tb, nil)
}

// pongs is pongServer, over TLS where there is a configuration for that. It returns the address.
func pongs(tb testing.TB, config *tls.Config) string {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	if config != nil {
		ln = tls.NewListener(ln, config)
	}
	tb.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go pong(c)
		}
	}()
	return ln.Addr().String()
}

var pongResponse = append([]byte("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: x\r\nContent-Type: text/plain\r\nX-A: b\r\nX-C: d\r\nContent-Length: 200\r\n\r\n"), make([]byte, 200)...)

func pong(c net.Conn) {
	defer c.Close()
	br := bufio.NewReader(c)
	for {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) == 2 {
			if _, err := c.Write(pongResponse); err != nil {
				return
			}
		}
	}
}

// TestSmallAllocations holds what a Session's work for small requests on a connection that
// is kept costs: the prepared request with its fields, the response with its exchange, the
// text of the head, and the body; a context that can be canceled takes two more. The
// counts are of this library and of crypto/tls; the race detector makes its own.
func TestSmallAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates by itself, so that the counts are not the library's")
	}
	plain := pongServer(t) + "/path?q=1"
	secure := "https://" + pongs(t, wiretest.TestCA().Server()) + "/path?q=1"
	h2 := "http://" + wiretest.HTTP2(t, make([]byte, 200), false) + "/path?q=1"
	s := requests.NewSession()
	defer s.Close()
	s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
	s.Mount(h2, requests.NewHTTPAdapter(requests.HTTP2PriorKnowledge()))
	post := requests.JSON(json.RawMessage(`{"a":1}`))
	client := &http.Client{Transport: s.RoundTripper()}
	below := func(ctx context.Context, url string, _ ...requests.Option) (*requests.Response, error) {
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return nil, err
	}
	background, cancelable := context.Background(), t.Context()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		url  string
		send func(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error)
		with []requests.Option
		most float64
	}{
		{"GET", background, plain, s.Get, nil, 4},
		{"GET that can be canceled", cancelable, plain, s.Get, nil, 6},
		{"GET with headers", background, plain, s.Get, []requests.Option{requests.Headers{{"Accept", "text/plain"}}}, 4},
		{"GET over TLS", background, secure, s.Get, nil, 7},             // the server's one is among them
		{"GET below an http.Client", background, plain, below, nil, 16}, // of which the client's own are 9
		{"POST of JSON", background, plain, s.Post, []requests.Option{post}, 7},
		{"GET over HTTP/2", background, h2, s.Get, nil, 6}, // the server's two are among them
		{"GET over HTTP/2 that can be canceled", cancelable, h2, s.Get, nil, 9},
	} {
		n := testing.AllocsPerRun(200, func() {
			if _, err := tt.send(tt.ctx, tt.url, tt.with...); err != nil {
				t.Fatal(err)
			}
		})
		if n > tt.most {
			t.Errorf("%s: %v allocations, want %v at most", tt.name, n, tt.most)
		}
	}
}

func BenchmarkSessionGet(b *testing.B) {
	url := pongServer(b) + "/path?q=1"
	s := requests.NewSession()
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.Get(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Content(); err != nil && err != io.EOF {
			b.Fatal(err)
		}
	}
}

// BenchmarkSessionGetHTTP2 is the same over HTTP/2, with one request at a time and with many.
func BenchmarkSessionGetHTTP2(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			url := "http://" + wiretest.HTTP2(b, make([]byte, 200), false) + "/path?q=1"
			s := requests.NewSession()
			defer s.Close()
			s.Mount("http://", requests.NewHTTPAdapter(requests.HTTP2PriorKnowledge()))
			wiretest.InParallel(b, n, func() error {
				_, err := s.Get(context.Background(), url)
				return err
			})
		})
	}
}

// BenchmarkNetHTTP2 is what that is to be measured against.
func BenchmarkNetHTTP2(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			url := "http://" + wiretest.HTTP2(b, make([]byte, 200), false) + "/path?q=1"
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetUnencryptedHTTP2(true)
			client := &http.Client{Transport: transport}
			defer client.CloseIdleConnections()
			wiretest.InParallel(b, n, func() error {
				req, _ := http.NewRequestWithContext(context.Background(), "GET", url, nil)
				resp, err := client.Do(req)
				if err != nil {
					return err
				}
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
				return err
			})
		})
	}
}

// BenchmarkNetHTTP is what BenchmarkSessionGet is to be measured against: the bare
// http.Client, without anything a session does.
func BenchmarkNetHTTP(b *testing.B) {
	url := pongServer(b) + "/path?q=1"
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		req, _ := http.NewRequestWithContext(b.Context(), "GET", url, nil)
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}
