package requests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// newSession is a session that nothing of the environment reaches, closed with the test.
func newSession(t testing.TB) *requests.Session {
	s := requests.NewSession()
	s.TrustEnv = false
	t.Cleanup(func() { s.Close() })
	return s
}

// TestHeaderOrderAndCase: the bytes a server receives are the headers as given.
func TestHeaderOrderAndCase(t *testing.T) {
	server := wiretest.Origin(t)
	s := newSession(t)
	s.Headers = requests.Headers{{"x-lower", "1"}, {"User-Agent", "me"}, {"X-UPPER", "2"}, {"accept-ENCODING", "gzip"}}
	calls := [][]requests.Option{
		{requests.Headers{{"zebra", "z"}, {"Alpha", "a"}, {"zebra", "again"}}},
		{requests.Headers{{"X-Lower", "replaced in its place"}, {"hOST", "other.test"}}, requests.WithoutHeader("x-upper")},
		{requests.Headers{{"Empty", ""}, {"Trailing", "blank "}, {"Raw", "caf\xe9"}}, requests.Body("b")},
	}
	for _, options := range calls {
		if _, err := s.Post(t.Context(), server.URL("/p"), options...); err != nil {
			t.Fatal(err)
		}
	}
	host := "Host: " + server.Addr() + "\r\n"
	want := []string{
		"POST /p HTTP/1.1\r\n" + host + "x-lower: 1\r\nUser-Agent: me\r\nX-UPPER: 2\r\naccept-ENCODING: gzip\r\nzebra: z\r\nAlpha: a\r\nzebra: again\r\nContent-Length: 0\r\n\r\n",
		"POST /p HTTP/1.1\r\nX-Lower: replaced in its place\r\nUser-Agent: me\r\naccept-ENCODING: gzip\r\nhOST: other.test\r\nContent-Length: 0\r\n\r\n",
		"POST /p HTTP/1.1\r\n" + host + "x-lower: 1\r\nUser-Agent: me\r\nX-UPPER: 2\r\naccept-ENCODING: gzip\r\nEmpty: \r\nTrailing: blank \r\nRaw: caf\xe9\r\nContent-Length: 1\r\n\r\nb",
	}
	if diff := cmp.Diff(want, server.Raw()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNothingIsAdded: what no header has is not sent, however it was left out and on every hop.
func TestNothingIsAdded(t *testing.T) {
	all := requests.WithoutHeader("user-agent", "Accept", "ACCEPT-ENCODING", "Connection")
	tests := map[string]func(s *requests.Session, url string) error{
		"left out": func(s *requests.Session, url string) error {
			_, err := s.Get(t.Context(), url, all)
			return err
		},
		"a session without": func(s *requests.Session, url string) error {
			s.Headers = nil
			_, err := s.Get(t.Context(), url)
			return err
		},
		"deleted from a session": func(s *requests.Session, url string) error {
			for name := range requests.DefaultHeaders().All() {
				s.Headers.Del(name)
			}
			_, err := s.Get(t.Context(), url)
			return err
		},
		"deleted from a prepared request": func(s *requests.Session, url string) error {
			p, err := s.Prepare(&requests.Request{URL: url})
			if err == nil {
				p.Headers = nil
				_, err = s.Send(t.Context(), p, requests.SendOptions{})
			}
			return err
		},
		"without a session": func(s *requests.Session, url string) error {
			p, err := (&requests.Request{URL: url}).Prepare()
			if err == nil {
				_, err = s.Send(t.Context(), p, requests.SendOptions{})
			}
			return err
		},
		"curl": func(s *requests.Session, url string) error {
			r, err := requests.FromCurl("curl -L -A '' -H Accept: -H accept-encoding: -H 'Connection: ' " + url)
			if err == nil {
				_, err = s.Do(t.Context(), r)
			}
			return err
		},
		"an http.Client": func(s *requests.Session, url string) error {
			s.Headers = nil
			resp, err := (&http.Client{Transport: s.RoundTripper()}).Get(url)
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		},
	}
	for name, send := range tests {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Origin(t, wiretest.Text(302, "", [2]string{"Location", "/next"}), wiretest.Text(200, "ok"))
			proxy := wiretest.Origin(t, wiretest.Text(200, "ok"))
			s := newSession(t)
			if err := send(s, server.URL("/")); err != nil {
				t.Fatal(err)
			}
			s.Headers, s.Proxies = requests.DefaultHeaders(), requests.Proxies{"http": proxy.URL("")}
			if err := send(s, "http://h.test/"); err != nil {
				t.Fatal(err)
			}
			want := []string{
				"GET / HTTP/1.1\r\nHost: " + server.Addr() + "\r\n\r\n", "GET /next HTTP/1.1\r\nHost: " + server.Addr() + "\r\n\r\n",
				"GET http://h.test/ HTTP/1.1\r\nHost: h.test\r\n\r\n",
			}
			got := append(server.Raw(), proxy.Raw()...)
			if name == "an http.Client" {
				for i := range got {
					got[i] = strings.Replace(got[i], "Referer: "+server.URL("/")+"\r\n", "", 1) // of the client
					got[i] = strings.Replace(got[i], "Accept-Encoding: "+requests.DefaultHeaders().Get("Accept-Encoding")+"\r\n", "", 1)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestNothingIsAddedOverHTTP2 is the same for HTTP/2.
func TestNothingIsAddedOverHTTP2(t *testing.T) {
	var fields []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fields = slices.Sorted(maps.Keys(r.Header))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	s := newSession(t)
	s.Headers, s.Verify = nil, requests.Verify(false)
	s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
	r, err := s.Get(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"HTTP/2.0", []string(nil)}, []any{r.Proto, fields}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNoGoroutines: neither a connection nor a request has a goroutine on the
// HTTP/1.1 path, idle or streaming.
func TestNoGoroutines(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply { return wiretest.Text(200, "ok") }})
	s := newSession(t)
	const streams = 20
	var open []*requests.Response
	for range streams {
		r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, r)
	}
	if n := ours(); n != 0 {
		t.Errorf("%d goroutines for %d open responses", n, streams)
	}
	for _, r := range open {
		if _, err := r.Content(); err != nil {
			t.Fatal(err)
		}
	}
	if n := ours(); n != 0 {
		t.Errorf("%d goroutines for idle connections", n)
	}
}

// ours counts the goroutines that run code of this package, tests aside.
func ours() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "mountable/requests.") && !strings.Contains(stack, "requests_test.") {
			n++
		}
	}
	return n
}

// TestCancel: cancelling ends a blocked exchange at once, at every stage, and the
// connection is not used again.
func TestCancel(t *testing.T) {
	big := strings.Repeat("x", 32<<20)
	stages := map[string]struct {
		reply wiretest.Reply
		body  any
		read  bool // the call succeeds and reading the body is what blocks
	}{
		"head":   {wiretest.Reply{}, nil, false},
		"middle": {wiretest.Send("HTTP/1.1 200 OK\r\nX-A"), nil, false},
		"body":   {wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), nil, true},
		"upload": {wiretest.Reply{}, strings.NewReader(big), false},
	}
	for name, stage := range stages {
		t.Run(name, func(t *testing.T) {
			config := wiretest.Config{Replies: []wiretest.Reply{stage.reply}}
			server := wiretest.Start(t, config)
			s := newSession(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("changed my mind")
			time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
			start := time.Now()
			r, err := s.Post(ctx, server.URL("/"), requests.Body(stage.body), requests.Stream(stage.read))
			if stage.read && err == nil {
				_, err = r.Content()
			}
			if !errors.Is(err, requests.ErrCanceled) || !errors.Is(err, why) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > time.Minute { // and not by a time limit
				t.Errorf("it took %v", took)
			}
			if got := s.Prefixes(); len(got) != 2 {
				t.Fatal(got)
			}
		})
	}
}

// TestStaleConnection: a connection that the server has closed while it was idle is
// replaced; one that dies while the request is on its way only for requests that
// may be repeated.
func TestStaleConnection(t *testing.T) {
	cases := map[string]struct {
		method string
		want   string
		sent   int
	}{
		"GET":  {"GET", "<nil>", 3},
		"POST": {"POST", "connection error", 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{wiretest.Text(200, "1"), wiretest.Drop(), wiretest.Text(200, "2")}})
			s := newSession(t)
			if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
				t.Fatal(err)
			}
			_, err := s.Request(t.Context(), c.method, server.URL("/"))
			var got string
			if e, ok := errors.AsType[*requests.Error](err); ok {
				got = e.Kind.Error()
			} else {
				got = fmt.Sprint(err)
			}
			if diff := cmp.Diff([]any{c.want, c.sent}, []any{got, len(server.Requests())}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestManyAtOnce uses one session from many goroutines; every answer is the one to
// its own question.
func TestManyAtOnce(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply { return wiretest.Text(200, r.Target+r.Body) }})
	s := newSession(t)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for j := range 10 {
				want := fmt.Sprintf("/%d/%d-body%d", i, j, i)
				r, err := s.Post(t.Context(), server.URL(fmt.Sprintf("/%d/%d", i, j)), requests.Body(fmt.Sprintf("-body%d", i)))
				if err != nil {
					t.Error(err)
					return
				}
				text, err := r.Text()
				if diff := cmp.Diff(want, text); diff != "" || err != nil {
					t.Errorf("%v (-want +got)\n%s", err, diff)
				}
			}
		})
	}
	wg.Wait()
}

// TestBodyThatLies: a body that is not as long as announced is an error, and the
// request never completes at the server.
func TestBodyThatLies(t *testing.T) {
	lies := map[string]requests.Option{
		"short": requests.JoinOptions(requests.Headers{{"Content-Length", "10"}}, requests.Body(io.MultiReader(strings.NewReader("abc")))),
		"bytes": requests.JoinOptions(requests.OptionFunc(func(r *requests.Request) error {
			r.Auth = requests.AuthFunc(func(p *requests.PreparedRequest) error { p.Headers.Set("Content-Length", "10"); return nil })
			return nil
		}), requests.Body(strings.NewReader("abc"))),
	}
	for name, option := range lies {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Origin(t)
			s := newSession(t)
			_, err := s.Post(t.Context(), server.URL("/"), option)
			if !errors.Is(err, requests.ErrBodyLength) && !errors.Is(err, requests.ErrInvalidHeader) {
				t.Errorf("got %v", err)
			}
		})
	}
}
