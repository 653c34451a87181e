package requests_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// redirect is a reply that leads to another place.
func redirect(to string) wiretest.Reply { return wiretest.Text(302, "", [2]string{"Location", to}) }

// ok is a reply without anything about it.
var ok = wiretest.Text(200, "ok")

func newTestSession(t *testing.T) *requests.Session {
	s := requests.NewSession()
	s.TrustEnv = false
	t.Cleanup(func() { s.Close() })
	return s
}

// values lists a field of each request a server got, "-" where there was none.
func values(server *wiretest.Server, name string) []string {
	var got []string
	for _, r := range server.Requests() {
		got = append(got, or(r.Get(name), "-"))
	}
	return got
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// hops is an adapter for invented hosts: it redirects from each URL to the next
// and notes what came where.
type hops struct {
	urls  []string
	lines []string // "url field", in order
	field string
}

func (h *hops) Send(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
	h.lines = append(h.lines, or(p.Headers.Get(h.field), "-"))
	if n := len(h.lines); n < len(h.urls) {
		return requests.NewResponse(p, 302, requests.Headers{{"Location", h.urls[n]}}, nil), nil
	}
	return requests.NewResponse(p, 200, nil, nil), nil
}

func (h *hops) Close() error { return nil }

// along sends a request along invented hosts, and returns the field at each.
func along(t *testing.T, s *requests.Session, field string, options []requests.Option, urls ...string) []string {
	t.Helper()
	h := &hops{urls: urls, field: field}
	s.Mount("http://", h)
	s.Mount("https://", h)
	if _, err := s.Get(t.Context(), urls[0], options...); err != nil {
		t.Fatal(err)
	}
	return h.lines
}

// Rule 1: Authorization leaves where scheme, host or port change.
func TestRule01AuthorizationIsBoundToTheOrigin(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
		keeps          bool
	}{
		{"same origin", "http://a.test/", "http://a.test/x", true},
		{"the default port named", "http://a.test/", "http://a.test:80/x", true},
		{"letter case", "http://a.test/", "HTTP://A.test/x", true},
		{"to https on the default ports", "http://a.test/", "https://a.test/x", true},
		{"to https on another port", "http://a.test/", "https://a.test:8443/x", false},
		{"from https to http", "https://a.test/", "http://a.test/x", false},
		{"another port", "http://a.test/", "http://a.test:8080/x", false},
		{"another host", "http://a.test/", "http://b.test/x", false},
		{"user info", "http://a.test/", "http://a.test@b.test/x", false},
		{"a trailing dot", "http://a.test/", "http://a.test./x", false},
	} {
		for _, name := range []string{"Authorization", "authorization", "AUTHORIZATION"} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				s := newTestSession(t)
				s.Policy.AllowDowngrade = true
				got := along(t, s, "Authorization", []requests.Option{requests.Headers{{name, "secret"}}}, tt.from, tt.to)
				want := []string{"secret", "-"}
				if tt.keeps {
					want[1] = "secret"
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("Authorization along %s, %s (-want +got):\n%s", tt.from, tt.to, diff)
				}
			})
		}
	}
}

// The same over sockets: another port, and another name for the same address.
func TestRule01OverSockets(t *testing.T) {
	b := wiretest.Origin(t, ok)
	for _, to := range []string{b.URL("/"), "http://" + b.Host("localhost") + "/"} {
		a := wiretest.Origin(t, redirect(to))
		s := newTestSession(t)
		if _, err := s.Get(t.Context(), a.URL("/"), requests.Authenticate(requests.BasicAuth("u", "p")), requests.Headers{{"cOOkie", "k=v"}}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Basic dTpw"}, values(a, "Authorization")); diff != "" {
			t.Errorf("a (-want +got):\n%s", diff)
		}
	}
	got := append(values(b, "Authorization"), values(b, "Cookie")...)
	if diff := cmp.Diff([]string{"-", "-", "-", "-"}, got); diff != "" {
		t.Errorf("b (-want +got):\n%s", diff)
	}
}

// Rule 2: a subdomain is another origin, and so is the parent.
func TestRule02SubdomainIsAnotherOrigin(t *testing.T) {
	for _, urls := range [][]string{{"http://a.test/", "http://sub.a.test/"}, {"http://sub.a.test/", "http://a.test/"}} {
		got := along(t, newTestSession(t), "Authorization", []requests.Option{requests.Authenticate(requests.BasicAuth("u", "p"))}, urls...)
		if diff := cmp.Diff([]string{"Basic dTpw", "-"}, got); diff != "" {
			t.Errorf("Authorization along %v (-want +got):\n%s", urls, diff)
		}
	}
}

