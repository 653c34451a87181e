package requests_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// mapResolver is not comparable, so it cannot be part of a ConnConfig.
type mapResolver map[string]netip.Addr

func (m mapResolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := m[host]; ok {
		return []netip.Addr{a}, nil
	}
	return nil, errors.New("no such host")
}

// loopback resolves every name to 127.0.0.1 and remembers what it was asked.
type loopback struct{ asked []string }

func (l *loopback) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	l.asked = append(l.asked, host)
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func TestResolver(t *testing.T) {
	server, names := wiretest.Origin(t), &loopback{}
	s := retrySession(t, requests.ResolveWith(names))
	if _, err := s.Get(t.Context(), "http://"+server.Host("somewhere.test")+"/"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"somewhere.test"}, names.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestResolveTo: the address changes, the Host header does not.
func TestResolveTo(t *testing.T) {
	server := wiretest.Origin(t)
	s := retrySession(t, requests.ResolveTo(map[string]string{
		"a.test": "127.0.0.1", "B.test:80": server.Addr(), "b.test": "192.0.2.1", "[::2]": "127.0.0.1",
	}))
	for _, url := range []string{"http://" + server.Host("a.test") + "/", "http://b.test/", "http://" + server.Host("::2") + "/"} {
		if _, err := s.Get(t.Context(), url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	var hosts []string
	for _, r := range server.Requests() {
		hosts = append(hosts, r.Get("Host"))
	}
	if diff := cmp.Diff([]string{server.Host("a.test"), "b.test", server.Host("::2")}, hosts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestResolveToPlan: what a proxy looks up stays a name.
func TestResolveToPlan(t *testing.T) {
	a := requests.NewHTTPAdapter(requests.ResolveTo(map[string]string{"h.test": "10.0.0.1"}))
	p, err := (&requests.Request{URL: "https://h.test/"}).Prepare()
	if err != nil {
		t.Fatal(err)
	}
	for proxy, want := range map[string]string{"": "10.0.0.1", "http://p.test:1": "", "socks5://p.test:1": "10.0.0.1", "socks5h://p.test:1": ""} {
		var opts requests.SendOptions
		if proxy != "" {
			opts.Proxies = requests.Proxies{"https": proxy}
		}
		c, err := a.Plan(p, opts)
		if err != nil || c.Address != want || c.Host != "h.test" {
			t.Errorf("through %q: %q for %q, %v; want %q", proxy, c.Address, c.Host, err, want)
		}
	}
}
