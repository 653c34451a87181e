package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// TestAddress: connections go to the address, and the URL's names stay.
func TestAddress(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
	t.Cleanup(server.Close)
	host, _ := strings.CutPrefix(server.URL, "http://")
	_, port, _ := net.SplitHostPort(host)
	for url, to := range map[string]string{"http://a.test/": host, "http://a.test:" + port + "/": "127.0.0.1"} {
		option, err := adapters.Address(to)
		if err != nil {
			t.Fatal(err)
		}
		s := requests.NewSession()
		s.TrustEnv = false
		s.Mount("http://", requests.NewHTTPAdapter(option))
		r, err := s.Get(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := r.Text()
		timing := r.Timing()
		if !strings.HasPrefix(text, "a.test") || timing.Remote.String() != host || timing.Local == nil || timing.Reused {
			t.Errorf("%s: Host %s, from %v to %v", url, text, timing.Local, timing.Remote)
		}
		s.Close()
	}
	for _, bad := range []string{"", "name", "a:0", "a:99999", ":80", "http://a:80", "[::1", "a b:80"} {
		if _, err := adapters.Address(bad); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// resolverFunc is a resolver of a test.
type resolverFunc struct {
	lookup func(network, host string) ([]netip.Addr, error)
}

func (r *resolverFunc) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	return r.lookup(network, host)
}

// TestDNSCache: answers count as long as they should, longer where asking fails, and are spread.
func TestDNSCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		var failure error
		c := &adapters.DNSCache{TTL: time.Minute, Stale: time.Hour, Spread: true, Resolver: &resolverFunc{func(network, host string) ([]netip.Addr, error) {
			asked++
			return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")}, failure
		}}}
		down := &net.DNSError{Err: "down", IsTemporary: true}
		var got []string
		for _, step := range []struct {
			wait time.Duration
			err  error
			host string
		}{
			{0, nil, "a.test"}, {0, nil, "A.test."}, {59 * time.Second, nil, "a.test"}, {0, nil, "b.test"},
			{2 * time.Second, down, "a.test"}, {time.Hour, down, "a.test"}, {0, nil, "a.test"}, {2 * time.Minute, &net.DNSError{IsNotFound: true}, "a.test"},
		} {
			time.Sleep(step.wait)
			failure = step.err
			addrs, err := c.LookupNetIP(t.Context(), "ip", step.host)
			first := ""
			if len(addrs) > 0 && err == nil {
				first = addrs[0].String()
			}
			got = append(got, fmt.Sprint(asked, " ", first, " ", err != nil))
		}
		want := []string{"1 192.0.2.1 false", "1 192.0.2.2 false", "1 192.0.2.3 false", "2 192.0.2.1 false", "3 192.0.2.1 false", "4  true", "5 192.0.2.1 false", "6  true"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// lookups counts what a cache asks, and answers as answer says.
type lookups struct {
	asked  atomic.Int32
	answer func(ctx context.Context, n int32) ([]netip.Addr, error)
}

func (l *lookups) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	return l.answer(ctx, l.asked.Add(1))
}

var someAddr = []netip.Addr{netip.MustParseAddr("192.0.2.1")}

// TestDNSCacheOnce: who asks for a name at the same time shares one lookup, and waits no longer
// than its own context; the lookup goes on for the others.
func TestDNSCacheOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lookups{answer: func(context.Context, int32) ([]netip.Addr, error) { time.Sleep(2 * time.Second); return someAddr, nil }}
		c := &adapters.DNSCache{Resolver: l}
		var found, ended atomic.Int32
		for n := range 20 {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+n%2*9)*time.Second)
				defer cancel()
				switch addrs, err := c.LookupNetIP(ctx, "ip", "a.test"); {
				case err == nil && len(addrs) == 1:
					found.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					ended.Add(1)
				}
			}()
		}
		time.Sleep(3 * time.Second)
		if synctest.Wait(); l.asked.Load() != 1 || found.Load() != 10 || ended.Load() != 10 {
			t.Errorf("asked %d times, %d found, %d ended", l.asked.Load(), found.Load(), ended.Load())
		}
	})
}

