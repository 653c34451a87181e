package adapters_test

import (
	"encoding/hex"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
)

// served starts an HTTP server for a handler.
func served(t *testing.T, h http.Handler) *httptest.Server {
	server := httptest.NewServer(h)
	server.Config.ErrorLog = quiet
	t.Cleanup(server.Close)
	return server
}

// servedUnix starts an HTTP server on a Unix socket and returns its path.
func servedUnix(t *testing.T, h http.Handler) string {
	dir, err := os.MkdirTemp("", "unix")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no Unix sockets here: ", err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = quiet
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return path
}

// TestContract runs the suite over everything here that carries HTTP.
func TestContract(t *testing.T) {
	for name, start := range map[string]adaptertest.Start{
		"HTTPAdapter": func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			return requests.NewHTTPAdapter(), served(t, h).URL
		},
		"RoundTripper": func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			return adapters.RoundTripper(&http.Transport{}), served(t, h).URL
		},
		"RoundTripper of an adapter": func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			return adapters.RoundTripper(requests.AdapterTransport(requests.NewHTTPAdapter())), served(t, h).URL
		},
		"RoundTripper of a session": func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			s := requests.NewSession()
			s.Cookies, s.TrustEnv = nil, false
			t.Cleanup(func() { s.Close() })
			return adapters.RoundTripper(s.RoundTripper()), served(t, h).URL
		},
		"Handler": func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			return adapters.Handler(h), "http://in.process"
		},
		"Unix": func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			return must[requests.Adapter](t)(adapters.Unix(servedUnix(t, h))), "http://docker"
		},
		"UnixURLs": func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			return adapters.UnixURLs(), "http+unix://" + url.PathEscape(servedUnix(t, h))
		},
	} {
		t.Run(name, func(t *testing.T) { adaptertest.Run(t, start) })
	}
}

// TestContractOverHTTP2 is the suite on connections that speak HTTP/2.
func TestContractOverHTTP2(t *testing.T) {
	start := func(make func(*httptest.Server) requests.Adapter) adaptertest.Start {
		return func(t *testing.T, h http.Handler) (requests.Adapter, string) {
			server := httptest.NewUnstartedServer(h)
			server.Config.ErrorLog = quiet
			server.EnableHTTP2 = true
			server.StartTLS()
			t.Cleanup(server.Close)
			return make(server), server.URL
		}
	}
	t.Run("RoundTripper", func(t *testing.T) {
		adaptertest.Run(t, start(func(s *httptest.Server) requests.Adapter { return adapters.RoundTripper(s.Client().Transport) }))
	})
	t.Run("HTTPAdapter", func(t *testing.T) {
		adaptertest.Run(t, start(func(s *httptest.Server) requests.Adapter {
			return requests.NewHTTPAdapter(requests.HTTP2(true), trust(s))
		}))
	})
}

// trust accepts the certificate of a test server.
func trust(s *httptest.Server) requests.AdapterOption {
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.TLS.Verify = requests.CABundlePEM(bundle)
		return nil
	})
}

func TestContractBasics(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("File", func(t *testing.T) {
		adaptertest.RunBasics(t, must[requests.Adapter](t)(adapters.File(dir)), "file:///a.txt")
	})
	t.Run("Data", func(t *testing.T) {
		adaptertest.RunBasics(t, adapters.Data(), "data:text/plain,"+strings.ToUpper(hex.EncodeToString([]byte("x"))))
	})
}
