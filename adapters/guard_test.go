package adapters

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

func TestIsPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true, "223.255.255.255": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "127.0.0.1": false, "127.255.255.254": false, "169.254.169.254": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.168.0.1": false, "100.64.0.1": false, "100.100.100.200": false, "192.0.0.192": false, "192.0.2.1": false,
		"168.63.129.16": false, "198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false,
		"240.0.0.1": false, "255.255.255.255": false, "192.88.99.1": false,

		"2606:4700:4700::1111": true, "2a00:1450::1": true,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "fd20:ce::254": false, "ff02::1": false,
		"fec0::1": false, "2001:db8::1": false, "3fff::1": false, "100::1": false, "2001::1": false, "2001:0:4136:e378:8000:63bf:3fff:fdd2": false,

		"::ffff:8.8.8.8": true, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false,
		"::127.0.0.1": false, "::8.8.8.8": false, "::ffff:0:127.0.0.1": false,
		"64:ff9b::8.8.8.8": true, "64:ff9b::127.0.0.1": false, "64:ff9b::169.254.169.254": false, "64:ff9b:1::8.8.8.8": false, "64:ff9b:1::7f00:1": false,
		"2002:808:808::1": true, "2002:7f00:1::1": false, "2002:a00:1::": false, "2002:a9fe:a9fe::": false,
		"2002:808:808::5efe:127.0.0.1": false, "2002:808:808::200:5efe:10.0.0.1": false, "2002:808:808::5efe:8.8.8.8": true, "2002:7f00:1::5efe:8.8.8.8": false,
		"2606:4700::5efe:8.8.8.8": true, "2606:4700::5efe:127.0.0.1": false, "2606:4700::200:5efe:10.0.0.1": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %v, want %v", text, got, want)
		}
	}
}

// names resolves every name to the same addresses.
type names string

func (n names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr(string(n))}, nil
}

func guarded(t *testing.T, options ...requests.AdapterOption) *requests.Session {
	s := requests.NewSession()
	t.Cleanup(func() { s.Close() })
	s.TrustEnv = false
	for _, prefix := range []string{"http://", "https://"} {
		s.Mount(prefix, requests.NewHTTPAdapter(options...))
	}
	return s
}

// TestDenyPrivate: literals in any form, names, and redirects to both are denied, directly and through proxies of each kind,
// which are told nothing.
func TestDenyPrivate(t *testing.T) {
	origin := wiretest.Origin(t)
	port := origin.Host("")
	for way, through := range map[string]func() *wiretest.Server{
		"": nil, "http": func() *wiretest.Server { return wiretest.Start(t, wiretest.Config{Route: wiretest.To(origin)}) },
		"socks5":  func() *wiretest.Server { return wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.To(origin)}) },
		"socks5h": func() *wiretest.Server { return wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.To(origin)}) },
	} {
		for _, host := range []string{"127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]", "localhost",
			"[64:ff9b::7f00:1]", "[fe80::1]", "169.254.169.254", "name.test"} {
			for _, scheme := range []string{"http", "https"} {
				options := []requests.AdapterOption{DenyPrivate(), requests.ResolveWith(names("127.0.0.1"))}
				s := guarded(t, options...)
				var proxies requests.Proxies
				var proxy *wiretest.Server
				if through != nil {
					proxy = through()
					proxies = requests.Proxies{"all": way + "://" + proxy.Addr()}
				}
				_, err := s.Get(t.Context(), scheme+"://"+host+port+"/", proxies)
				if !errors.Is(err, requests.ErrDenied) {
					t.Errorf("%q to %s://%s: %v", way, scheme, host, err)
				}
				if proxy != nil && len(proxy.Requests()) > 0 {
					t.Errorf("%q to %s://%s: the proxy was told %q", way, scheme, host, proxy.Raw())
				}
			}
		}
	}
	if n := origin.Accepted(); n > 0 {
		t.Errorf("%d connections to the origin", n)
	}
}

// TestDenyPrivatePinned: a proxy is asked for the address that was checked, with the name for TLS and in the Host field.
func TestDenyPrivatePinned(t *testing.T) {
	plain, secure := wiretest.Origin(t), wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	for url, origin := range map[string]*wiretest.Server{"http://example.com/": plain, "https://example.com/": secure} {
		for _, scheme := range []string{"http", "socks5h"} {
			proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(origin)})
			if scheme == "socks5h" {
				proxy = wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.To(origin)})
			}
			s := guarded(t, DenyPrivate(), requests.ResolveWith(names("8.8.8.8")))
			s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
			if _, err := s.Get(t.Context(), url, requests.Proxies{"all": scheme + "://" + proxy.Addr()}); err != nil {
				t.Fatal(scheme, url, err)
			}
			port := map[*wiretest.Server]string{plain: "80", secure: "443"}[origin]
			got := []string{proxy.Requests()[0].Target, origin.Requests()[0].Get("Host")}
			if diff := cmp.Diff([]string{"8.8.8.8:" + port, "example.com"}, got); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", scheme, url, diff)
			}
		}
	}
}

