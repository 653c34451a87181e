package requests_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// TestRule10Ways: after a 301, 302 or 303 a POST arrives as a GET without body and
// without a word about it; after 307 and 308 with both, unless the origin is another one,
// where only what describes the body comes along.
func TestRule10Ways(t *testing.T) {
	about := requests.Headers{{"content-TYPE", "text/x"}, {"Content-Encoding", "x"}, {"Trailer", "T"}, {"EXPECT", "x"}}
	for way, walk := range walkers {
		for _, status := range []int{301, 302, 303} {
			for _, to := range []string{"http://example.com/2", "http://other.test/away"} {
				w := newWorld(t)
				s := w.session(t)
				if err := walk(t.Context(), s, "POST", chain(status, "http://example.com/", to), about); err != nil {
					t.Fatal(way, err)
				}
				calls := w.took()
				last := calls[len(calls)-1]
				for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Trailer", "Expect"} {
					if got := last.get(name); got != "-" || last.body != "" {
						t.Errorf("%s, %d: %s: %s, body %q", way, status, name, got, last.body)
					}
				}
			}
		}
	}
}

// TestRule10Kept: 307 and 308 bring the whole body again, whatever kind of body it is.
func TestRule10Kept(t *testing.T) {
	for _, status := range []int{307, 308} {
		for _, to := range []string{"http://example.com/2", "http://other.test/away"} {
			for name, body := range map[string]any{"string": "body", "bytes": []byte("body"), "reader": strings.NewReader("body"), "buffer at an offset": offset("xxbody", 2)} {
				w := newWorld(t)
				s := w.session(t)
				if _, err := s.Put(t.Context(), chain(status, "http://example.com/", to), requests.Body(body), requests.Headers{{"Content-Type", "text/x"}}); err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, c := range w.took() {
					got = append(got, c.body, c.get("Content-Type"), c.get("Content-Length"))
				}
				if diff := cmp.Diff([]string{"body", "text/x", "4", "body", "text/x", "4"}, got); diff != "" {
					t.Errorf("%d, %s (-want +got)\n%s", status, name, diff)
				}
			}
		}
	}
}

func offset(text string, n int64) io.Reader {
	r := strings.NewReader(text)
	_, _ = r.Seek(n, io.SeekStart)
	return r
}

