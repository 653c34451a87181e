package interop

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// A carrier is one way to send an http.Request.
type carrier struct {
	name string
	make func(t *testing.T, l link) http.RoundTripper
}

// A link is how a carrier reaches a server.
type link struct {
	tls   *tls.Config // whom to trust; nil for nobody
	h2    bool
	proxy *url.URL // nil for none
	// through counts the connections to the proxy.
	through func() int
	dial    func(ctx context.Context, network, addr string) (net.Conn, error) // nil for the system's
}

// reference is what the others are compared with.
var reference = carrier{"http.Transport", func(t *testing.T, l link) http.RoundTripper { return netTransport(t, l) }}

var carriers = []carrier{
	{"Session.RoundTripper", func(t *testing.T, l link) http.RoundTripper {
		return session(t, l).RoundTripper()
	}},
	{"AdapterTransport", func(t *testing.T, l link) http.RoundTripper {
		return adapterTransport(t, l)
	}},
	{overNetHTTP, func(t *testing.T, l link) http.RoundTripper {
		return over(t, netTransport(t, l))
	}},
	{"Session over adapters.RoundTripper over a Session", func(t *testing.T, l link) http.RoundTripper {
		return over(t, session(t, l).RoundTripper())
	}},
}

func adapterTransport(t *testing.T, l link) http.RoundTripper {
	a := requests.NewHTTPAdapter(l.options()...)
	t.Cleanup(func() { a.Close() })
	return requests.AdapterTransport(a)
}

// overNetHTTP names the carrier that has http.Transport below.
const overNetHTTP = "Session over adapters.RoundTripper"

// over is a Session's transport over another one.
func over(t *testing.T, rt http.RoundTripper) http.RoundTripper {
	s := bare(t)
	a := adapters.RoundTripper(rt)
	s.Mount("http://", a)
	s.Mount("https://", a)
	return s.RoundTripper()
}

func netTransport(t *testing.T, l link) *http.Transport {
	tr := &http.Transport{TLSClientConfig: l.tls, Protocols: new(http.Protocols), ExpectContinueTimeout: time.Second, DialContext: l.dial}
	tr.Protocols.SetHTTP1(true)
	tr.Protocols.SetHTTP2(l.h2)
	if l.proxy != nil {
		tr.Proxy = http.ProxyURL(l.proxy)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// bare is a Session without headers of its own, so that what is compared is the request's.
func bare(t *testing.T) *requests.Session {
	s := requests.NewSession()
	s.Headers, s.TrustEnv = nil, false
	t.Cleanup(func() { s.Close() })
	return s
}

// session is a bare one over a link.
func session(t *testing.T, l link, options ...requests.AdapterOption) *requests.Session {
	s := bare(t)
	a := requests.NewHTTPAdapter(append(options, l.options()...)...)
	s.Mount("http://", a)
	s.Mount("https://", a)
	return s
}

// options are those of an adapter on the link.
func (l link) options() []requests.AdapterOption {
	options := []requests.AdapterOption{requests.HTTP2(l.h2), requests.ConfigureConn(l.configure)}
	if l.dial != nil {
		options = append(options, adapters.Dialer(l.dial))
	}
	return options
}

// configure makes an adapter trust what a TLS configuration does, and use the proxy.
func (l link) configure(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
	verify := requests.Verification{}
	if l.tls != nil {
		verify = requests.CAPool(l.tls.RootCAs)
		c.TLS.Verify = verify
	}
	if l.proxy == nil {
		return nil
	}
	port, err := strconv.Atoi(l.proxy.Port())
	c.Proxy = requests.ProxyConfig{
		Scheme: l.proxy.Scheme, Host: l.proxy.Hostname(), Port: port,
		Tunnel: l.proxy.Scheme == "socks5h" || l.proxy.Scheme == "socks5" || c.Scheme == "https", TLS: requests.TLSConfig{Verify: verify},
	}
	return err
}

// serve starts a server: plain, TLS, or TLS with HTTP/2.
func serve(t *testing.T, protocol string, h http.Handler) (url string, l link) {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = quiet
	switch protocol {
	case "h1":
		server.Start()
	case "tls":
		server.StartTLS()
	case "h2":
		server.EnableHTTP2 = true
		server.StartTLS()
	}
	t.Cleanup(func() {
		server.CloseClientConnections() // a check that failed may have left one in use
		server.Close()
	})
	if server.TLS != nil {
		l.tls = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	}
	l.h2 = protocol == "h2"
	return server.URL, l
}

// limited is a context that ends a check which hangs.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
