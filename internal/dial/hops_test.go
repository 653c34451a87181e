package dial

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hop builds the plan to reach an origin in one way; check tells whether the proxy heard what it should.
type hop func(t *testing.T, origin net.Listener) (p *Plan, check func(*testing.T))

// hops is every way to an origin called good.test, port 443.
func hops(t *testing.T, roots *x509.CertPool) map[string]hop {
	proxyTLS := &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "127.0.0.1")}}
	header := [][2]string{{"Proxy-Authorization", "Basic dTpw"}}
	names := table{"good.test": "10.1.2.3"}
	const connect = "CONNECT good.test:443 auth=Basic dTpw"
	via := func(scheme, note string, listen func(*testing.T, net.Listener, *wire) net.Listener) hop {
		return func(t *testing.T, origin net.Listener) (*Plan, func(*testing.T)) {
			var w wire
			proxy := &Proxy{Scheme: scheme, Host: "127.0.0.1", Port: portOf(listen(t, origin, &w)), Tunnel: true, Header: header}
			if scheme == "https" {
				proxy.TLS = &TLS{Roots: roots}
			}
			return &Plan{Host: "good.test", Port: 443, Proxy: proxy, Resolver: names}, func(t *testing.T) {
				if diff := cmp.Diff(note, w.all()); diff != "" {
					t.Errorf("proxy heard (-want +got)\n%s", diff)
				}
			}
		}
	}
	plain := func(t *testing.T, o net.Listener, w *wire) net.Listener { return connectProxy(t, o, nil, w) }
	secured := func(t *testing.T, o net.Listener, w *wire) net.Listener { return connectProxy(t, o, proxyTLS, w) }
	return map[string]hop{
		"direct": func(t *testing.T, origin net.Listener) (*Plan, func(*testing.T)) {
			return &Plan{Host: "good.test", Port: 443, Address: origin.Addr().String()}, func(*testing.T) {}
		},
		"http proxy":  via("http", connect, plain),
		"https proxy": via("https", connect, secured),
		"socks5":      via("socks5", "socks 10.1.2.3 443", socksProxy),
		"socks5h":     via("socks5h", "socks good.test 443", socksProxy),
	}
}