// TestDNSCacheHangs: an old answer is used while a resolver hangs, at once for the second
// request, and the lookup ends by itself.
func TestDNSCacheHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lookups{answer: func(ctx context.Context, n int32) ([]netip.Addr, error) {
			if n == 1 {
				return someAddr, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		c := &adapters.DNSCache{Resolver: l, TTL: time.Minute, Stale: time.Hour}
		var got []string
		look := func(limit time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			start := time.Now()
			addrs, err := c.LookupNetIP(ctx, "ip", "a.test")
			got = append(got, fmt.Sprint(len(addrs), err, time.Since(start), l.asked.Load()))
		}
		look(time.Second)
		time.Sleep(2 * time.Minute)
		look(100 * time.Millisecond)
		look(100 * time.Millisecond)
		time.Sleep(time.Minute)
		look(time.Second)
		time.Sleep(2 * time.Hour)
		look(time.Second)
		want := []string{"1 <nil> 0s 1", "1 <nil> 50ms 2", "1 <nil> 0s 2", "1 <nil> 100ms 3", "0 context deadline exceeded 1s 4"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		time.Sleep(10 * time.Second) // or synctest finds the goroutine of the last lookup
	})
}

// TestDNSCachePanics: a panic of the resolver's goes on where its answer is waited for.
func TestDNSCachePanics(t *testing.T) {
	defer func() {
		if p := recover(); p != "resolver" {
			t.Errorf("panic %v", p)
		}
	}()
	c := &adapters.DNSCache{Resolver: &lookups{answer: func(context.Context, int32) ([]netip.Addr, error) { panic("resolver") }}}
	c.LookupNetIP(t.Context(), "ip", "a.test")
}

// TestDNSCacheArguments: a negative time is told by each lookup.
func TestDNSCacheArguments(t *testing.T) {
	for _, c := range []*adapters.DNSCache{{TTL: -1}, {Stale: -1}} {
		if _, err := c.LookupNetIP(t.Context(), "ip", "a.test"); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
	}
}

// TestDNSCacheBounded: it does not grow with the names that are asked for.
func TestDNSCacheBounded(t *testing.T) {
	asked := 0
	c := &adapters.DNSCache{Resolver: &resolverFunc{func(network, host string) ([]netip.Addr, error) {
		asked++
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	}}}
	for i := range 1001 {
		c.LookupNetIP(t.Context(), "ip", fmt.Sprint(i))
	}
	if c.LookupNetIP(t.Context(), "ip", "0"); asked != 1002 {
		t.Errorf("asked %d times", asked)
	}
}

// dnsServer answers over HTTPS.
func dnsServer(t *testing.T, answer func(q dnsmessage.Question, m *dnsmessage.Message)) (*requests.Session, string, *atomic.Int32) {
	var asked atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		var m dnsmessage.Message
		if err := m.Unpack(body); err != nil || m.ID != 0 || r.Header.Get("Content-Type") != "application/dns-message" || r.Header.Get("Accept") != "application/dns-message" {
			t.Errorf("question %v %v %v", m, err, r.Header)
		}
		m.Response = true
		answer(m.Questions[0], &m)
		packed, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/dns-message")
		w.Write(packed)
	}))
	t.Cleanup(server.Close)
	s := requests.NewSession()
	t.Cleanup(func() { s.Close() })
	s.TrustEnv, s.Verify = false, requests.Verify(false)
	return s, server.URL + "/dns-query", &asked
}

func resource(name string, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	kind := dnsmessage.TypeA
	switch body.(type) {
	case *dnsmessage.AAAAResource:
		kind = dnsmessage.TypeAAAA
	case *dnsmessage.CNAMEResource:
		kind = dnsmessage.TypeCNAME
	}
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET, TTL: ttl}, Body: body}
}

// TestDNSOverHTTPS: addresses of both families, aliases followed, others' records left out.
func TestDNSOverHTTPS(t *testing.T) {
	s, url, asked := dnsServer(t, func(q dnsmessage.Question, m *dnsmessage.Message) {
		switch {
		case q.Name.String() == "missing.test.":
			m.RCode = dnsmessage.RCodeNameError
		case q.Name.String() == "broken.test.":
			m.RCode = dnsmessage.RCodeServerFailure
		case q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{
				resource("A.test.", 300, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.test.")}),
				resource("b.test.", 60, &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}),
				resource("other.test.", 60, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 9}}),
			}
		default:
			m.Answers = []dnsmessage.Resource{resource("a.test.", 120, &dnsmessage.AAAAResource{AAAA: [16]byte{15: 1}})}
		}
	})
	resolver, err := adapters.DNSOverHTTPS(s, url)
	if err != nil {
		t.Fatal(err)
	}
	cached := &adapters.DNSCache{Resolver: resolver}
	for network, want := range map[string]string{"ip": "[::1 127.0.0.1]", "ip4": "[127.0.0.1]", "ip6": "[::1]"} {
		addrs, err := cached.LookupNetIP(t.Context(), network, "a.test")
		if got := fmt.Sprint(addrs); got != want || err != nil {
			t.Errorf("%s: %s, %v", network, got, err)
		}
	}
	before := asked.Load()
	if _, err := cached.LookupNetIP(t.Context(), "ip", "a.test"); err != nil || asked.Load() != before {
		t.Errorf("asked again: %v", err)
	}
	missing, ok := errors.AsType[*net.DNSError](second(resolver.LookupNetIP(t.Context(), "ip", "missing.test")))
	if !ok || !missing.IsNotFound {
		t.Errorf("missing: %v", missing)
	}
	broken, ok := errors.AsType[*net.DNSError](second(resolver.LookupNetIP(t.Context(), "ip", "broken.test")))
	if !ok || broken.IsNotFound {
		t.Errorf("broken: %v", broken)
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	t.Cleanup(origin.Close)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(origin.URL, "http://"))
	client := requests.NewSession()
	t.Cleanup(func() { client.Close() })
	client.TrustEnv = false
	client.Mount("http://", requests.NewHTTPAdapter(requests.ResolveWith(cached)))
	if _, err := client.Get(t.Context(), "http://a.test:"+port+"/"); err != nil {
		t.Error(err)
	}
}

