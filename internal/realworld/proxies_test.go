//go:build realworld

package realworld

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// digestProxy answers squid's digest challenges, for requests it passes on and for
// CONNECT, with the right password and with a wrong one.
func (w *world) digestProxy(t *testing.T) {
	proxies := map[string]string{"squid": "http://" + local(w.digest), "squid over TLS": localhost(w.digestTLS)}
	auths := map[string]func(password string) requests.Auth{
		"digest": func(password string) requests.Auth { return toolbelt.HTTPProxyDigestAuth(user, password) },
		"guess":  func(password string) requests.Auth { return toolbelt.GuessProxyAuth("", "", user, password) },
	}
	for _, r := range []route{{"http", w.plain, "", nil, false}, {"https", w.secure, "", nil, false}, {"h2", w.h2, "", overHTTP2(), false}} {
		for proxy, url := range proxies {
			r.proxy = url
			for kind, auth := range auths {
				t.Run(strings.Join([]string{r.name, proxy, kind}, "/"), func(t *testing.T) {
					s := r.session(t, w.files)
					s.Auth = auth(password)
					throughDigest(t, r, s)
					s = r.session(t, w.files)
					s.Auth = auth("wr0ng")
					resp, err := s.Get(t.Context(), r.url+"/x")
					refused := errors.Is(err, requests.ErrProxy) || err == nil && resp.StatusCode == 407 && r.name == "http"
					if !refused || strings.Contains(fmt.Sprint(err), "wr0ng") {
						t.Errorf("wrong password: %v, %v", resp, err)
					}
				})
			}
		}
	}
}

// throughDigest sends bodies that have to be sent again, and then many at once.
func throughDigest(t *testing.T, r route, s *requests.Session) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	for range 3 {
		resp, err := s.Put(t.Context(), r.url+"/x", requests.Body(bytes.NewReader(body)))
		if err != nil {
			t.Error(err)
			return
		}
		text, err := resp.Text()
		if diff := cmp.Diff(summary("PUT", body), text); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	}
	crowd(t, r, s)
}

// noProxy takes the proxies from the environment, with a wrong password: a request
// that goes through one is refused, a request that does not arrives.
func (w *world) noProxy(t *testing.T) {
	wrong := user + ":wr0ng@"
	withoutProxies(t)
	squid, socks := "http://"+wrong+local(w.squid), "socks5h://"+wrong+local(w.socks)
	for _, c := range []struct {
		env    map[string]string
		host   string
		direct bool
	}{
		{map[string]string{}, "127.0.0.1", true},
		{map[string]string{"HTTP_PROXY": squid, "HTTPS_PROXY": squid}, "127.0.0.1", false},
		{map[string]string{"http_proxy": squid, "https_proxy": squid}, "localhost", false},
		{map[string]string{"ALL_PROXY": socks}, "localhost", false},
		{map[string]string{"ALL_PROXY": socks, "NO_PROXY": "localhost"}, "localhost", true},
		{map[string]string{"ALL_PROXY": squid, "NO_PROXY": "localhost"}, "127.0.0.1", false},
		{map[string]string{"ALL_PROXY": squid, "NO_PROXY": "127.0.0.1"}, "127.0.0.1", true},
		{map[string]string{"ALL_PROXY": squid, "NO_PROXY": "10.0.0.0/8, 127.0.0.0/8"}, "127.0.0.1", true},
		{map[string]string{"ALL_PROXY": squid, "NO_PROXY": "10.0.0.0/8"}, "127.0.0.1", false},
		{map[string]string{"ALL_PROXY": squid, "no_proxy": "*"}, "localhost", true},
		{map[string]string{"ALL_PROXY": squid, "NO_PROXY": "example.com,.org"}, "localhost", false},
		{map[string]string{"ALL_PROXY": squid, "NO_PROXY": "example.com,LOCALHOST"}, "localhost", true},
	} {
		t.Run(fmt.Sprint(c.host, " ", c.env), func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			for _, target := range []string{fmt.Sprintf("http://%s:%d/", c.host, w.nginx.http), fmt.Sprintf("https://%s:%d/", c.host, w.nginx.tls13)} {
				s := route{}.session(t, w.files)
				s.TrustEnv = true
				s.Policy.NoProxyAsRequests = true // the servers are on loopback, which is never proxied by default
				resp, err := s.Get(t.Context(), target)
				if arrived := err == nil && resp.StatusCode == 200; arrived != c.direct {
					t.Errorf("%s: %v, %v", target, resp, err)
				}
			}
		})
	}
}

// proxiesByHop is redirected from a host that needs no proxy to one that does.
func (w *world) proxiesByHop(t *testing.T) {
	withoutProxies(t)
	t.Setenv("HTTP_PROXY", "http://"+auth+local(w.squid))
	t.Setenv("NO_PROXY", "localhost")
	s := route{}.session(t, w.files)
	s.TrustEnv = true
	s.Policy.NoProxyAsRequests = true // as in noProxy
	second := w.plain + "/x"
	resp, err := s.Get(t.Context(), fmt.Sprintf("http://localhost:%d/to?url=%s", w.nginx.http, url.QueryEscape(second)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := resp.Text()
	got := []any{resp.URL, len(resp.History), resp.History[0].Headers.Has("Via"), resp.Headers.Has("Via"), text, err}
	if diff := cmp.Diff([]any{second, 1, false, true, summary("GET", nil), nil}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// withoutProxies takes everything about proxies out of the environment of a test.
func withoutProxies(t *testing.T) {
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"} {
		for _, name := range []string{name, strings.ToUpper(name)} {
			t.Setenv(name, "") // puts back what was there
			os.Unsetenv(name)
		}
	}
}