// Rule 3: what was dropped does not come back.
func TestRule03DroppedHeadersStayAway(t *testing.T) {
	for _, urls := range [][]string{
		{"http://a.test/", "http://b.test/", "http://b.test/2"},
		{"http://a.test/", "http://b.test/", "http://a.test/2"},
	} {
		for _, name := range []string{"Authorization", "Cookie", "X-Api-Key"} {
			got := along(t, newTestSession(t), name, []requests.Option{requests.Headers{{name, "secret"}}}, urls...)
			if diff := cmp.Diff([]string{"secret", "-", "-"}, got); diff != "" {
				t.Errorf("%s along %v (-want +got):\n%s", name, urls, diff)
			}
		}
	}
}

// Rule 5: Proxy-Authorization is written to the proxy, in CONNECT or a request in
// absolute form, and to nobody else.
func TestRule05ProxyAuthorizationStaysWithTheProxy(t *testing.T) {
	origin := wiretest.Origin(t, ok)
	secure := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{ok}, TLS: wiretest.TestCA().Server()})
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(secure), Handler: func(r *wiretest.Request) wiretest.Reply {
		if r.Method == "CONNECT" {
			return wiretest.Send("HTTP/1.1 200 Connection established\r\n\r\n")
		}
		return redirect(origin.URL("/bypass"))
	}})
	s := newTestSession(t)
	through := requests.Proxies{"all": "http://pu:pp@" + proxy.Addr(), "http://127.0.0.1": ""}
	verify := requests.CABundlePEM(wiretest.TestCA().PEM())
	own := requests.Headers{{"Proxy-Authorization", "Basic b3du"}}

	for _, call := range []struct {
		url     string
		options []requests.Option
	}{
		{origin.URL("/direct"), []requests.Option{own}},
		{"https://localhost/", []requests.Option{through, verify}},
		{"https://localhost/own", []requests.Option{requests.Proxies{"https": "http://" + proxy.Addr()}, verify, own}},
		{"http://far.test/", []requests.Option{through}}, // redirected past the proxy
	} {
		if _, err := s.Get(t.Context(), call.url, call.options...); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string][]string{
		"origin": values(origin, "Proxy-Authorization"),
		"secure": values(secure, "Proxy-Authorization"),
		"proxy":  values(proxy, "Proxy-Authorization"),
	}
	want := map[string][]string{
		"origin": {"-", "-"},
		"secure": {"-", "-"},
		"proxy":  {"Basic cHU6cHA=", "Basic b3du", "Basic cHU6cHA="},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Proxy-Authorization (-want +got):\n%s", diff)
	}
}

