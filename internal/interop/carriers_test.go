package interop

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// A carrier is one way to send an http.Request.
type carrier struct {
	name string
	make func(t *testing.T, tlsConfig *tls.Config, h2 bool) http.RoundTripper
}

// reference is what the others are compared with.
var reference = carrier{"http.Transport", func(t *testing.T, c *tls.Config, h2 bool) http.RoundTripper {
	return netTransport(t, c, h2)
}}

var carriers = []carrier{
	{"Session.RoundTripper", func(t *testing.T, c *tls.Config, h2 bool) http.RoundTripper {
		s := session(t, c, requests.HTTP2(h2))
		return s.RoundTripper()
	}},
	{"AdapterTransport", func(t *testing.T, c *tls.Config, h2 bool) http.RoundTripper {
		a := requests.NewHTTPAdapter(trusting(c), requests.HTTP2(h2))
		t.Cleanup(func() { a.Close() })
		return requests.AdapterTransport(a)
	}},
	{"Session over adapters.RoundTripper", func(t *testing.T, c *tls.Config, h2 bool) http.RoundTripper {
		s := requests.NewSession()
		s.Headers, s.TrustEnv = nil, false
		a := adapters.RoundTripper(netTransport(t, c, h2))
		s.Mount("http://", a)
		s.Mount("https://", a)
		t.Cleanup(func() { s.Close() })
		return s.RoundTripper()
	}},
}

func netTransport(t *testing.T, c *tls.Config, h2 bool) *http.Transport {
	tr := &http.Transport{TLSClientConfig: c, Protocols: new(http.Protocols), ExpectContinueTimeout: time.Second}
	tr.Protocols.SetHTTP1(true)
	tr.Protocols.SetHTTP2(h2)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// session is a Session without headers of its own, so that what is compared is the request's.
func session(t *testing.T, c *tls.Config, options ...requests.AdapterOption) *requests.Session {
	s := requests.NewSession()
	s.Headers, s.TrustEnv = nil, false
	a := requests.NewHTTPAdapter(append(options, trusting(c))...)
	s.Mount("http://", a)
	s.Mount("https://", a)
	t.Cleanup(func() { s.Close() })
	return s
}

// trusting makes an adapter trust what a TLS configuration does.
func trusting(c *tls.Config) requests.AdapterOption {
	return requests.ConfigureConn(func(conn *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if c != nil {
			conn.TLS.Verify = requests.CAPool(c.RootCAs)
		}
		return nil
	})
}

// serve starts a server: plain, TLS, or TLS with HTTP/2.
func serve(t *testing.T, protocol string, h http.Handler) (url string, c *tls.Config) {
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
	if server.TLS == nil {
		return server.URL, nil
	}
	return server.URL, server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}

// limited is a context that ends a check which hangs.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
