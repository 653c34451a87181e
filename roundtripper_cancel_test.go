package requests_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// TestCanceledAndLeftAlone: where nobody reads or closes a response any more, the end of its
// context is enough for the server to learn of it, and for the upload to end.
func TestCanceledAndLeftAlone(t *testing.T) {
	for _, protocol := range []string{"http", "https", "HTTP/2"} {
		t.Run(protocol, func(t *testing.T) {
			gone := make(chan struct{}, 1)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = http.NewResponseController(w).EnableFullDuplex()
				_, _ = io.WriteString(w, "part")
				_ = http.NewResponseController(w).Flush()
				_, _ = io.Copy(io.Discard, r.Body)
				gone <- struct{}{}
			}))
			server.EnableHTTP2 = protocol == "HTTP/2"
			if protocol == "http" {
				server.Start()
			} else {
				server.StartTLS()
			}
			defer server.Close()
			a := requests.NewHTTPAdapter(requests.HTTP2(true), adapters.CA(requests.Verify(false)))
			defer a.Close()
			s := newTestSession(t)
			s.Verify = requests.Verify(false)
			s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
			for name, rt := range map[string]http.RoundTripper{"Session": s.RoundTripper(), "adapter": requests.AdapterTransport(a)} {
				ctx, cancel := context.WithCancel(t.Context())
				body, feed := io.Pipe()
				req, _ := http.NewRequestWithContext(ctx, "POST", server.URL, body)
				resp, err := rt.RoundTrip(req)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				cancel()
				<-gone
				if _, err := feed.Write([]byte("x")); err == nil {
					_, err = feed.Write([]byte("y")) // one Read may have been under way
					if !errors.Is(err, io.ErrClosedPipe) {
						t.Errorf("%s: the request's body is open: %v", name, err)
					}
				}
				if _, err := io.ReadAll(resp.Body); err != context.Canceled {
					t.Errorf("%s: %v", name, err)
				}
				resp.Body.Close()
			}
		})
	}
}

// deaf is a connection that takes nothing from its second write on.
type deaf struct {
	net.Conn
	writes *atomic.Int32
}

func (c deaf) Write(p []byte) (int, error) {
	if c.writes.Add(1) == 2 {
		return 0, errors.New("nothing taken")
	}
	return c.Conn.Write(p)
}

// TestNothingTaken: a request of which a kept connection has taken nothing is sent again on
// another, whatever its method, and however the connection says so.
func TestNothingTaken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer server.Close()
	for _, body := range []any{nil, "text"} {
		var writes, dials atomic.Int32
		s := newTestSession(t)
		s.Mount("http://", requests.NewHTTPAdapter(adapters.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			var d net.Dialer
			c, err := d.DialContext(ctx, network, address)
			return deaf{c, &writes}, err
		})))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var got []int
		for range 2 {
			r, err := s.Post(ctx, server.URL, requests.Body(body))
			if err != nil {
				t.Fatalf("%T: %v", body, err)
			}
			got = append(got, r.StatusCode)
		}
		if diff := cmp.Diff([]int{200, 200}, got); diff != "" || dials.Load() != 2 {
			t.Errorf("%T: %d connections (-want +got)\n%s", body, dials.Load(), diff)
		}
	}
}
