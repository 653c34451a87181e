package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// Identical requests share a response; each gets a copy of its own, in its values and its body too.
func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		a := adapters.SingleFlight()(h)
		requestsOf := []*requests.PreparedRequest{
			get("http://h.test/a"), get("http://h.test/a"), get("http://h.test/a"), get("http://h.test/b"), get("http://h.test/a"), get("http://h.test/a"),
		}
		requestsOf[4].Headers.Set("Accept", "text/html")
		requestsOf[5].Method = "POST"
		var wg sync.WaitGroup
		type key struct{}
		texts := make([]string, len(requestsOf))
		for i, p := range requestsOf {
			wg.Go(func() {
				r, err := a.Send(t.Context(), p, requests.SendOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if r.Request != p && p.Method == "GET" {
					t.Errorf("the response is for %s", r.Request.URL)
				}
				r.Headers.Set("X", "mine")
				r.SetValue(key{}, i)
				content, _ := r.Content()
				texts[i] = fmt.Sprintf("%v %s", r.Value(key{}), content)
				clear(content)
			})
		}
		synctest.Wait()
		if got := h.sent.Load(); got != 4 {
			t.Errorf("%d sent, want 4", got)
		}
		for range 4 {
			h.release <- reply(200, "body")
		}
		wg.Wait()
		if diff := cmp.Diff([]string{"0 body", "1 body", "2 body", "3 body", "4 body", "5 body"}, texts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		go func() { h.release <- reply(200, "later") }()
		if r, err := a.Send(t.Context(), get("http://h.test/a"), requests.SendOptions{}); err != nil || h.sent.Load() != 5 {
			t.Error("a later request is sent by itself:", r, err)
		}
	})
}

// TestSingleFlightKeepsIdentitiesApart: requests that look the same share nothing where an
// adapter below would authenticate them differently.
func TestSingleFlightKeepsIdentitiesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		shared := adapters.Chain(h, adapters.SingleFlight(), adapters.Authenticate(requests.BearerAuth("root")))
		session := func(auth requests.Auth) *requests.Session {
			s := requests.NewSession()
			s.TrustEnv, s.Auth = false, auth
			s.Mount("http://", shared)
			return s
		}
		plain, ada := session(nil), session(requests.BasicAuth("ada", "x"))
		written := requests.Headers{{"Authorization", "Basic YWRhOng="}}
		var wg sync.WaitGroup
		get := func(s *requests.Session, options ...requests.Option) {
			wg.Go(func() {
				if _, err := s.Get(t.Context(), "http://h.test/", options...); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		var sent []int32
		for _, send := range []func(){
			func() { get(plain) }, // root
			func() { get(plain) },
			func() { get(plain, requests.Authenticate(requests.NoAuth)) }, // nobody
			func() { get(plain, requests.Authenticate(requests.DigestAuth("alice", "x"))) },
			func() { get(ada) },            // root, instead of ada
			func() { get(plain, written) }, // ada
			func() { get(ada, written) },
		} {
			send()
			sent = append(sent, h.sent.Load())
		}
		if diff := cmp.Diff([]int32{1, 1, 2, 2, 3, 4, 4}, sent); diff != "" {
			t.Errorf("sent after each (-want +got):\n%s", diff)
		}
		for range h.sent.Load() {
			h.release <- reply(200, "")
		}
		wg.Wait()
	})
}

// TestSingleFlightCookies: a server that begins a session begins it with one caller; a session
// that there is already may be renewed for all who are in it. A proxy's challenge is nobody else's.
func TestSingleFlightCookies(t *testing.T) {
	for _, c := range []struct {
		cookie string
		status int
		want   int32
	}{{"", 200, 3}, {"sid=1", 200, 1}, {"sid=1", 407, 3}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHeld()
			a := adapters.SingleFlight()(h)
			var wg sync.WaitGroup
			for range 3 {
				p := get("http://h.test/")
				if c.cookie != "" {
					p.Headers.Set("Cookie", c.cookie)
				}
				wg.Go(func() {
					if _, err := a.Send(t.Context(), p, requests.SendOptions{}); err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait()
			for range c.want {
				r := reply(c.status, "")
				r.Headers.Set("Set-Cookie", "sid=2")
				h.release <- r
			}
			wg.Wait()
			if got := h.sent.Load(); got != c.want {
				t.Errorf("with %+v: %d sent", c, got)
			}
		})
	}
}

// Who gives up leaves the others waiting; the last one cancels the request. A failure is
// everybody's, each with its own request.
func TestSingleFlightEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		a := adapters.SingleFlight()(h)
		first, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 4)
		send := func(ctx context.Context, opts requests.SendOptions) {
			_, err := a.Send(ctx, get("http://h.test/a"), opts)
			errs <- err
		}
		go send(first, requests.SendOptions{})
		synctest.Wait()
		go send(t.Context(), requests.SendOptions{Deadline: time.Now().Add(time.Minute)})
		go send(t.Context(), requests.SendOptions{})
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("the first: %v", err)
		}
		if err := <-errs; !errors.Is(err, requests.ErrTotalTimeout) {
			t.Errorf("the second: %v", err)
		}
		h.release <- nil
		if err := <-errs; !errors.Is(err, requests.ErrConnection) || h.sent.Load() != 1 {
			t.Errorf("the third: %v, %d sent", err, h.sent.Load())
		}
		only, cancel := context.WithCancel(t.Context())
		go send(only, requests.SendOptions{})
		synctest.Wait()
		cancel()
		<-errs // and the request ends as well, or the bubble would not
	})
}

// A body beyond what is kept goes to the first caller; the others ask for themselves.
func TestSingleFlightLongBody(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	var sent atomic.Int32
	both := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if sent.Add(1) == 1 {
			<-both
		}
		io.WriteString(w, long)
	})
	a := adapters.SingleFlight()(requests.NewHTTPAdapter())
	t.Cleanup(func() { a.Close() })
	url := served(t, handler).URL
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			if i == 2 {
				close(both)
			}
			r, err := a.Send(t.Context(), get(url), requests.SendOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := r.Text(); err != nil || text != long {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
	wg.Wait()
}
