package requests_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// early413 answers as soon as the head has come, and then neither reads nor closes.
func early413(t *testing.T, config *tls.Config) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http://"
	if config != nil {
		ln, scheme = tls.NewListener(ln, config), "https://"
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop); ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 1024))
				_, _ = io.WriteString(c, "HTTP/1.1 413 Too Much\r\nContent-Length: 3\r\n\r\nno!")
				<-stop
			}()
		}
	}()
	return scheme + ln.Addr().String()
}

// TestEarlyResponse: a reply that comes during an upload is the answer, whatever
// becomes of the rest of the upload.
func TestEarlyResponse(t *testing.T) {
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	certified.Close()
	big := strings.Repeat("x", 64<<20)
	bodies := map[string]func() any{
		"bytes":   func() any { return []byte(big) },
		"reader":  func() any { return strings.NewReader(big) },
		"chunked": func() any { return io.MultiReader(strings.NewReader(big)) },
	}
	for scheme, config := range map[string]*tls.Config{"http": nil, "https": certified.TLS} {
		for name, body := range bodies {
			t.Run(scheme+"/"+name, func(t *testing.T) {
				s := requests.NewSession()
				defer s.Close()
				start := time.Now()
				r, err := s.Post(t.Context(), early413(t, config), requests.Body(body()), requests.Verify(false), requests.Timeout(2*time.Minute))
				if err != nil {
					t.Fatal(err)
				}
				content, err := r.Content()
				if diff := cmp.Diff("413 no!", fmt.Sprint(r.StatusCode, " ", string(content))); diff != "" || err != nil {
					t.Errorf("(-want +got)\n%s %v", diff, err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("the reply was seen after %v", took)
				}
			})
		}
	}
}

// TestRefusedUploadEndsTheConnection: what a server does with the rest of a long body
// that it has refused is not for the next request to find out.
func TestRefusedUploadEndsTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		status, size, connections int
	}{
		"long, refused":  {407, 100 << 10, 2},
		"long, failed":   {500, 100 << 10, 2},
		"long, taken":    {200, 100 << 10, 1},
		"short, refused": {407, 1 << 10, 1},
	} {
		server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{wiretest.Text(c.status, "no"), wiretest.Text(200, "ok")}})
		s := requests.NewSession()
		for range 2 {
			if _, err := s.Post(t.Context(), server.URL("/"), requests.Body(strings.NewReader(strings.Repeat("x", c.size)))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		s.Close()
		if diff := cmp.Diff(c.connections, server.Accepted()); diff != "" {
			t.Errorf("%s: connections (-want +got)\n%s", name, diff)
		}
	}
}

// TestNothingMoreIsWanted: a body that gives nothing, or nothing yet behind a content coding, is let go of when the server
// has refused it. The leak check of TestMain sees the readers.
func TestNothingMoreIsWanted(t *testing.T) {
	url, s := early413(t, nil), newTestSession(t)
	s.Timeouts.Total = 30 * time.Second
	done := make(chan struct{}, 2)
	giving := func(item string) iter.Seq[string] {
		return func(yield func(string) bool) {
			defer func() { done <- struct{}{} }()
			for yield(item) {
				time.Sleep(time.Millisecond)
			}
		}
	}
	for _, body := range []requests.Option{
		requests.Body(giving("")), requests.Compress("gzip", giving("a")), requests.Body(emptyReads{}), requests.Compress("br", emptyReads{}),
	} {
		if r, err := s.Post(t.Context(), url, body); err != nil || r.StatusCode != 413 {
			t.Errorf("%v, %v", r, err)
		}
	}
	for range 2 {
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatal("the iterator goes on")
		}
	}
}

// emptyReads is a reader that gives nothing, and does not end.
type emptyReads struct{}

func (emptyReads) Read([]byte) (int, error) { return 0, nil }
