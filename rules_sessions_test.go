package requests_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// tlsOrigin speaks HTTP/1.1 and HTTP/2, notes who its clients say they are, and on which
// connection they come.
type tlsOrigin struct {
	*httptest.Server
	mu    sync.Mutex
	names []string
	conns map[string]bool
}

func newTLSOrigin(t *testing.T) *tlsOrigin {
	o := &tlsOrigin{conns: map[string]bool{}}
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(o.serve))
	o.EnableHTTP2 = true
	o.TLS = wiretest.TestCA().Server()
	o.TLS.ClientAuth = tls.RequestClientCert
	o.StartTLS()
	t.Cleanup(o.Close)
	return o
}

func (o *tlsOrigin) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	name := "-"
	if certs := r.TLS.PeerCertificates; len(certs) > 0 {
		name = certs[0].Subject.CommonName
	}
	o.names = append(o.names, name)
	o.conns[r.RemoteAddr] = true
	if r.URL.Path == "/close" {
		w.Header().Set("Connection", "close")
	}
	fmt.Fprint(w, "ok")
}

// TestRule16Reuse: each change of what was agreed on makes a new connection, over
// HTTP/1.1 and HTTP/2; going back to an old one finds its own.
func TestRule16Reuse(t *testing.T) {
	trusted := requests.CABundlePEM(wiretest.TestCA().PEM())
	unedited := func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { return nil }
	for _, h2 := range []bool{false, true} {
		origin := newTLSOrigin(t)
		leaf := sha256.Sum256(origin.TLS.Certificates[0].Certificate[0])
		edit := unedited
		s := newSession(t)
		s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(h2), requests.ConfigureConn(func(c *requests.ConnConfig, p *requests.PreparedRequest) error {
			return edit(c, p)
		})))
		set := func(f func(*requests.ConnConfig)) func(*requests.ConnConfig, *requests.PreparedRequest) error {
			return func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { f(c); return nil }
		}
		steps := []struct {
			name    string
			edit    requests.ConnEditor
			options []requests.Option
		}{
			{"no check", unedited, []requests.Option{requests.Verify(false)}},
			{"CA", unedited, []requests.Option{trusted}},
			{"CA file", unedited, []requests.Option{requests.CABundle(wiretest.File(t, "ca.pem", wiretest.TestCA().PEM()))}},
			{"certificate a", unedited, []requests.Option{trusted, requests.CertTLS(wiretest.TestCA().Client("a"))}},
			{"certificate b", unedited, []requests.Option{trusted, requests.CertTLS(wiretest.TestCA().Client("b"))}},
			{"SNI", set(func(c *requests.ConnConfig) { c.TLS.ServerName = "example.com" }), []requests.Option{trusted}},
			{"name", set(func(c *requests.ConnConfig) { c.TLS.VerifyName = "example.com" }), []requests.Option{trusted}},
			{"lowest version", set(func(c *requests.ConnConfig) { c.TLS.MinVersion = tls.VersionTLS13 }), []requests.Option{trusted}},
			{"highest version", set(func(c *requests.ConnConfig) { c.TLS.MaxVersion = tls.VersionTLS12 }), []requests.Option{trusted}},
			{"pin", set(func(c *requests.ConnConfig) { c.TLS.Fingerprint = string(leaf[:]) }), []requests.Option{trusted}},
			{"source", set(func(c *requests.ConnConfig) { c.LocalAddr = netip.MustParseAddrPort("127.0.0.1:0") }), []requests.Option{trusted}},
			{"resolver", set(func(c *requests.ConnConfig) { c.Resolver = &ownResolver{} }), []requests.Option{trusted}},
		}
		for _, step := range steps {
			for range 2 {
				edit = step.edit
				if _, err := s.Get(t.Context(), origin.URL, step.options...); err != nil {
					t.Fatalf("h2 %v, %s: %v", h2, step.name, err)
				}
			}
		}
		wantConns := len(steps) + 1 // resolvers are told apart by their pointers: two requests, two resolvers
		if got := len(origin.conns); got != wantConns {
			t.Errorf("h2 %v: %d connections for %d ways, of which one makes two", h2, got, len(steps))
		}
		want := []string{"-", "-", "-", "-", "-", "-", "a", "a", "b", "b"}
		if diff := cmp.Diff(want, origin.names[:10]); diff != "" {
			t.Errorf("h2 %v: identities (-want +got)\n%s", h2, diff)
		}
		edit = unedited
		if _, err := s.Get(t.Context(), origin.URL, requests.CABundlePEM(wiretest.OtherCA().PEM())); !errors.Is(err, requests.ErrSSL) {
			t.Errorf("h2 %v: other authorities: %v", h2, err)
		}
		if _, err := s.Get(t.Context(), origin.URL, requests.Verify(true)); !errors.Is(err, requests.ErrSSL) {
			t.Errorf("h2 %v: the system's authorities: %v", h2, err)
		}
	}
}

type ownResolver struct{ _ int }

