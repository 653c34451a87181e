package adaptertest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// testInterimError: the error ends the request, and its kind says that it is not a reason to
// try again, though the body could be sent again.
func testInterimError(t *testing.T, s *suite) {
	var asked atomic.Int32
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.WriteHeader(103)
		io.WriteString(w, "final")
	})
	stop := errors.New("enough")
	opts := requests.SendOptions{Interim: func(int, requests.Headers) error { return stop }}
	for _, method := range []string{"GET", "PUT"} {
		asked.Store(0)
		_, err := a.Send(t.Context(), prepare(t, method, base+"/", requests.Body("body")), opts)
		check(t, err, requests.ErrRequest, stop)
		if e, ok := errors.AsType[*requests.Error](err); ok && e.Kind != requests.ErrRequest {
			t.Errorf("%s: the kind is %q, and would be tried again", method, e.Kind)
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%s: the server was asked %d times", method, n)
		}
	}
	if _, content := fetch(t, a, prepare(t, "GET", base+"/")); content != "final" {
		t.Errorf("afterwards: %q", content)
	}
}

// testOnce: a server that has a request is not asked again, whether it gives up or is
// busy, unless retries were asked for.
func testOnce(t *testing.T, s *suite) {
	var asked atomic.Int32
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1); r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(503)
	})
	_, err := a.Send(t.Context(), prepare(t, "POST", base+"/abort", requests.Body("body")), requests.SendOptions{})
	check(t, err, requests.ErrConnection, requests.ErrRequest)
	fetch(t, a, prepare(t, "GET", base+"/busy"))
	if n := asked.Load(); n != 2 {
		t.Errorf("two requests were sent %d times", n)
	}
}

func testReadAfterClose(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "content") })
	r, err := a.Send(t.Context(), prepare(t, "GET", base+"/"), requests.SendOptions{Stream: requests.On})
	if err != nil {
		t.Fatal(err)
	}
	raw := r.Raw
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for name, body := range map[string]io.Reader{"the response": r, "Raw": raw} {
		if n, err := body.Read(make([]byte, 9)); n > 0 || err == nil || err == io.EOF {
			t.Errorf("%s: a Read after Close gives %d bytes and %v", name, n, err)
		}
	}
}

// connection names the one a request came on.
func connection(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) }

func testCloseIdle(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		connection(w, r)
		if r.URL.Path == "/long" {
			w.(http.Flusher).Flush()
			io.WriteString(w, " goes on")
		}
	})
	c, ok := a.(interface{ CloseIdle() })
	if !ok {
		t.Skip("the adapter has no CloseIdle, which is optional, so there is nothing to hold to the contract")
	}
	streamed, err := a.Send(t.Context(), prepare(t, "GET", base+"/long"), requests.SendOptions{Stream: requests.On})
	if err != nil {
		t.Fatal(err)
	}
	c.CloseIdle()
	if content := contentOf(t, streamed); !strings.HasSuffix(content, " goes on") {
		t.Errorf("CloseIdle ended a response that was being read: %q", content)
	}
	_, first := fetch(t, a, prepare(t, "GET", base+"/"))
	_, second := fetch(t, a, prepare(t, "GET", base+"/"))
	if _, port, _ := strings.Cut(first, ":"); port == "" || first != second {
		return // it keeps no connections
	}
	// A connection over net/http is idle a moment after its response has ended.
	for end := time.Now().Add(patience); ; {
		c.CloseIdle()
		_, third := fetch(t, a, prepare(t, "GET", base+"/"))
		if third != second {
			return
		}
		if time.Now().After(end) {
			t.Errorf("a connection was used again after CloseIdle: %q", third)
			return
		}
	}
}

func testStats(t *testing.T, s *suite) {
	a, base := s.open(t, connection)
	c, ok := a.(interface{ Stats() requests.PoolStats })
	if !ok {
		t.Skip("the adapter has no Stats, which are optional, so its pool cannot be looked at")
	}
	r, err := a.Send(t.Context(), prepare(t, "GET", base+"/"), requests.SendOptions{Stream: requests.On})
	if err != nil {
		t.Fatal(err)
	}
	now := func() string {
		stats := c.Stats()
		return fmt.Sprintf("%d+%d of %d", stats.InUse, stats.Idle, stats.Opened)
	}
	got := []string{now()}
	contentOf(t, r)
	got = append(got, now())
	fetch(t, a, prepare(t, "GET", base+"/"))
	got = append(got, now())
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	got = append(got, now())
	if want := []string{"1+0 of 1", "0+1 of 1", "0+1 of 1", "0+0 of 1"}; !slices.Equal(got, want) {
		t.Errorf("in use and idle, of how many opened, while a response is read, after it, after another, and closed: %q, want %q", got, want)
	}
}
