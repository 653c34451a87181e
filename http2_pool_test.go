package requests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// countedServer speaks HTTP/2 and knows its connections.
type countedServer struct {
	*httptest.Server
	mu             sync.Mutex
	opened, closed int
}

func newCountedServer(t *testing.T, h http.HandlerFunc) *countedServer {
	return newLimitedServer(t, 0, h)
}

// newLimitedServer is one that takes so many requests on a connection.
func newLimitedServer(t *testing.T, streams int, h http.HandlerFunc) *countedServer {
	c := &countedServer{Server: httptest.NewUnstartedServer(h)}
	c.EnableHTTP2 = true
	c.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
	c.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch state {
		case http.StateNew:
			c.opened++
		case http.StateClosed:
			c.closed++
		}
	}
	c.StartTLS()
	t.Cleanup(c.Close)
	return c
}

// conns waits, for a moment, until so many connections are open, and says how many are, and were opened in all.
func (c *countedServer) conns(open int) string {
	for range 4000 {
		c.mu.Lock()
		now := c.opened - c.closed
		c.mu.Unlock()
		if now == open {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d of %d", c.opened-c.closed, c.opened)
}

// pooled is a session over HTTP/2, and its adapter.
func pooled(t *testing.T, options ...requests.AdapterOption) (*requests.Session, *requests.HTTPAdapter) {
	a := requests.NewHTTPAdapter(append(options, requests.HTTP2(true))...)
	s := requests.NewSession()
	s.Verify = requests.Verify(false)
	s.Mount("https://", a)
	t.Cleanup(func() { _ = s.Close() })
	return s, a
}

func must200(t *testing.T, s *requests.Session, url string) {
	t.Helper()
	r, err := s.Get(t.Context(), url)
	if err != nil || r.StatusCode != 200 || r.Proto != "HTTP/2.0" {
		t.Errorf("%v %v", r, err)
	}
}

// TestHTTP2Pool: the options and the figures of the pool hold for HTTP/2 as for HTTP/1.1.
func TestHTTP2Pool(t *testing.T) {
	for name, tt := range map[string]struct {
		options []requests.AdapterOption
		between func(a *requests.HTTPAdapter)
		want    string // connections after three requests
	}{
		"default":            {nil, nil, "1 of 1"},
		"CloseIdle":          {nil, (*requests.HTTPAdapter).CloseIdle, "0 of 3"},
		"Close":              {nil, func(a *requests.HTTPAdapter) { _ = a.Close() }, "0 of 3"},
		"PoolConnections(0)": {[]requests.AdapterOption{requests.PoolConnections(0)}, nil, "0 of 3"},
		"PoolMaxSize(0)":     {[]requests.AdapterOption{requests.PoolMaxSize(0)}, nil, "0 of 3"},
		"PoolMaxAge":         {[]requests.AdapterOption{requests.PoolMaxAge(time.Nanosecond)}, nil, "0 of 3"},
		"PoolMaxIdle":        {[]requests.AdapterOption{requests.PoolMaxIdle(time.Nanosecond)}, nil, "1 of 3"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ok") })
			s, a := pooled(t, tt.options...)
			for range 3 {
				must200(t, s, server.URL)
				if tt.between != nil {
					tt.between(a)
				}
			}
			open := 0
			_, _ = fmt.Sscan(tt.want, &open)
			if got := server.conns(open); got != tt.want {
				t.Errorf("%s connections are open, want %s", got, tt.want)
			}
		})
	}
}

// TestHTTP2Stats: the figures count connections, and the tries that had one.
func TestHTTP2Stats(t *testing.T) {
	release := make(chan bool)
	server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-release
		}
	})
	s, a := pooled(t)
	must200(t, s, server.URL)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { must200(t, s, server.URL+"/wait") })
	}
	for range 20_000 {
		if a.Stats().Requests == 6 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	got := a.Stats()
	close(release)
	all.Wait()
	after := a.Stats()
	want := requests.PoolStats{InUse: 1, Requests: 6, Opened: 1, Reused: 5}
	got.Keys, after.Keys = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in use (-want +got)\n%s", diff)
	}
	want.InUse, want.Idle = 0, 1
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("idle (-want +got)\n%s", diff)
	}
}