func (*ownResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// TestRule17Resumption: a TLS session is resumed by requests that check and show the same,
// and by no others.
func TestRule17Resumption(t *testing.T) {
	trusted := requests.CABundlePEM(wiretest.TestCA().PEM())
	a, b := requests.CertTLS(wiretest.TestCA().Client("a")), requests.CertTLS(wiretest.TestCA().Client("b"))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		origin := newTLSOrigin(t)
		s := newSession(t)
		s.Mount("https://", requests.NewHTTPAdapter(requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
			c.TLS.MaxVersion = version
			return nil
		})))
		resumed := func(options ...requests.Option) bool {
			r, err := s.Get(t.Context(), origin.URL+"/close", options...)
			if err != nil {
				t.Fatal(err)
			}
			return r.TLS.DidResume
		}
		got := []bool{
			resumed(requests.Verify(false)), resumed(requests.Verify(false)), // a session without checks
			resumed(trusted), resumed(trusted), // is none to be trusted
			resumed(trusted, a), resumed(trusted, a),
			resumed(trusted, b), resumed(trusted, b), resumed(trusted),
		}
		want := []bool{false, true, false, true, false, true, false, true, true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %x (-want +got)\n%s", version, diff)
		}
		if diff := cmp.Diff([]string{"-", "-", "-", "-", "a", "a", "b", "b", "-"}, origin.names); diff != "" {
			t.Errorf("version %x: identities (-want +got)\n%s", version, diff)
		}
		if _, err := s.Get(t.Context(), origin.URL, requests.CABundlePEM(wiretest.OtherCA().PEM())); !errors.Is(err, requests.ErrSSL) {
			t.Errorf("version %x: other authorities: %v", version, err)
		}
	}
}

// TestRule18ProxyCertificate: the certificate of an https proxy is checked, name and
// chain, before the proxy is told anything.
func TestRule18ProxyCertificate(t *testing.T) {
	origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	for name, config := range map[string]*tls.Config{
		"wrong name": wiretest.TestCA().WrongHost(), "expired": wiretest.TestCA().Expired(), "unknown authority": wiretest.OtherCA().Server(),
	} {
		for _, target := range []string{origin.URL("/"), "http://example.com/"} {
			for _, h2 := range []bool{false, true} {
				proxy := wiretest.Start(t, wiretest.Config{TLS: config, Route: wiretest.To(origin)})
				s := newSession(t)
				s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(h2)))
				_, err := s.Get(t.Context(), target, requests.Proxies{"all": "https://u:p@" + proxy.Addr()}, requests.CABundlePEM(wiretest.TestCA().PEM()))
				if !errors.Is(err, requests.ErrProxy) || len(proxy.Requests()) > 0 {
					t.Errorf("%s, %s: %v after %q", name, target, err, proxy.Raw())
				}
			}
		}
	}
}

// TestRule18Replaces: a CA set of the caller's is all that counts: what the system trusts
// does not count beside it. The system of this test trusts the test's authority.
func TestRule18Replaces(t *testing.T) {
	if url := os.Getenv("RULE18_URL"); url != "" {
		_, system := requests.Get(t.Context(), url)
		_, other := requests.Get(t.Context(), url, requests.CABundlePEM(wiretest.OtherCA().PEM()))
		if system != nil || !errors.Is(other, requests.ErrSSL) {
			t.Errorf("the system's roots: %v; others in their place: %v", system, other)
		}
		return
	}
	server := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestRule18Replaces$")
	bundle := wiretest.File(t, "system.pem", wiretest.TestCA().PEM())
	child.Env = append(os.Environ(), "RULE18_URL="+server.URL("/"), "SSL_CERT_FILE="+bundle, "SSL_CERT_DIR=/nonexistent", "REQUESTS_CA_BUNDLE=", "CURL_CA_BUNDLE=")
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRule19Pins: a pin holds on HTTP/1.1 and HTTP/2, directly and through every kind of proxy.
func TestRule19Pins(t *testing.T) {
	origin := newTLSOrigin(t)
	route := func(string) string { return origin.Listener.Addr().String() }
	proxies := map[string]string{
		"direct": "",
		"http":   wiretest.Start(t, wiretest.Config{Route: route}).URL(""),
		"https":  wiretest.Start(t, wiretest.Config{Route: route, TLS: wiretest.TestCA().Server()}).URL(""),
		"socks5": "socks5h://" + wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: route}).Addr(),
	}
	right := sha256.Sum256(origin.TLS.Certificates[0].Certificate[0])
	wrong := sha256.Sum256([]byte("another certificate"))
	for name, proxy := range proxies {
		for _, h2 := range []bool{false, true} {
			for _, verify := range []requests.Verification{requests.CABundlePEM(wiretest.TestCA().PEM()), requests.Verify(false)} {
				try := func(digest [32]byte) error {
					pin, err := adapters.Fingerprint(hex.EncodeToString(digest[:]))
					if err != nil {
						t.Fatal(err)
					}
					s := newSession(t)
					s.Mount("https://", requests.NewHTTPAdapter(pin, requests.HTTP2(h2)))
					_, err = s.Get(t.Context(), origin.URL, requests.Proxies{"https": proxy}, verify)
					return err
				}
				before := len(origin.names)
				if err := try(wrong); !errors.Is(err, requests.ErrSSL) || len(origin.names) > before {
					t.Errorf("%s, h2 %v, verify %v: a wrong pin: %v", name, h2, verify, err)
				}
				if err := try(right); err != nil {
					t.Errorf("%s, h2 %v, verify %v: the right pin: %v", name, h2, verify, err)
				}
			}
		}
	}
}
