package requests_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestTraceOfChainsLanes: a trace and Timing are whole for each request that a call makes:
// along redirects, tries and the answer to a challenge, the first of which opens a connection.
func TestTraceOfChainsLanes(t *testing.T) {
	// An http.Client over a transport follows by itself, and a pool has many contexts.
	eachLaneOf(t, lane.bySession, func(t *testing.T, l lane) {
		var asked atomic.Int32
		l.site.answering(func(w http.ResponseWriter, r *http.Request) {
			switch n := asked.Add(1); {
			case r.URL.Path == "/busy" && n == 1:
				w.WriteHeader(http.StatusServiceUnavailable)
			case r.URL.Path == "/digest" && r.Header.Get("Authorization") == "":
				w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
				w.WriteHeader(http.StatusUnauthorized)
			default:
				io.WriteString(w, "ok")
			}
		})
		for name, url := range map[string]string{
			"redirect":  l.redirected(302, "example.com", "example.com"),
			"retry":     l.at("example.com", "/busy"),
			"challenge": l.at("example.com", "/digest"),
		} {
			asked.Store(0)
			s := l.session(t, requests.Retries(requests.Retry{Total: 1, StatusForcelist: []int{503}}))
			s.Auth = requests.DigestAuth("ada", "secret")
			e := &events{wrote: make(chan struct{}, 9)}
			r, err := s.Get(httptrace.WithClientTrace(t.Context(), e.trace()), url)
			if err != nil {
				t.Fatal(err)
			}
			got := callsOf(e.take())
			s.Close()
			opened := "GetConn ConnectStart ConnectDone"
			if l.hop == "https proxy" {
				opened += " TLSHandshakeStart TLSHandshakeDone"
			}
			if l.scheme == "https" {
				opened += " TLSHandshakeStart TLSHandshakeDone"
			}
			sent := "WroteHeaders WroteRequest GotFirstResponseByte"
			idle := " PutIdleConn"
			if l.h2 {
				idle = "" // it was never taken out of the pool
			}
			want := opened + " GotConn " + sent + idle + " GetConn GotConn-reused " + sent + idle
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: the trace (-want +got)\n%s", name, diff)
			}
			checkTimings(t, name, r)
		}
	})
}

// callsOf returns the names of the calls, without those for fields and for lookups, which
// only some lanes make.
func callsOf(seen []string) string {
	var names []string
	for _, e := range seen {
		name, rest, _ := strings.Cut(e, " ")
		switch {
		case strings.HasPrefix(name, "DNS"), name == "WroteHeaderField":
			continue
		case name == "GotConn" && strings.Contains(rest, "true true true"):
			name = "GotConn-reused"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// checkTimings: only the first of a chain opens something, and each knows where it went.
func checkTimings(t *testing.T, name string, last *requests.Response) {
	t.Helper()
	all := append(slices.Clone(last.History), last)
	for i, r := range all {
		got := r.Timing()
		reused := i > 0 || name == "retry" // of which the last try is told
		if got.Reused != reused || got.Remote == nil || got.Local == nil || got.FirstByte <= 0 || (got.Connect > 0) == reused {
			t.Errorf("%s, %d: %+v", name, i, got)
		}
	}
}

// TestTraceOfHeadFirst: what becomes of a body is told behind its head, though another goroutine sends it.
func TestTraceOfHeadFirst(t *testing.T) {
	server := h2Server(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	s := requests.NewSession()
	defer s.Close()
	s.Verify = requests.Verify(false)
	s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
	for _, options := range []requests.Option{nil, requests.Headers{{"Expect", "100-continue"}}} {
		early, headed := make(chan string, 4), false
		var mu sync.Mutex
		body := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			if !headed {
				early <- what
			}
		}
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			WroteHeaders: func() {
				select {
				case what := <-early:
					t.Errorf("%s comes before the head", what)
				case <-time.After(20 * time.Millisecond): // long enough to see it where it is wrong
				}
				mu.Lock()
				defer mu.Unlock()
				headed = true
			},
			Wait100Continue: func() { body("the wait for 100") },
			WroteRequest:    func(httptrace.WroteRequestInfo) { body("the end of the request") },
		})
		if _, err := s.Post(ctx, server.URL, requests.Body(io.MultiReader(strings.NewReader("body"))), options); err != nil {
			t.Error(err)
		}
	}
}

// TestCanceledByTraceLanes: a request whose context ended while its trace was told of the connection is not sent.
func TestCanceledByTraceLanes(t *testing.T) {
	// Whoever cancels from elsewhere has no say in when that is seen.
	eachLaneOf(t, lane.bySession, func(t *testing.T, l lane) {
		var canceled atomic.Int32
		l.site.answering(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/canceled" {
				canceled.Add(1)
			}
		})
		s := l.session(t)
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			_, err := s.Get(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel() }}), l.at("example.com", "/canceled"))
			if !errors.Is(err, requests.ErrCanceled) {
				t.Errorf("the error is %v", err)
			}
			if _, err := s.Get(t.Context(), l.at("example.com", "/next")); err != nil {
				t.Error(err)
			}
		}
		if n := canceled.Load(); n > 0 {
			t.Errorf("%d of 20 were sent", n)
		}
	})
}