func second(_ []netip.Addr, err error) error { return err }

// TestDNSOverHTTPSBad: what is not an answer is an error, and nothing panics.
func TestDNSOverHTTPSBad(t *testing.T) {
	for name, reply := range map[string]func(w http.ResponseWriter){
		"status": func(w http.ResponseWriter) { w.WriteHeader(500) },
		"type":   func(w http.ResponseWriter) { io.WriteString(w, "<html>") },
		"cut": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/dns-message")
			w.Write([]byte{0, 0, 128})
		},
		"long": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/dns-message")
			w.Write(make([]byte, 70<<10))
		},
		"another question": func(w http.ResponseWriter) {
			m := dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("other.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
			m.Answers = []dnsmessage.Resource{resource("a.test.", 60, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 9}})}
			packed, _ := m.Pack()
			w.Header().Set("Content-Type", "application/dns-message")
			w.Write(packed)
		},
	} {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reply(w) }))
		s := requests.NewSession()
		s.TrustEnv, s.Verify = false, requests.Verify(false)
		resolver, err := adapters.DNSOverHTTPS(s, server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if addrs, err := resolver.LookupNetIP(t.Context(), "ip4", "a.test"); err == nil {
			t.Errorf("%s: %v", name, addrs)
		}
		s.Close()
		server.Close()
	}
	s := requests.NewSession()
	s.Mount("https://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		r := requests.NewResponse(p, 500, nil, nil)
		r.Reason = "\x1b[31mred"
		return r, nil
	}))
	resolver, err := adapters.DNSOverHTTPS(s, "https://dns.test/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := resolver.LookupNetIP(t.Context(), "ip", "a.test"); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a reason with control characters: %q", err)
	}
	for _, url := range []string{"http://dns.test/", "", "https://", "https:///dns", "https://:443/", "https://["} {
		if _, err := adapters.DNSOverHTTPS(requests.NewSession(), url); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := adapters.DNSOverHTTPS(nil, "https://dns.test/"); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("nil: %v", err)
	}
}

// TestDNSOverHTTPSAsksForNames: what is not a name of DNS is known here, and leaves no query.
func TestDNSOverHTTPSAsksForNames(t *testing.T) {
	asked := 0
	s := requests.NewSession()
	s.Mount("https://", adapters.RoundTripper(roundTrip(func(*http.Request) (*http.Response, error) {
		asked++
		return nil, errors.New("asked")
	})))
	resolver, err := adapters.DNSOverHTTPS(s, "https://dns.test/")
	if err != nil {
		t.Fatal(err)
	}
	const both, none = "[::1 127.0.0.1]", "[] true"
	for _, tt := range []struct{ network, host, want string }{
		{"ip", "localhost", both}, {"ip", "LocalHost.", both}, {"ip", "a.b.localhost", both},
		{"ip4", "localhost", "[127.0.0.1]"}, {"ip6", "localhost", "[::1]"},
		{"ip", "192.0.2.1", "[192.0.2.1]"}, {"ip4", "192.0.2.1", "[192.0.2.1]"}, {"ip6", "192.0.2.1", none},
		{"ip", "2001:db8::1", "[2001:db8::1]"}, {"ip4", "2001:db8::1", none}, {"ip", "fe80::1%eth0", "[fe80::1%eth0]"}, {"ip4", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]"},
		{"ip", "", none}, {"ip", ".", none}, {"ip", "a.invalid", none}, {"ip", "x.ONION.", none},
	} {
		addrs, err := resolver.LookupNetIP(t.Context(), tt.network, tt.host)
		got := fmt.Sprint(addrs)
		if e, ok := errors.AsType[*net.DNSError](err); ok {
			got = fmt.Sprint(addrs, " ", e.IsNotFound)
		}
		if got != tt.want || asked > 0 {
			t.Errorf("%s %q: %s, want %s; %d queries, %v", tt.network, tt.host, got, tt.want, asked, err)
		}
	}
	for _, host := range []string{"notlocalhost", "localhost.test", "onion.test"} {
		if _, err := resolver.LookupNetIP(t.Context(), "ip4", host); err == nil || asked == 0 {
			t.Errorf("%q was not asked for", host)
		}
		asked = 0
	}
}
