package requests_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// delay is what each step that a test slows down takes at least.
const delay = 5 * time.Millisecond

type lateResolver struct{}

func (*lateResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	<-time.After(delay)
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// phases names those that took any time.
func phases(t requests.Timing) (names []string) {
	for _, p := range []struct {
		name string
		took time.Duration
	}{{"DNS", t.DNS}, {"Connect", t.Connect}, {"Proxy", t.Proxy}, {"TLS", t.TLS}, {"FirstByte", t.FirstByte}, {"Body", t.Body}} {
		if p.took > 0 {
			names = append(names, p.name)
		}
	}
	if t.Reused {
		names = append(names, "reused")
	}
	return names
}

// TestTiming sends two requests on every way there is: the second one opens nothing.
func TestTiming(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		<-time.After(delay)
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-time.After(delay)
		io.WriteString(w, "last")
	}
	plain := httptest.NewServer(http.HandlerFunc(slow))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(slow))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.Direct})
	socks := wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.Direct})
	for name, c := range map[string]struct {
		server *httptest.Server
		proxy  string
		http2  bool
		remote string
		opened []string
	}{
		"http":           {plain, "", false, "", []string{"DNS", "Connect"}},
		"https":          {secure, "", false, "", []string{"DNS", "Connect", "TLS"}},
		"HTTP/2":         {secure, "", true, "", []string{"DNS", "Connect", "TLS"}},
		"CONNECT":        {secure, "http://" + proxy.Addr(), false, proxy.Addr(), []string{"Connect", "Proxy", "TLS"}},
		"CONNECT HTTP/2": {secure, "http://" + proxy.Addr(), true, proxy.Addr(), []string{"Connect", "Proxy", "TLS"}},
		"SOCKS":          {plain, "socks5h://" + socks.Addr(), false, socks.Addr(), []string{"Connect", "Proxy"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			a := requests.NewHTTPAdapter(requests.HTTP2(c.http2), requests.ResolveWith(new(lateResolver)))
			s.Mount("http://", a)
			s.Mount("https://", a)
			s.Verify = requests.Verify(false)
			url := c.server.URL
			if c.proxy != "" {
				s.Proxies = requests.Proxies{"all": c.proxy}
			} else {
				url = strings.Replace(url, "127.0.0.1", "named.test", 1)
				c.remote = strings.TrimPrefix(strings.TrimPrefix(c.server.URL, "http://"), "https://")
			}
			for _, want := range [][]string{append(c.opened, "FirstByte", "Body"), {"FirstByte", "Body", "reused"}} {
				r, err := s.Get(t.Context(), url)
				if err != nil {
					t.Fatal(err)
				}
				got := r.Timing()
				if diff := cmp.Diff(want, phases(got)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				// Who is late with reading the head finds more of the body there.
				if got.FirstByte < delay || got.FirstByte+got.Body < 2*delay || !got.Reused && c.proxy == "" && got.DNS < delay || got.Wait < 0 {
					t.Errorf("too short: %+v", got)
				}
				if got.Remote.String() != c.remote || got.Local == nil {
					t.Errorf("from %v to %v, want %s", got.Local, got.Remote, c.remote)
				}
			}
		})
	}
}

// TestTimingOfBodies: the time of the body begins with the head.
func TestTimingOfBodies(t *testing.T) {
	release := make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	r, err := newTestSession(t).Get(t.Context(), server.URL, requests.Stream(true))
	if err != nil {
		close(release)
		t.Fatal(err)
	}
	<-time.After(delay)
	close(release)
	if _, err := r.Content(); err != nil || r.Timing().Body < delay {
		t.Errorf("%v: %+v", err, r.Timing())
	}
}

// TestTimingOfStreams: the body's time ends with the body, and no sooner.
func TestTimingOfStreams(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "body"))
	s := newTestSession(t)
	r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	before := r.Timing()
	r.Close()
	after := r.Timing()
	if before.Body != 0 || after.Body <= 0 || after.Total() != before.Total()+after.Body || r.Timing() != after {
		t.Errorf("%+v, then %+v", before, after)
	}
}

// TestTimingOfOthers: of an adapter that measures nothing, the session knows the whole.
func TestTimingOfOthers(t *testing.T) {
	s := newTestSession(t)
	s.Mount("http://", adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-time.After(delay) })))
	r, err := s.Get(t.Context(), "http://h.test/")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Timing(); got.FirstByte < delay || got.Remote != nil || got.Reused {
		t.Errorf("%+v", got)
	}
	if got := new(requests.Response).Timing(); got != (requests.Timing{}) {
		t.Errorf("of no response: %+v", got)
	}
}

func TestTimingString(t *testing.T) {
	addr := func(s string) *fixedAddr { return (*fixedAddr)(&s) }
	for _, c := range []struct {
		timing requests.Timing
		want   string
	}{
		{requests.Timing{DNS: 2 * time.Millisecond, Connect: 8 * time.Millisecond, TLS: 20 * time.Millisecond, FirstByte: 18 * time.Millisecond, Body: 2 * time.Millisecond, Local: addr("10.0.0.7:50712"), Remote: addr("192.0.2.1:443")}, `
10.0.0.7:50712 to 192.0.2.1:443, a new connection
DNS             2.0ms ██
Connect         8.0ms   ████████
TLS            20.0ms           ████████████████████
First byte     18.0ms                               ██████████████████
Body            2.0ms                                                 ██
Total          50.0ms`},
		{requests.Timing{FirstByte: time.Millisecond, Reused: true}, `
First byte      1.0ms ██████████████████████████████████████████████████
Total           1.0ms`},
		{requests.Timing{}, "\nTotal           0.0ms"},
	} {
		if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), c.timing.String()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

type fixedAddr string

func (*fixedAddr) Network() string  { return "tcp" }
func (a *fixedAddr) String() string { return string(*a) }