// TestGuardsOverRedirects: what a redirect leads to is looked at as well, under an http.Client too.
func TestGuardsOverRedirects(t *testing.T) {
	target := wiretest.Origin(t)
	first := wiretest.Origin(t, wiretest.Text(302, "", [2]string{"Location", "http://other.test:" + target.Addr()[len("127.0.0.1:"):] + "/"}))
	to := requests.ResolveTo(map[string]string{"first.test": first.Addr(), "other.test": target.Addr()})
	for name, option := range map[string]requests.AdapterOption{"hosts": AllowHosts("first.test"), "ports": AllowPorts(80)} {
		s := guarded(t, option, to)
		if _, err := s.Get(t.Context(), "http://first.test/"); !errors.Is(err, requests.ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := (&http.Client{Transport: s.RoundTripper()}).Get("http://first.test/"); !errors.Is(err, requests.ErrDenied) {
			t.Errorf("%s, http.Client: %v", name, err)
		}
	}
	if n := target.Accepted(); n > 0 {
		t.Errorf("%d connections to the target", n)
	}
}

func TestGuards(t *testing.T) {
	dial := Dialer(func(context.Context, string, string) (net.Conn, error) { return nil, errDialed })
	for name, c := range map[string]struct {
		option requests.AdapterOption
		url    string
		want   error
	}{
		"host":               {AllowHosts("a.test"), "http://A.test:8080/", errDialed},
		"host with dot":      {AllowHosts("A.test."), "http://a.test./", errDialed},
		"not its subdomain":  {AllowHosts("a.test"), "http://sub.a.test/", requests.ErrDenied},
		"not its suffix":     {AllowHosts(".a.test"), "http://nota.test/", requests.ErrDenied},
		"subdomain":          {AllowHosts(".a.test"), "http://x.sub.a.test/", errDialed},
		"wildcard":           {AllowHosts("*.a.test"), "http://sub.a.test/", errDialed},
		"not the domain":     {AllowHosts("*.a.test"), "http://a.test/", requests.ErrDenied},
		"user info":          {AllowHosts("a.test"), "http://a.test@evil.test/", requests.ErrDenied},
		"IDNA":               {AllowHosts("b\u00fccher.test"), "http://xn--bcher-kva.test/", errDialed},
		"address":            {AllowHosts("127.0.0.1"), "http://2130706433/", errDialed},
		"mapped address":     {AllowHosts("127.0.0.1"), "http://[::ffff:127.0.0.1]/", errDialed},
		"IPv6":               {AllowHosts("::1"), "http://[0:0::1]/", errDialed},
		"IPv6 in brackets":   {AllowHosts("[::1]"), "http://[::1]:80/", errDialed},
		"zone":               {AllowHosts(".example.com"), "http://[fe80::1%25.example.com]/", requests.ErrDenied},
		"none":               {AllowHosts(), "http://a.test/", requests.ErrDenied},
		"a URL":              {AllowHosts("http://a.test"), "http://a.test/", requests.ErrInvalidArgument},
		"with port":          {AllowHosts("a.test:80"), "http://a.test/", requests.ErrInvalidArgument},
		"empty":              {AllowHosts(""), "http://a.test/", requests.ErrInvalidArgument},
		"port":               {AllowPorts(80, 8080), "http://a.test:8080/", errDialed},
		"port of the scheme": {AllowPorts(443), "https://a.test/", errDialed},
		"other port":         {AllowPorts(443), "http://a.test/", requests.ErrDenied},
		"no port":            {AllowPorts(), "http://a.test/", requests.ErrDenied},
		"not a port":         {AllowPorts(0), "http://a.test/", requests.ErrInvalidArgument},
		"https":              {HTTPSOnly(), "https://a.test/", errDialed},
		"http":               {HTTPSOnly(), "http://a.test/", requests.ErrDenied},
		"several":            {requests.JoinAdapterOptions(HTTPSOnly(), AllowPorts(8443), AllowHosts("a.test")), "https://a.test/", requests.ErrDenied},
		"dialer, denied":     {DenyPrivate(), "http://127.0.0.1/", requests.ErrDenied},
	} {
		for order, options := range map[string][]requests.AdapterOption{"first": {c.option, dial}, "last": {dial, c.option}} {
			if _, err := guarded(t, options...).Get(t.Context(), c.url); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", name, order, err, c.want)
			}
		}
	}
}

var errDialed = errors.New("dialed")

// refusing is a guard of a program.
type refusing struct{}

func (refusing) CheckAddress(host string, _ netip.AddrPort) error { return errors.New("no " + host) }

// TestDenyPrivateBesideAnother: a guard that is there is asked as well, whichever comes first.
func TestDenyPrivateBesideAnother(t *testing.T) {
	own := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Guard = refusing{}
		return nil
	})
	p, err := (&requests.Request{URL: "http://a.test/"}).Prepare()
	if err != nil {
		t.Fatal(err)
	}
	c, err := requests.NewHTTPAdapter(own, DenyPrivate(), DenyPrivate()).Plan(p, requests.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{fmt.Sprint(c.Guard.CheckAddress("a.test", netip.MustParseAddrPort("8.8.8.8:80"))), fmt.Sprint(denyPrivate{}.CheckAddress("a.test", netip.MustParseAddrPort("8.8.8.8:80")))}
	if diff := cmp.Diff([]string{"no a.test", "<nil>"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	allowing := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Guard = allowingAll{}
		return nil
	})
	if c, err = requests.NewHTTPAdapter(allowing, DenyPrivate()).Plan(p, requests.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Guard.CheckAddress("a.test", netip.MustParseAddrPort("10.0.0.1:80")); err == nil {
		t.Error("a private address passes behind a guard that allows it")
	}
}

type allowingAll struct{}

func (allowingAll) CheckAddress(string, netip.AddrPort) error { return nil }
