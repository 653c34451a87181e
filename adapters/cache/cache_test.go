package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/adaptertest"
	"github.com/mountable/requests/internal/wire"
	"github.com/mountable/requests/internal/wiretest"
)

// TestContract: an adapter with a cache is an adapter.
func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return New(Memory(1 << 20))(requests.NewHTTPAdapter()), server.URL
	})
}

// TestHeuristics: a tenth of the time that it had been the same, and a day at most.
func TestHeuristics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		for i, c := range []struct {
			status   int
			modified time.Duration // ago
			control  string
			fresh    time.Duration
		}{
			{200, 100 * time.Minute, "", 10 * time.Minute},
			{404, 100 * time.Minute, "", 10 * time.Minute},
			{200, 10000 * time.Hour, "", 24 * time.Hour},
			{299, 100 * time.Minute, "public", 10 * time.Minute},
			{200, -time.Minute, "", 0},
		} {
			origin := says("one", c.control, [2]string{"Last-Modified", date(-c.modified)})
			origin.status = c.status
			want := fmt.Sprintf("%d one", c.status)
			path := fmt.Sprint(i)
			s.play(step{path: path, origin: origin, want: "miss " + want, asked: "GET"})
			if c.fresh > 0 {
				s.play(step{path: path, after: c.fresh - time.Second, want: "hit " + want})
			}
			s.play(step{path: path, after: time.Second, origin: reply{status: 200, body: "new"}, want: "miss 200 new", asked: "GET If-Modified-Since: " + origin.headers.Get("Last-Modified")})
		}
	})
}

// TestFields: what is stored, what is repeated, and what a validation changes.
func TestFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		s.play(get(says("one", "max-age=60", [2]string{"ETag", `"1"`}, [2]string{"X-Old", "1"}, [2]string{"X-Kept", "1"}, [2]string{"X-Hop", "1"},
			[2]string{"Connection", "x-hop, close"}, [2]string{"Set-Cookie", "a=1"}, [2]string{"Content-Length", "3"}), "miss 200 one"))
		start := date(0)
		r := s.play(hit(5*time.Second, "hit 200 one"))
		want := requests.Headers{{"Cache-Control", "max-age=60"}, {"ETag", `"1"`}, {"X-Old", "1"}, {"X-Kept", "1"}, {"Content-Length", "3"}, {"Date", start}, {"Age", "5"}}
		if diff := cmp.Diff([][2]string(want), [][2]string(r.Headers)); diff != "" {
			t.Errorf("stored (-want +got)\n%s", diff)
		}
		time.Sleep(time.Hour)
		r = s.play(step{origin: reply{status: 304, headers: requests.Headers{{"Cache-Control", "max-age=90"}, {"ETag", `"1"`}, {"X-Old", "2"}, {"X-Old", "3"}, {"Set-Cookie", "b=2"}, {"Content-Length", "0"}}},
			want: "revalidated 200 one", asked: `GET If-None-Match: "1"`})
		want = requests.Headers{{"Cache-Control", "max-age=90"}, {"ETag", `"1"`}, {"X-Old", "2"}, {"X-Kept", "1"}, {"Content-Length", "3"}, {"Date", date(0)}, {"X-Old", "3"}, {"Age", "0"}, {"Set-Cookie", "b=2"}}
		if diff := cmp.Diff([][2]string(want), [][2]string(r.Headers)); diff != "" {
			t.Errorf("validated (-want +got)\n%s", diff)
		}
	})
}

// TestSingleFlight: however many ask for a URL that is not stored, one request is sent.
func TestSingleFlight(t *testing.T) {
	var sent atomic.Int32
	begun, release := make(chan struct{}), make(chan struct{})
	origin := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if sent.Add(1) == 1 {
			close(begun)
			<-release
		}
		return requests.NewResponse(p, 200, control("max-age=60"), io.NopCloser(strings.NewReader("one"))), nil
	})
	c := New(Memory(1 << 20))(origin).(*cached)
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			r, err := c.Send(t.Context(), prepared(t, "http://h.test/"), requests.SendOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := r.Text(); text != "one" || err != nil {
				t.Errorf("got %q, %v", text, err)
			}
		})
	}
	<-begun
	close(release)
	wg.Wait()
	if n := sent.Load(); n != 1 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestFlights: who waits goes by itself where the response is for one, goes on where the