// Rule 6: the credentials of one proxy never reach another, however they got to
// the first: by its URL, by the header, or by its challenge.
func TestRule06ProxyCredentialsStayWithTheirProxy(t *testing.T) {
	const challenge = `Digest realm="r", nonce="n", qop="auth"`
	asks := func(r *wiretest.Request) wiretest.Reply {
		if r.Get("Proxy-Authorization") == "" {
			return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", challenge})
		}
		return redirect("http://b.test/")
	}
	for _, tt := range []struct {
		name, user string
		option     requests.Option
	}{
		{"in the URL", "pu:pp@", nil},
		{"as header", "", requests.Headers{{"Proxy-Authorization", "Basic b3du"}}},
		{"digest", "", requests.Authenticate(toolbelt.HTTPProxyDigestAuth("pu", "pp"))},
		{"guessed", "", requests.Authenticate(toolbelt.GuessProxyAuth("u", "p", "pu", "pp"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, second := wiretest.Start(t, wiretest.Config{Handler: asks}), wiretest.Origin(t, ok)
			s := newTestSession(t)
			proxies := requests.Proxies{"http://a.test": "http://" + tt.user + first.Addr(), "http://b.test": "http://" + second.Addr()}
			for range 2 {
				if _, err := s.Get(t.Context(), "http://a.test/", proxies, tt.option); err != nil {
					t.Fatal(err)
				}
			}
			if sent := values(first, "Proxy-Authorization"); sent[len(sent)-1] == "-" {
				t.Errorf("the first proxy got %q", sent)
			}
			if diff := cmp.Diff([]string{"-", "-"}, values(second, "Proxy-Authorization")); diff != "" {
				t.Errorf("the second proxy (-want +got):\n%s", diff)
			}
		})
	}
}

// A 407 of the origin, which no proxy stands in front of, gets nothing, nor is it asked again:
// neither directly, nor through a tunnel, be it to http or https.
func TestRule06OriginIsNoProxy(t *testing.T) {
	for _, challenge := range []string{`Basic realm="r"`, digestChallenge} {
		for name, auth := range map[string]requests.Auth{"guess": toolbelt.GuessProxyAuth("u", "p", "pu", "pp"), "digest": toolbelt.HTTPProxyDigestAuth("pu", "pp")} {
			asks := []wiretest.Reply{wiretest.Text(407, "", [2]string{"Proxy-Authenticate", challenge})}
			origin := wiretest.Start(t, wiretest.Config{Replies: asks})
			secure := wiretest.Start(t, wiretest.Config{Replies: asks, TLS: wiretest.TestCA().Server()})
			toSecure, toOrigin := wiretest.Start(t, wiretest.Config{Route: wiretest.To(secure)}), wiretest.Start(t, wiretest.Config{Route: wiretest.To(origin)})
			s := newTestSession(t)
			s.Auth = auth
			s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
			s.Mount("http://tunnel.test", requests.NewHTTPAdapter(adapters.ProxyTunnel()))
			s.Proxies = requests.Proxies{"https": toSecure.URL(""), "http://tunnel.test": toOrigin.URL("")}
			for _, url := range []string{origin.URL("/"), "http://tunnel.test/", "https://localhost/", "https://example.com/"} {
				r, err := s.Get(t.Context(), url)
				if err != nil || r.StatusCode != 407 || len(r.History) > 0 {
					t.Errorf("%s, %s: %v, %v", name, url, r, err)
				}
			}
			got := [][]string{values(origin, "Proxy-Authorization"), values(secure, "Proxy-Authorization")}
			if diff := cmp.Diff([][]string{{"-", "-"}, {"-", "-"}}, got); diff != "" {
				t.Errorf("%s, %s: plain and secure got (-want +got)\n%s", name, challenge, diff)
			}
		}
	}
}

const digestChallenge = `Digest realm="r", nonce="n", qop="auth"`

// challenging answers 401 until it gets credentials.
func challenging(challenge string) func(*wiretest.Request) wiretest.Reply {
	return func(r *wiretest.Request) wiretest.Reply {
		if r.Get("Authorization") == "" {
			return wiretest.Text(401, "", [2]string{"WWW-Authenticate", challenge})
		}
		return ok
	}
}

// Rule 7: the challenge of an origin that a redirect led to is not answered.
func TestRule07CrossOriginChallengeIsNotAnswered(t *testing.T) {
	for _, challenge := range []string{digestChallenge, `Basic realm="r"`} {
		for name, auth := range map[string]requests.Auth{
			"digest": requests.DigestAuth("u", "p"), "guess": toolbelt.GuessAuth("u", "p"), "guess proxy": toolbelt.GuessProxyAuth("u", "p", "", ""),
		} {
			t.Run(name, func(t *testing.T) {
				b := wiretest.Start(t, wiretest.Config{Handler: challenging(challenge)})
				a := wiretest.Origin(t, redirect(b.URL("/")))
				s := newTestSession(t)
				r, err := s.Get(t.Context(), a.URL("/"), requests.Authenticate(auth))
				if err != nil || r.StatusCode != 401 {
					t.Fatal(r, err)
				}
				if diff := cmp.Diff([]string{"-"}, values(b, "Authorization")); diff != "" {
					t.Errorf("b (-want +got):\n%s", diff)
				}
				s.Policy = requests.PolicyRequests()
				r, err = s.Get(t.Context(), a.URL("/"), requests.Authenticate(auth))
				answered := name != "digest" || strings.HasPrefix(challenge, "Digest")
				if err != nil || r.OK() != answered {
					t.Errorf("with PolicyRequests: %v, %v", r, err)
				}
			})
		}
	}
}

// TestRule07RewrittenURL: a wrapper that sends the hop of a redirect to another origin than it
// was for has no challenge of that origin answered.
func TestRule07RewrittenURL(t *testing.T) {
	b := wiretest.Start(t, wiretest.Config{Handler: challenging(digestChallenge)})
	a := wiretest.Origin(t, redirect("/2"))
	s := newTestSession(t)
	elsewhere := adapters.BeforeSend(func(_ context.Context, p *requests.PreparedRequest) (*requests.Response, error) {
		if strings.HasSuffix(p.URL, "/2") {
			p.URL = b.URL("/")
		}
		return nil, nil
	})
	s.Mount("http://", elsewhere(requests.NewHTTPAdapter()))
	r, err := s.Get(t.Context(), a.URL("/"), requests.Authenticate(requests.DigestAuth("u", "p")))
	if err != nil || r.StatusCode != 401 {
		t.Fatal(r, err)
	}
	if diff := cmp.Diff([]string{"-"}, values(b, "Authorization")); diff != "" {
		t.Errorf("b (-want +got):\n%s", diff)
	}
}

// A challenge is remembered for the origin it came from, and for no other; b gets
// one of its own.
func TestRule07ChallengesAreKeptByOrigin(t *testing.T) {
	a := wiretest.Start(t, wiretest.Config{Handler: challenging(digestChallenge)})
	b := wiretest.Start(t, wiretest.Config{Handler: challenging(strings.Replace(digestChallenge, `"n"`, `"m"`, 1))})
	for _, auth := range []requests.Auth{requests.DigestAuth("u", "p"), toolbelt.GuessAuth("u", "p")} {
		s := newTestSession(t)
		s.Auth = auth
		for _, url := range []string{a.URL("/"), b.URL("/"), a.URL("/")} {
			if r, err := s.Get(t.Context(), url); err != nil || !r.OK() {
				t.Fatal(r, err)
			}
		}
	}
	for _, got := range values(b, "Authorization") {
		if strings.Contains(got, `nonce="n"`) {
			t.Errorf("b got credentials for a: %s", got)
		}
	}
	nonce := func(server *wiretest.Server) (seen []bool) {
		for _, got := range values(server, "Authorization") {
			seen = append(seen, got != "-")
		}
		return seen
	}
	want := [][]bool{{false, true, true, false, true, true}, {false, true, false, true}}
	if diff := cmp.Diff(want, [][]bool{nonce(a), nonce(b)}); diff != "" {
		t.Errorf("credentials at a and b (-want +got):\n%s", diff)
	}
}

// A redirect from http to https of the same host leaves the challenge the caller's.
func TestRule07UpgradeIsAnswered(t *testing.T) {
	s := newTestSession(t)
	s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 301, requests.Headers{{"Location", "https://a.test/"}}, nil), nil
	}))
	var got []string
	s.Mount("https://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		got = append(got, or(p.Headers.Get("Authorization"), "-"))
		return requests.NewResponse(p, 401, requests.Headers{{"WWW-Authenticate", digestChallenge}}, nil), nil
	}))
	if _, err := s.Get(t.Context(), "http://a.test/", requests.Authenticate(requests.DigestAuth("u", "p"))); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || !strings.HasPrefix(got[1], "Digest ") {
		t.Errorf("Authorization over https: %q", got)
	}
}

