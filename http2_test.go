package requests_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// h2Server speaks HTTP/2 over TLS and HTTP/1.1 in the same way.
func h2Server(t *testing.T, h http.HandlerFunc) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetHTTP2(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func h2Session(t *testing.T, options ...requests.AdapterOption) *requests.Session {
	s := requests.NewSession()
	s.Verify = requests.Verify(false)
	s.Mount("https://", requests.NewHTTPAdapter(options...))
	t.Cleanup(func() { s.Close() })
	return s
}

// TestHTTP2 sends bodies of each kind over one HTTP/2 connection.
func TestHTTP2(t *testing.T) {
	var mu sync.Mutex
	conns := map[string]bool{}
	server := h2Server(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		conns[r.RemoteAddr] = true
		mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprintf(w, "%s %s %d %s", r.Proto, r.Method, r.ContentLength, body)
		w.Header().Set("X-Sum", "7")
	})
	s := h2Session(t, requests.HTTP2(true))
	bodies := []any{"text", []byte("bytes"), strings.NewReader("reader"), io.MultiReader(strings.NewReader("stream")),
		func(yield func([]byte) bool) { _ = yield([]byte("it")) && yield([]byte("er")) }}
	var got []string
	for _, body := range bodies {
		r, err := s.Post(t.Context(), server.URL, requests.Body(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Text()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.Proto, " ", text, " ", r.Trailers().Get("X-Sum"), " ", r.TLS.NegotiatedProtocol))
	}
	want := []string{
		"HTTP/2.0 HTTP/2.0 POST 4 text 7 h2", "HTTP/2.0 HTTP/2.0 POST 5 bytes 7 h2", "HTTP/2.0 HTTP/2.0 POST 6 reader 7 h2",
		"HTTP/2.0 HTTP/2.0 POST -1 stream 7 h2", "HTTP/2.0 HTTP/2.0 POST -1 iter 7 h2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(conns) != 1 {
		t.Errorf("%d connections, want 1", len(conns))
	}
}

// TestHTTP2NotTaken: the default is HTTP/1.1, and a server without HTTP/2 gets it
// even when HTTP/2 is offered.
func TestHTTP2NotTaken(t *testing.T) {
	both := h2Server(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	only1 := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	defer only1.Close()
	got := map[string]string{}
	for name, c := range map[string]struct {
		url string
		s   *requests.Session
	}{"default": {both.URL, h2Session(t)}, "not taken": {only1.URL, h2Session(t, requests.HTTP2(true))}} {
		for range 2 {
			r, err := c.s.Get(t.Context(), c.url)
			if err != nil {
				t.Fatal(err)
			}
			got[name], _ = r.Text()
		}
	}
	if diff := cmp.Diff(map[string]string{"default": "HTTP/1.1", "not taken": "HTTP/1.1"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHTTP2Faults: time limits and checks hold on HTTP/2 as on HTTP/1.1.
func TestHTTP2Faults(t *testing.T) {
	stall := make(chan struct{})
	server := h2Server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			fmt.Fprint(w, "some")
			w.(http.Flusher).Flush()
		}
		select {
		case <-stall:
		case <-r.Context().Done():
		}
	})
	defer close(stall)
	s := h2Session(t, requests.HTTP2(true))
	const short = 100 * time.Millisecond
	cases := map[string]struct {
		path string
		opt  func(slower time.Duration) requests.Option
		want requests.Kind
	}{
		"head":        {"/", func(slower time.Duration) requests.Option { return requests.Timeouts{Read: slower * short} }, requests.ErrReadTimeout},
		"body":        {"/body", func(slower time.Duration) requests.Option { return requests.Timeouts{Read: slower * short} }, requests.ErrBodyTimeout},
		"total":       {"/", func(slower time.Duration) requests.Option { return requests.Timeouts{Total: slower * short} }, requests.ErrTotalTimeout},
		"certificate": {"/", func(time.Duration) requests.Option { return requests.Verify(true) }, requests.ErrSSL},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			wiretest.Patiently(t, func(slower time.Duration) error {
				_, err := s.Get(t.Context(), server.URL+c.path, c.opt(slower))
				if !errors.Is(err, c.want) {
					return fmt.Errorf("got %w, want %w", err, c.want)
				}
				return nil
			})
		})
	}
	var tlsErr *tls.CertificateVerificationError
	if _, err := s.Get(t.Context(), server.URL, requests.Verify(true)); !errors.As(err, &tlsErr) {
		t.Errorf("the cause of %v is out of reach", err)
	}
}