// TestRule11AllKinds: after a request of any kind, a plain GET on the same connection is
// a plain GET; a request that failed leaves nothing behind either.
func TestRule11AllKinds(t *testing.T) {
	const plain = "GET /plain HTTP/1.1\r\nHost: %s\r\nUser-Agent: me\r\n\r\n"
	for name, options := range map[string][]requests.Option{
		"body":        {requests.Body("secret")},
		"chunks":      {requests.Body(io.MultiReader(strings.NewReader("secret")))},
		"form":        {requests.Form{{"a", "b"}}},
		"JSON":        {requests.JSON("secret")},
		"files":       {requests.Files{{Field: "f", Content: strings.NewReader("secret")}}},
		"headers":     {requests.Headers{{"X-Once", "1"}, {"Authorization", "x"}, {"Host", "other.test"}, {"Cookie", "a=b"}}},
		"auth":        {requests.Authenticate(requests.BasicAuth("u", "p"))},
		"cookies":     {requests.Cookies{{"k", "v"}}},
		"params":      {requests.Params{{"a", "b"}}},
		"too long":    {requests.Body("secret"), requests.Headers{{"Content-Length", "3"}}},
		"announced":   {requests.Headers{{"Content-Length", "40"}}},
		"too short":   {requests.Body(io.LimitReader(strings.NewReader("sec"), 10)), requests.Headers{{"Content-Length", "10"}}},
		"failing":     {requests.Body(io.MultiReader(strings.NewReader("sec"), failing{}))},
		"other codes": {requests.Headers{{"Transfer-Encoding", "gzip"}}, requests.Body("secret")},
	} {
		server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply { return ok }})
		s := newSession(t)
		s.Headers = requests.Headers{{"User-Agent", "me"}, {"Accept-Encoding", ""}}
		s.Headers.Del("Accept-Encoding")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, _ = s.Put(ctx, server.URL("/first"), append(options, requests.Timeout(200*time.Millisecond))...)
		cancel()
		if _, err := s.Get(t.Context(), server.URL("/plain"), requests.Headers{{"Accept-Encoding", "x"}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := fmt.Sprintf(strings.Replace(plain, "me\r\n", "me\r\nAccept-Encoding: x\r\n", 1), server.Addr())
		if raw := server.Raw(); !slices.Contains(raw, want) {
			t.Errorf("%s: want %q, got %q", name, want, raw)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// TestRule11EarlyReply: a server that answers at once, without reading the announced body,
// does not get the next request as that body.
func TestRule11EarlyReply(t *testing.T) {
	var server *wiretest.Server
	l := listen(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	server = l.Server
	s := newSession(t)
	s.Policy.BodiesAsRequests = true
	for range 2 {
		if _, err := s.Post(t.Context(), "http://"+l.Addr()+"/", requests.Headers{{"Content-Length", "500"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), "http://"+l.Addr()+"/next"); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.Accepted(); n < 3 {
		t.Errorf("%d connections: a request went out behind an announced body", n)
	}
}

// TestRule30Unread: whatever a server answers before it has the body, the next request
// of the pool works, and is not taken for the rest of the body.
func TestRule30Unread(t *testing.T) {
	for _, status := range []string{"417 Expectation Failed", "413 Too Large", "401 No", "200 OK", "302 Found\r\nLocation: /x"} {
		t.Run(status[:3], func(t *testing.T) {
			t.Parallel() // they wait for 100 most of the time
			early := wiretest.Send("HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\nno")
			early.Early = 1
			server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{early, ok}})
			s := newSession(t)
			body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			for range 2 {
				if _, err := s.Post(t.Context(), server.URL("/"), requests.Body(bytes.NewReader(body)), requests.Headers{{"Expect", "100-continue"}}, requests.AllowRedirects(false)); err != nil {
					t.Error(err)
				}
			}
			for _, r := range server.Requests() {
				if r.Method != "POST" || r.Target != "/" {
					t.Errorf("the server saw %.60q", r.Raw)
				}
			}
		})
	}
}

// TestRule32Stress: under load, with lost connections, retries, early replies and bodies
// of every kind, each reply is the one to its own body, to the last byte.
func TestRule32Stress(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		switch rand.N(8) {
		case 0:
			return wiretest.Drop()
		case 1:
			return wiretest.Text(503, "busy"+r.Body)
		case 2:
			return wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort").ThenReset()
		case 3:
			return wiretest.Text(307, strings.Repeat("r", rand.N(1<<16)), [2]string{"Location", r.Target})
		}
		return wiretest.Text(200, fmt.Sprintf("%x", sha256.Sum256([]byte(r.Body))), [2]string{"X-Echo", r.Get("X-Id")})
	}})
	s := newSession(t)
	s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(4), requests.Retries(requests.Retry{
		Total: requests.RetryTimes(50), AllowedMethods: []string{"PUT", "POST"}, StatusForcelist: []int{503}, RetryBody: true,
	})))
	s.MaxRedirects = 100
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 30 {
				text := bytes.Repeat([]byte(fmt.Sprintf("%d/%d.", worker, i)), 1+rand.N(20_000))
				id := fmt.Sprint(worker, "-", i)
				r, err := s.Post(t.Context(), server.URL("/"), bodyOf(t, i, text), requests.Headers{{"X-Id", id}})
				if err != nil {
					t.Error(err)
					return
				}
				got, err := r.Text()
				want := fmt.Sprintf("%x", sha256.Sum256(text))
				if err != nil || got != want || r.Headers.Get("X-Echo") != id {
					t.Errorf("%s: %v %q, sum %s of %v, want %s", id, err, r.Headers.Get("X-Echo"), got, r, want)
				}
			}
		})
	}
	wg.Wait()
}

// bodyOf gives text as one kind of body or another.
func bodyOf(t *testing.T, kind int, text []byte) requests.Option {
	switch kind % 4 {
	case 0:
		return requests.Body(slices.Clone(text))
	case 1:
		return requests.Body(bytes.NewReader(text))
	case 2:
		it, err := toolbelt.NewStreamingIterator(int64(len(text)), bytes.NewReader(text))
		if err != nil {
			t.Error(err)
		}
		return requests.Body(it)
	}
	return requests.Body(string(text))
}