// TestHTTP2Streams: requests share a connection up to what the server takes, beyond it they have another one, or wait
// where PoolBlock says so.
func TestHTTP2Streams(t *testing.T) {
	for name, tt := range map[string]struct {
		options []requests.AdapterOption
		atOnce  int // requests that the server has at the same time
		want    string
	}{
		"more connections": {nil, 10, "5 of 5"},
		"PoolBlock":        {[]requests.AdapterOption{requests.PoolBlock(true), requests.PoolMaxSize(2)}, 4, "2 of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			together := make(chan bool)
			seen := 0
			server := newLimitedServer(t, 2, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				if seen++; seen == tt.atOnce {
					close(together)
				}
				mu.Unlock()
				<-together
			})
			s, _ := pooled(t, tt.options...)
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() { must200(t, s, server.URL) })
			}
			all.Wait()
			open := 0
			_, _ = fmt.Sscan(tt.want, &open)
			if got := server.conns(open); got != tt.want {
				t.Errorf("%s connections are open, want %s", got, tt.want)
			}
		})
	}
}

// TestHTTP2OneConnection: requests that start together share the connection that one of them opens.
func TestHTTP2OneConnection(t *testing.T) {
	server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Millisecond) })
	s, _ := pooled(t)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() { must200(t, s, server.URL) })
	}
	all.Wait()
	if got := server.conns(1); got != "1 of 1" {
		t.Errorf("%s connections", got)
	}
}

// TestInterimError: an error of OnInterim is not tried again, over HTTP/2 as over HTTP/1.1.
func TestInterimError(t *testing.T) {
	mine := errors.New("mine")
	for _, h2 := range []bool{false, true} {
		tries := 0
		server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) {
			tries++
			w.WriteHeader(103)
		})
		s := requests.NewSession()
		s.Verify = requests.Verify(false)
		s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(h2), requests.MaxRetries(3)))
		_, err := s.Get(t.Context(), server.URL, requests.OnInterim(func(int, requests.Headers) error { return mine }))
		if !errors.Is(err, mine) || !errors.Is(err, requests.ErrRequest) || errors.Is(err, requests.ErrConnection) || tries != 1 {
			t.Errorf("HTTP/2 %v: %v after %d tries", h2, err, tries)
		}
		_ = s.Close()
	}
}

// TestHTTP2CloseIdleConnections: what an http.Client asks for closes HTTP/2 connections, too.
func TestHTTP2CloseIdleConnections(t *testing.T) {
	server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) {})
	s, _ := pooled(t)
	client := &http.Client{Transport: s.RoundTripper()}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	client.CloseIdleConnections()
	if got := server.conns(0); got != "0 of 1" {
		t.Errorf("%s connections are open", got)
	}
}

// TestHTTP2LeavesNothing: no goroutine and no connection outlives the session, whatever was under way.
func TestHTTP2LeavesNothing(t *testing.T) {
	server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "some")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
	})
	wiretest.NoLeak(t)
	s, _ := pooled(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for _, path := range []string{"/wait", "/", "/wait"} {
		all.Go(func() {
			r, err := s.Get(ctx, server.URL+path, requests.Stream(true))
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return // canceled before the head of the response
			}
			_, _ = r.Content() // until it is canceled
			_ = r.Close()
		})
	}
	must200(t, s, server.URL)
	_ = s.Close()
	cancel()
	all.Wait()
	if got := server.conns(0); got[:1] != "0" {
		t.Errorf("%s connections are open", got)
	}
}

// TestHTTP2ConnectionClose: a request that asks for it is the last on its connection, though
// HTTP/2 has no field to say so; those beside it are served.
func TestHTTP2ConnectionClose(t *testing.T) {
	entered, leave := make(chan bool, 1), make(chan bool)
	server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/waits" {
			entered <- true
			<-leave
		}
		if got := r.Header.Values("Connection"); len(got) > 0 {
			t.Errorf("Connection: %q", got)
		}
	})
	s, _ := pooled(t)
	last := requests.Headers{{"Connection", "close"}}
	beside := make(chan error, 1)
	go func() {
		r, err := s.Get(t.Context(), server.URL+"/waits")
		if err == nil {
			err = r.RaiseForStatus()
		}
		beside <- err
	}()
	<-entered
	if r, err := s.Get(t.Context(), server.URL, last); err != nil || r.StatusCode != 200 {
		t.Errorf("the last: %v %v", r, err)
	}
	must200(t, s, server.URL)
	close(leave)
	if err := <-beside; err != nil {
		t.Errorf("beside the last: %v", err)
	}
	if diff := cmp.Diff("1 of 2", server.conns(1)); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	req.Close = true
	resp, err := s.RoundTripper().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if diff := cmp.Diff("0 of 2", server.conns(0)); diff != "" {
		t.Errorf("connections behind http.Request.Close (-want +got):\n%s", diff)
	}
}
