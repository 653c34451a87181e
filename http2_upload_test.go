package requests_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// respondsTo is answering over HTTP/2: what closes ends the stream without reading on.
func (a answering) respondsTo(w http.ResponseWriter, r *http.Request) {
	var got int64
	switch a.when {
	case "during":
		got, _ = io.CopyN(io.Discard, r.Body, 1<<20)
	case "after":
		got, _ = io.Copy(io.Discard, r.Body)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, "ok")
	if a.closes {
		return // net/http's server resets the stream of a request that it has not read
	}
	_ = http.NewResponseController(w).Flush()
	rest, _ := io.Copy(io.Discard, r.Body)
	a.taken <- got + rest
}

// newHTTP2Session speaks HTTP/2 with test servers, through a CONNECT proxy or without one.
func newHTTP2Session(t *testing.T, way string) *requests.Session {
	s := newTestSession(t)
	s.Verify = requests.Verify(false)
	s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
	if way == "CONNECT" {
		s.Proxies = requests.Proxies{"https": wiretest.Start(t, wiretest.Config{Route: wiretest.Direct}).URL("")}
	}
	return s
}

func startHTTP2(t *testing.T, h http.HandlerFunc) (url string) {
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// TestResponsesToUploadsHTTP2 is TestResponsesToUploads over HTTP/2.
func TestResponsesToUploadsHTTP2(t *testing.T) {
	bodies := bodiesOf(t, bytes.Repeat([]byte("x"), 2<<20))
	for _, way := range []string{"direct", "CONNECT"} {
		for _, when := range []string{"before", "during", "after"} {
			for _, status := range []int{200, 403, 413} {
				for _, closes := range []bool{false, true} {
					for name, body := range bodies {
						t.Run(fmt.Sprint(way, " ", when, " ", status, " closes=", closes, " ", name), func(t *testing.T) {
							a := answering{when, status, closes, make(chan int64, 1), nil}
							url := startHTTP2(t, a.respondsTo)
							s := newHTTP2Session(t, way)
							ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
							defer cancel()
							r, err := s.Post(ctx, url, requests.Body(body()))
							if err != nil {
								t.Fatal(err)
							}
							if text, err := r.Text(); r.StatusCode != status || text != "ok" || err != nil || r.Proto != "HTTP/2.0" {
								t.Errorf("%s %d %q %v", r.Proto, r.StatusCode, text, err)
							}
							if !closes {
								a.checkTaken(ctx, t, 2<<20)
							}
						})
					}
				}
			}
		}
	}
}

// checkTaken waits until the server has got the whole upload.
func (a answering) checkTaken(ctx context.Context, t *testing.T, size int64) {
	t.Helper()
	select {
	case got := <-a.taken:
		if got != size {
			t.Errorf("%d bytes of %d were taken", got, size)
		}
	case <-ctx.Done():
		t.Error("the upload did not arrive")
	}
}

// TestFullDuplexHTTP2 is TestFullDuplex and TestConversation over HTTP/2.
func TestFullDuplexHTTP2(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
	url := startHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(flushing{w}, r.Body)
	})
	for _, way := range []string{"direct", "CONNECT"} {
		s := newHTTP2Session(t, way)
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		for name, body := range bodiesOf(t, data) {
			r, err := s.Post(ctx, url, requests.Body(body()))
			if err != nil {
				t.Fatal(way, name, err)
			}
			if content, err := r.Content(); err != nil || !bytes.Equal(content, data) {
				t.Errorf("%s %s: %d bytes came back, %v", way, name, len(content), err)
			}
		}
		body, say := io.Pipe()
		r, err := s.Post(ctx, url, requests.Body(body), requests.Stream(true))
		if err != nil {
			t.Fatal(way, err)
		}
		for _, word := range []string{"one", "three"} {
			_, _ = io.WriteString(say, word)
			heard := make([]byte, len(word))
			if _, err := io.ReadFull(r, heard); err != nil || string(heard) != word {
				t.Fatalf("%s: heard %q, %v", way, heard, err)
			}
		}
		say.Close()
		if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
			t.Errorf("%s: %q, %v", way, rest, err)
		}
	}
}