// first gave up, and gives up by its own limits.
func TestFlights(t *testing.T) {
	for _, c := range []struct {
		name     string
		first    error // of the first request, whose caller cancels it
		control  string
		deadline time.Duration
		want     error
		sent     int32
	}{
		{"for one", nil, "no-store", 0, nil, 2},
		{"the first gave up", context.Canceled, "max-age=60", 0, nil, 2},
		{"the first failed", errors.New("down"), "max-age=60", 0, nil, 2},
		{"too late", nil, "max-age=60", time.Second, requests.ErrTotalTimeout, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Int32
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				a := New(Memory(1 << 20))(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
					if sent.Add(1) == 1 {
						time.Sleep(time.Minute)
						if c.first == context.Canceled {
							cancel()
						}
						if c.first != nil {
							return nil, c.first
						}
					}
					return requests.NewResponse(p, 200, control(c.control), nil), nil
				}))
				go func() { _, _ = a.Send(ctx, prepared(t, "http://h.test/"), requests.SendOptions{}) }()
				synctest.Wait()
				opts := requests.SendOptions{}
				if c.deadline > 0 {
					opts.Deadline = time.Now().Add(c.deadline)
				}
				_, err := a.Send(t.Context(), prepared(t, "http://h.test/"), opts)
				if !errors.Is(err, c.want) || sent.Load() != c.sent {
					t.Errorf("got %v, want %v; %d sent, want %d", err, c.want, sent.Load(), c.sent)
				}
				time.Sleep(time.Hour)
			})
		})
	}
}

// TestPanic: a panic of the adapter is its caller's, and nobody waits for ever.
func TestPanic(t *testing.T) {
	calls := 0
	a := New(Memory(1 << 20))(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if calls++; calls == 1 {
			panic("mine")
		}
		return requests.NewResponse(p, 200, nil, nil), nil
	}))
	func() {
		defer func() {
			if v := recover(); v != "mine" {
				t.Errorf("recovered %v", v)
			}
		}()
		_, _ = a.Send(t.Context(), prepared(t, "http://h.test/"), requests.SendOptions{})
	}()
	if _, err := a.Send(t.Context(), prepared(t, "http://h.test/"), requests.SendOptions{}); err != nil {
		t.Error(err)
	}
}

// TestSession: over sockets, with a body that is streamed, read in part, too long or coded.
func TestSession(t *testing.T) {
	long := strings.Repeat("x", 3000)
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		fresh := [2]string{"Cache-Control", "max-age=60"}
		switch r.Target {
		case "/long":
			return wiretest.Text(200, long, fresh)
		case "/chunks":
			return wiretest.Send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n")
		case "/unframed":
			return wiretest.Send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nabc").ThenClose()
		case "/cut":
			return wiretest.Send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nabc").ThenClose()
		}
		return wiretest.Text(200, "abc", fresh)
	}})
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", New(Memory(1<<20), MaxEntry(1000))(requests.NewHTTPAdapter()))
	read := func(r *requests.Response) error {
		_, err := r.Content()
		return err
	}
	for _, c := range []struct {
		path   string
		stream bool
		read   func(*requests.Response) error
		again  Status
		failed bool
	}{
		{"/a", false, read, Hit, false},
		{"/b", true, read, Hit, false},
		{"/c", true, func(r *requests.Response) error { _, err := r.Read(make([]byte, 1)); return err }, Miss, false},
		{"/d", true, func(r *requests.Response) error { _, err := io.Copy(io.Discard, r); return err }, Hit, false},
		{"/long", false, read, Miss, false},
		{"/long", true, read, Miss, false},
		{"/chunks", false, read, Hit, false},
		{"/chunks", true, read, Hit, false},
		{"/unframed", false, read, Miss, false},
		{"/unframed", true, read, Miss, false},
		{"/cut", false, nil, Miss, true},
		{"/cut", true, read, Miss, true},
	} {
		got := c.again
		for i := range 2 {
			r, err := s.Get(t.Context(), server.URL(c.path), requests.Stream(c.stream))
			if err == nil && c.read != nil {
				got = StatusOf(r)
				err = errors.Join(c.read(r), r.Close())
			}
			if (err != nil) != c.failed || i == 1 && got != c.again {
				t.Errorf("%s, streamed %v: %v, %v", c.path, c.stream, got, err)
			}
		}
	}
}

