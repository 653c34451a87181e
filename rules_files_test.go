package requests_test

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// replacers are the ways to put new content where a file is.
var replacers = map[string]func(t *testing.T, path string, content []byte){
	"written": func(t *testing.T, path string, content []byte) { write(t, path, content) },
	"renamed": func(t *testing.T, path string, content []byte) {
		write(t, path+".new", content)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	},
	"linked": func(t *testing.T, path string, content []byte) {
		write(t, filepath.Join(t.TempDir(), "target"), content)
		os.Remove(path)
		if err := os.Symlink(wiretest.File(t, "target", content), path); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	},
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func identity(name string) []byte {
	cert, key := wiretest.PEM(wiretest.TestCA().Client(name))
	return append(cert, key...)
}

// TestRule52Certificates: once the file of a certificate holds another one, that is shown: on new
// connections, without a session of the old one, and instead of connections that are kept.
func TestRule52Certificates(t *testing.T) {
	for how, replace := range replacers {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			for _, h2 := range []bool{false, true} {
				for _, closed := range []bool{false, true} {
					origin := newTLSOrigin(t)
					file := wiretest.File(t, "id.pem", identity("a"))
					s := newSession(t)
					s.Verify, s.Cert = requests.CABundlePEM(wiretest.TestCA().PEM()), requests.CertFile(file)
					s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(h2), maxVersion(version)))
					get := func(path string) bool {
						r, err := s.Get(t.Context(), origin.URL+path)
						if err != nil {
							t.Fatal(err)
						}
						return r.TLS.DidResume
					}
					get("/")
					get("/")
					replace(t, file, identity("b"))
					if closed {
						s.Close()
					}
					resumed := []bool{get("/"), get("/")}
					s.Close()
					resumed = append(resumed, get("/"))
					if diff := cmp.Diff([]string{"a", "a", "b", "b", "b"}, origin.names); diff != "" {
						t.Errorf("%s, TLS %x, h2 %v, closed %v (-want +got)\n%s", how, version, h2, closed, diff)
					}
					if diff := cmp.Diff([]bool{false, false, true}, resumed); diff != "" {
						t.Errorf("%s, TLS %x, h2 %v, closed %v: resumed (-want +got)\n%s", how, version, h2, closed, diff)
					}
				}
			}
		}
	}
}

func maxVersion(version uint16) requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.TLS.MaxVersion = version
		return nil
	})
}

// TestRule52Authorities: once the file or directory of a CA bundle holds other authorities, only these
// count: for kept connections, and for sessions that could be resumed, to the origin and to an https proxy.
func TestRule52Authorities(t *testing.T) {
	good, bad := wiretest.TestCA().PEM(), wiretest.OtherCA().PEM()
	for how, replace := range replacers {
		for _, place := range []string{"file", "directory"} {
			for _, closed := range []bool{false, true} {
				for way, through := range map[string]func(*wiretest.Server) string{
					"direct":      func(*wiretest.Server) string { return "" },
					"CONNECT":     func(o *wiretest.Server) string { return proxyTo(t, o, nil).URL("") },
					"https proxy": func(o *wiretest.Server) string { return proxyTo(t, o, wiretest.TestCA().Server()).URL("") },
				} {
					origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
					file := wiretest.File(t, "ca.pem", good)
					s := newSession(t)
					s.Verify, s.Proxies = requests.CABundle(file), requests.Proxies{"all": through(origin)}
					if place == "directory" {
						s.Verify = requests.CABundle(filepath.Dir(file))
					}
					ask := func() error {
						_, err := s.Get(t.Context(), origin.URL("/"))
						return err
					}
					if err := errors.Join(ask(), ask()); err != nil {
						t.Fatal(err)
					}
					replace(t, file, bad)
					if closed {
						s.Close()
					}
					if err := ask(); !errors.Is(err, requests.ErrSSL) && !errors.Is(err, requests.ErrProxy) {
						t.Errorf("%s, %s, %s, closed %v: other authorities: %v", how, place, way, closed, err)
					}
					replace(t, file, good)
					if err := ask(); err != nil {
						t.Errorf("%s, %s, %s, closed %v: the old ones again: %v", how, place, way, closed, err)
					}
					if got := len(origin.Requests()); got != 3 {
						t.Errorf("%s, %s, %s, closed %v: %d requests", how, place, way, closed, got)
					}
				}
			}
		}
	}
}

func proxyTo(t *testing.T, origin *wiretest.Server, config *tls.Config) *wiretest.Server {
	return wiretest.Start(t, wiretest.Config{TLS: config, Route: wiretest.To(origin)})
}

// TestRule52Unchanged: files that hold the same, though written anew, keep their connections.
func TestRule52Unchanged(t *testing.T) {
	origin := newTLSOrigin(t)
	ca, id := wiretest.File(t, "ca.pem", wiretest.TestCA().PEM()), identity("a")
	file := wiretest.File(t, "id.pem", id)
	s := newSession(t)
	s.Verify, s.Cert = requests.CABundle(ca), requests.CertFile(file)
	for range 3 {
		if _, err := s.Get(t.Context(), origin.URL); err != nil {
			t.Fatal(err)
		}
		replacers["renamed"](t, file, id)
		write(t, ca, wiretest.TestCA().PEM())
	}
	if got := len(origin.conns); got != 1 {
		t.Errorf("%d connections", got)
	}
}

