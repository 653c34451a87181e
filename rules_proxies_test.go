package requests_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// proxiedWorld is a world behind two proxies: one for http, one for https.
type proxiedWorld struct {
	*world
	forHTTP, forHTTPS *wiretest.Server
}

func newProxiedWorld(t *testing.T) *proxiedWorld {
	w := &proxiedWorld{world: newWorld(t)}
	w.forHTTP = wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply { return w.reply("http", r) }})
	w.forHTTPS = wiretest.Start(t, wiretest.Config{Route: wiretest.To(w.secure)})
	return w
}

// proxyHeaders lists what each proxy and the origins behind them got.
func (w *proxiedWorld) proxyHeaders() map[string][]string {
	distinct := func(values []string) []string { return slices.Compact(values) }
	return map[string][]string{
		"http": distinct(values(w.forHTTP, "Proxy-Authorization")), "https": distinct(values(w.forHTTPS, "Proxy-Authorization")),
		"plain": distinct(values(w.plain, "Proxy-Authorization")), "secure": distinct(values(w.secure, "Proxy-Authorization")),
	}
}

// TestRule06Ways: what one proxy is told is not told the next one, nor an origin, however
// redirects are followed and wherever the credentials came from.
func TestRule06Ways(t *testing.T) {
	const ours = "Basic dTpw"
	for _, name := range []string{"Proxy-Authorization", "proxy-authorization", "PROXY-AUTHORIZATION"} {
		for way, walk := range walkers {
			w := newProxiedWorld(t)
			s := w.session(t)
			s.Proxies = requests.Proxies{"http": w.forHTTP.URL(""), "https": w.forHTTPS.URL("")}
			s.Policy.KeepCrossOriginHeaders = name == "Proxy-Authorization" // holds for what is meant for origins
			if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", "https://example.com/", "https://other.test/"), requests.Headers{{name, ours}}); err != nil {
				t.Fatal(way, err)
			}
			want := map[string][]string{"http": {ours}, "https": {"-"}, "plain": nil, "secure": {"-"}}
			if diff := cmp.Diff(want, w.proxyHeaders()); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", way, name, diff)
			}
		}
	}
}

// TestRule05Ways: credentials in the URLs of proxies reach each its own, and no origin;
// a hop around the proxies has none.
func TestRule05Ways(t *testing.T) {
	for way, walk := range walkers {
		w := newProxiedWorld(t)
		s := w.session(t)
		s.Proxies = requests.Proxies{"http": "http://u:p@" + w.forHTTP.Addr(), "https": "http://v:p@" + w.forHTTPS.Addr(), "https://other.test": ""}
		if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", "https://example.com/", "https://other.test/"), nil); err != nil {
			t.Fatal(way, err)
		}
		want := map[string][]string{"http": {"Basic dTpw"}, "https": {"Basic djpw"}, "plain": nil, "secure": {"-"}}
		if diff := cmp.Diff(want, w.proxyHeaders()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", way, diff)
		}
	}
}