// TestTrailers: who reads the response first has its trailers.
func TestTrailers(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n"))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", New(Memory(1<<20))(requests.NewHTTPAdapter()))
	r, err := s.Get(t.Context(), server.URL("/"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("6", r.Trailers().Get("X-Sum")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestIdentity: what was fetched without a check of the certificate is for those who do not
// check, other authorities may vouch for another server, and a client certificate is part of who asks.
func TestIdentity(t *testing.T) {
	sent := 0
	a := New(Memory(1 << 20))(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		sent++
		return requests.NewResponse(p, 200, control("max-age=60"), nil), nil
	}))
	var got []int
	for _, opts := range []requests.SendOptions{
		{Verify: requests.Verify(false)}, {Verify: requests.Verify(false)}, {}, {},
		{Cert: requests.CertFile("a.pem")}, {Cert: requests.CertFile("b.pem")}, {Cert: requests.CertFile("a.pem")},
		{Cert: requests.CertPEM([]byte("x"), []byte("y"))}, {Cert: requests.CertPEM([]byte("x"), []byte("y"))},
		{Verify: requests.CABundle("a.pem")}, {Verify: requests.CABundle("b.pem")}, {Verify: requests.CABundle("a.pem")},
		{Verify: requests.CABundlePEM([]byte("x"))}, {Verify: requests.Verify(true)},
	} {
		if _, err := a.Send(t.Context(), prepared(t, "https://h.test/"), opts); err != nil {
			t.Fatal(err)
		}
		got = append(got, sent)
	}
	if diff := cmp.Diff([]int{1, 1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 9}, got); diff != "" {
		t.Errorf("requests sent (-want +got)\n%s", diff)
	}
}

// TestIdentityFirst: what was stored without any of these is not for those who ask with them.
func TestIdentityFirst(t *testing.T) {
	for name, opts := range map[string]requests.SendOptions{
		"a certificate": {Cert: requests.CertFile("a.pem")}, "authorities": {Verify: requests.CABundle("a.pem")}, "no check": {Verify: requests.Verify(false)},
	} {
		sent := 0
		a := New(Memory(1 << 20))(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			sent++
			return requests.NewResponse(p, 200, control("max-age=60"), nil), nil
		}))
		var got []int
		for _, opts := range []requests.SendOptions{{}, {}, opts, opts} {
			if _, err := a.Send(t.Context(), prepared(t, "https://h.test/"), opts); err != nil {
				t.Fatal(err)
			}
			got = append(got, sent)
		}
		if diff := cmp.Diff([]int{1, 1, 2, 2}, got); diff != "" {
			t.Errorf("%s: requests sent (-want +got)\n%s", name, diff)
		}
	}
}

// TestHostField: what a server has said for one Host field is not its response for another, though both are sent to
// the same URL.
func TestHostField(t *testing.T) {
	a := New(Memory(1 << 20))(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, control("max-age=60"), io.NopCloser(strings.NewReader(p.Headers.Get("Host")))), nil
	}))
	var got []string
	for _, host := range []string{"a.test", "b.test", "A.test", "b.test:80"} {
		p := prepared(t, "http://h.test/")
		p.Headers.Set("Host", host)
		r, err := a.Send(t.Context(), p, requests.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Text()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{"a.test", "b.test", "a.test", "b.test:80"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestArguments(t *testing.T) {
	a := New(nil)(requests.NewHTTPAdapter())
	defer a.Close()
	if _, err := a.Send(t.Context(), prepared(t, "http://h.test/"), requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("got %v", err)
	}
}

// TestNamespace: caches on one store keep out of each other's way.
func TestNamespace(t *testing.T) {
	store := Memory(1 << 20)
	sent := 0
	origin := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		sent++
		return requests.NewResponse(p, 200, control("max-age=60"), nil), nil
	})
	for _, name := range []string{"a", "b", "a"} {
		if _, err := New(store, Namespace(name))(origin).Send(t.Context(), prepared(t, "http://h.test/"), requests.SendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if sent != 2 {
		t.Errorf("%d requests were sent", sent)
	}
}

// BenchmarkHit is a session's GET of what is stored, and the same GET of an adapter that has the
// response at hand: the library's own time. "x-own" is how many times that a hit takes; both are
// measured in turns.
func BenchmarkHit(b *testing.B) {
	origin := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, requests.Headers{{"Cache-Control", "max-age=3600"}, {"Date", date(0)}, {"Content-Type", "text/plain"}, {"ETag", `"1"`}}, &wire.Held{Content: make([]byte, 200)}), nil
	})
	disk, err := Disk(b.TempDir(), 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	for name, store := range map[string]Store{"memory": Memory(1 << 20), "disk": disk} {
		b.Run(name, func(b *testing.B) {
			own, cached := mounted(b, origin), mounted(b, New(store)(origin))
			var times [2]time.Duration
			b.ReportAllocs()
			for b.Loop() {
				for i, s := range []*requests.Session{own, cached} {
					start := time.Now()
					if _, err := s.Get(b.Context(), "http://h.test/path?q=1"); err != nil {
						b.Fatal(err)
					}
					times[i] += time.Since(start)
				}
			}
			b.ReportMetric(float64(times[1])/float64(b.N), "ns/hit")
			b.ReportMetric(float64(times[1])/float64(times[0]), "x-own")
		})
	}
}

func mounted(b testing.TB, a requests.Adapter) *requests.Session {
	s := requests.NewSession()
	b.Cleanup(func() { _ = s.Close() })
	s.Mount("http://", a)
	return s
}