// TestRule50MountedCA: what a mount says about certificates wins over the variables of the environment, and
// what the call or the session say over both.
func TestRule50MountedCA(t *testing.T) {
	good, bad := wiretest.TestCA().PEM(), wiretest.OtherCA().PEM()
	goodFile, badFile := wiretest.File(t, "good.pem", good), wiretest.File(t, "bad.pem", bad)
	mounted := func(v requests.Verification) requests.AdapterOption {
		return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
			c.TLS.Verify = v
			return nil
		})
	}
	none := requests.Verification{}
	for name, c := range map[string]struct {
		mount         requests.AdapterOption
		env           string
		session, call requests.Verification
		want          error
	}{
		"mount over environment":             {mounted(requests.CABundlePEM(good)), badFile, none, none, nil},
		"CA over environment":                {adapters.CA(requests.CABundlePEM(good)), badFile, none, none, nil},
		"CA, a file":                         {adapters.CA(requests.CABundle(goodFile)), badFile, none, none, nil},
		"CA, a pool":                         {adapters.CA(requests.CAPool(wiretest.TestCA().Pool())), badFile, none, none, nil},
		"the last CA":                        {requests.JoinAdapterOptions(adapters.CA(requests.CABundlePEM(bad)), adapters.CA(requests.CABundlePEM(good))), "", none, none, nil},
		"a mount that trusts another":        {adapters.CA(requests.CABundlePEM(bad)), goodFile, none, none, requests.ErrSSL},
		"a mount that says no":               {adapters.CA(requests.Verify(false)), badFile, none, none, nil},
		"a mount that says yes":              {adapters.CA(requests.Verify(true)), goodFile, none, none, nil},
		"session over mount":                 {adapters.CA(requests.CABundlePEM(bad)), badFile, requests.CABundlePEM(good), none, nil},
		"call over mount":                    {adapters.CA(requests.CABundlePEM(bad)), badFile, none, requests.CABundlePEM(good), nil},
		"a call that says yes":               {adapters.CA(requests.CABundlePEM(good)), badFile, none, requests.Verify(true), nil},
		"a call that says yes, a mount's no": {adapters.CA(requests.Verify(false)), "", none, requests.Verify(true), requests.ErrSSL},
		"a call that says no":                {adapters.CA(requests.CABundlePEM(bad)), badFile, none, requests.Verify(false), nil},
		"environment alone":                  {adapters.CA(none), goodFile, none, none, nil},
	} {
		for _, variable := range []string{"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
			t.Run(name+", "+variable, func(t *testing.T) {
				t.Setenv("REQUESTS_CA_BUNDLE", "")
				t.Setenv("CURL_CA_BUNDLE", "")
				t.Setenv(variable, c.env)
				origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
				s := newSession(t)
				s.TrustEnv, s.Verify = true, c.session
				s.Mount("https://", requests.NewHTTPAdapter(c.mount))
				for way, get := range map[string]func() error{
					"Get": func() error { _, err := s.Get(t.Context(), origin.URL("/"), c.call); return err },
					"Send": func() error {
						p, err := s.Prepare(&requests.Request{URL: origin.URL("/")})
						if err == nil {
							_, err = s.Send(t.Context(), p, requests.SendOptions{Verify: c.call})
						}
						return err
					},
				} {
					if err := get(); !errors.Is(err, c.want) {
						t.Errorf("%s: %v, want %v", way, err, c.want)
					}
				}
			})
		}
	}
}

// TestKeyLogTrustEnv: SSLKEYLOGFILE is a variable like others: nothing is written for a session that does not trust
// the environment, whatever connections others have made.
func TestKeyLogTrustEnv(t *testing.T) {
	log := filepath.Join(t.TempDir(), "keys.log")
	t.Setenv("SSLKEYLOGFILE", log)
	origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	shared := requests.NewHTTPAdapter()
	var sizes []int
	for _, trust := range []bool{false, true, false, true} {
		s := newSession(t)
		s.Mount("https://", shared)
		s.TrustEnv, s.Verify = trust, requests.CABundlePEM(wiretest.TestCA().PEM())
		if _, err := s.Get(t.Context(), origin.URL("/")); err != nil {
			t.Fatal(err)
		}
		lines, _ := os.ReadFile(log)
		sizes = append(sizes, strings.Count(string(lines), "CLIENT_TRAFFIC_SECRET_0"))
	}
	if diff := cmp.Diff([]int{0, 1, 1, 1}, sizes); diff != "" {
		t.Errorf("secrets in the log (-want +got)\n%s", diff)
	}
	if got := origin.Accepted(); got != 2 {
		t.Errorf("%d connections: with and without a log are not the same", got)
	}
}