// TestRule05HTTP2: over HTTP/2 through a tunnel, too, only the proxy gets the header.
func TestRule05HTTP2(t *testing.T) {
	origin := h2Server(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "proxy-authorization: %q", r.Header["Proxy-Authorization"])
	})
	proxy := wiretest.Start(t, wiretest.Config{Route: func(string) string { return origin.Listener.Addr().String() }})
	s := newSession(t)
	s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
	s.Verify = requests.Verify(false)
	r, err := s.Get(t.Context(), "https://example.com/", requests.Proxies{"https": proxy.URL("")}, requests.Headers{{"proxy-authorization", "Basic dTpw"}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := r.Text()
	got := []string{r.Proto, text, values(proxy, "Proxy-Authorization")[0]}
	if diff := cmp.Diff([]string{"HTTP/2.0", "proxy-authorization: []", "Basic dTpw"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRule06Cleared: credentials that are taken away are not used any more.
func TestRule06Cleared(t *testing.T) {
	w := newProxiedWorld(t)
	s := w.session(t)
	for _, user := range []string{"u:p@", ""} {
		s.Proxies = requests.Proxies{"http": "http://" + user + w.forHTTP.Addr(), "https": "http://" + user + w.forHTTPS.Addr()}
		for _, url := range []string{"http://example.com/", "https://example.com/"} {
			if _, err := s.Get(t.Context(), url); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[string][]string{"http": {"Basic dTpw", "-"}, "https": {"Basic dTpw", "-"}, "plain": nil, "secure": {"-"}}
	if diff := cmp.Diff(want, w.proxyHeaders()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRule16ProxyCredentials: connections to a proxy are not shared between identities,
// be requests forwarded or tunnelled.
func TestRule16ProxyCredentials(t *testing.T) {
	w := newProxiedWorld(t)
	s := w.session(t)
	for _, user := range []string{"", "u:p@", "u:q@", "v:p@", "u:p@"} {
		s.Proxies = requests.Proxies{"http": "http://" + user + w.forHTTP.Addr(), "https": "http://" + user + w.forHTTPS.Addr()}
		for _, url := range []string{"http://example.com/", "https://example.com/"} {
			if _, err := s.Get(t.Context(), url); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, proxy := range map[string]*wiretest.Server{"forwarded": w.forHTTP, "tunnelled": w.forHTTPS} {
		if got := proxy.Accepted(); got != 4 {
			t.Errorf("%s: %d connections for 4 identities", name, got)
		}
	}
}

// TestRule06SOCKS: a SOCKS proxy's user and password are its own, in the key of the pool too.
func TestRule06SOCKS(t *testing.T) {
	w := newWorld(t)
	first := wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.To(w.plain)})
	second := wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.To(w.secure)})
	for way, walk := range walkers {
		s := w.session(t)
		s.Proxies = requests.Proxies{"http": "socks5h://u:p@" + first.Addr(), "https": "socks5h://" + second.Addr()}
		if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", "https://example.com/"), nil); err != nil {
			t.Fatal(way, err)
		}
		s.Close()
	}
	got := [][]string{slices.Compact(logins(first)), slices.Compact(logins(second))}
	if diff := cmp.Diff([][]string{{"u:p"}, {""}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func logins(s *wiretest.Server) (all []string) {
	for _, r := range s.Requests() {
		all = append(all, r.Body)
	}
	return all
}

// TestRule47RedirectToNoProxy: a redirect to a host the environment keeps from proxies
// goes there directly.
func TestRule47RedirectToNoProxy(t *testing.T) {
	for way, walk := range walkers {
		w := newProxiedWorld(t)
		t.Setenv("http_proxy", "http://u:p@"+w.forHTTP.Addr())
		t.Setenv("no_proxy", "other.test")
		s := w.session(t)
		s.TrustEnv = true
		if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", "http://other.test/away"), nil); err != nil {
			t.Fatal(way, err)
		}
		if n := len(w.plain.Requests()); n == 0 {
			t.Errorf("%s: the proxy was used for a host of no_proxy", way)
		}
	}
}

// TestRule06Digest: a digest nonce of one proxy is not spent at another.
func TestRule06Digest(t *testing.T) {
	asks := func(nonce string) func(*wiretest.Request) wiretest.Reply {
		return func(r *wiretest.Request) wiretest.Reply {
			if r.Get("Proxy-Authorization") == "" {
				return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", `Digest realm="r", qop="auth", nonce="` + nonce + `"`})
			}
			return ok
		}
	}
	a, b := wiretest.Start(t, wiretest.Config{Handler: asks("aa")}), wiretest.Start(t, wiretest.Config{Handler: asks("bb")})
	s := newSession(t)
	auth := toolbelt.HTTPProxyDigestAuth("u", "p")
	for _, proxy := range []*wiretest.Server{a, b, a, b} {
		r, err := s.Get(context.Background(), "http://example.com/", requests.Authenticate(auth), requests.Proxies{"http": proxy.URL("")})
		if err != nil || !r.OK() {
			t.Fatal(r, err)
		}
	}
	for name, proxy := range map[string]*wiretest.Server{"bb": a, "aa": b} {
		for _, sent := range values(proxy, "Proxy-Authorization") {
			if strings.Contains(sent, `nonce="`+name+`"`) {
				t.Errorf("a proxy got the other's nonce: %s", sent)
			}
		}
	}
}