// Rule 8: a Cookie header of the caller's goes to the origin it was given for.
func TestRule08CookieHeaderIsBoundToTheOrigin(t *testing.T) {
	for _, name := range []string{"Cookie", "cookie", "COOKIE"} {
		for _, to := range []string{"http://b.test/", "https://a.test/", "http://a.test:8080/", "http://sub.a.test/"} {
			got := along(t, newTestSession(t), "Cookie", []requests.Option{requests.Headers{{name, "k=v"}}}, "http://a.test/", to)
			if diff := cmp.Diff([]string{"k=v", "-"}, got); diff != "" {
				t.Errorf("%s to %s (-want +got):\n%s", name, to, diff)
			}
		}
	}
}

// Rule 12: no Referer is made, and one of the caller's stays at the origin.
func TestRule12NoReferer(t *testing.T) {
	s := newTestSession(t)
	got := along(t, s, "Referer", nil, "http://u:p@a.test/?secret=1", "http://a.test/2", "http://b.test/")
	if diff := cmp.Diff([]string{"-", "-", "-"}, got); diff != "" {
		t.Errorf("Referer (-want +got):\n%s", diff)
	}
	own := requests.Headers{{"Referer", "http://a.test/?secret=1"}}
	got = along(t, s, "Referer", []requests.Option{own}, "http://a.test/", "http://b.test/")
	if diff := cmp.Diff([]string{"http://a.test/?secret=1", "-"}, got); diff != "" {
		t.Errorf("the caller's Referer (-want +got):\n%s", diff)
	}
}
