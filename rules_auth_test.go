package requests_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
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
		if _, err := s.Get(t.Context(), a.URL("/"), requests.BasicAuth("u", "p"), requests.Headers{{"cOOkie", "k=v"}}); err != nil {
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
		got := along(t, newTestSession(t), "Authorization", []requests.Option{requests.BasicAuth("u", "p")}, urls...)
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
		{"digest", "", toolbelt.HTTPProxyDigestAuth("pu", "pp")},
		{"guessed", "", toolbelt.GuessProxyAuth("u", "p", "pu", "pp")},
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

// A 407 of the origin, which no proxy stands in front of, gets nothing.
func TestRule06OriginIsNoProxy(t *testing.T) {
	origin := wiretest.Origin(t, wiretest.Text(407, "", [2]string{"Proxy-Authenticate", `Basic realm="r"`}))
	secure := wiretest.Start(t, wiretest.Config{
		Replies: []wiretest.Reply{wiretest.Text(407, "", [2]string{"Proxy-Authenticate", `Basic realm="r"`})},
		TLS:     wiretest.TestCA().Server(),
	})
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(secure)})
	s := newTestSession(t)
	s.Auth = toolbelt.GuessProxyAuth("u", "p", "pu", "pp")
	s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
	s.Proxies = requests.Proxies{"https": "http://" + proxy.Addr()}
	for _, url := range []string{origin.URL("/"), "https://localhost/", "https://example.com/"} {
		r, err := s.Get(t.Context(), url)
		if err != nil || r.StatusCode != 407 {
			t.Fatal(r, err)
		}
	}
	for name, server := range map[string]*wiretest.Server{"origin": origin, "secure": secure, "proxy": proxy} {
		for _, got := range values(server, "Proxy-Authorization") {
			if got != "-" {
				t.Errorf("%s got %q", name, got)
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
	if _, err := s.Get(t.Context(), "http://a.test/", requests.DigestAuth("u", "p")); err != nil {
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

// Rule 14: netrc is for the host of the parsed URL, not for redirect targets, not by
// "default", and not for another user than the URL's.
func TestRule14Netrc(t *testing.T) {
	const file = "machine good.test login ada password s\nmachine b.test login bob password t\ndefault login d password e\n"
	t.Setenv("NETRC", filepath.Join(t.TempDir(), "netrc"))
	if err := os.WriteFile(os.Getenv("NETRC"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	const ada, bob, evil = "Basic YWRhOnM=", "Basic Ym9iOnQ=", "Basic ZXZpbDo="
	for _, tt := range []struct {
		name   string
		policy requests.Policy
		urls   []string
		want   []string
	}{
		{"the host", requests.Policy{}, []string{"http://good.test:8080/"}, []string{ada}},
		{"the host as user", requests.Policy{}, []string{"http://good.test:@b.test/"}, []string{"Basic Z29vZC50ZXN0Og=="}},
		{"another user", requests.Policy{}, []string{"http://evil:@good.test/"}, []string{evil}},
		{"another user without password", requests.Policy{}, []string{"http://evil@good.test/"}, []string{"-"}},
		{"the same user", requests.Policy{}, []string{"http://ada@good.test/"}, []string{ada}},
		{"another user, allowed", requests.Policy{NetrcIgnoresUser: true}, []string{"http://evil:@good.test/"}, []string{ada}},
		{"a redirect", requests.Policy{}, []string{"http://good.test/", "http://b.test/"}, []string{ada, "-"}},
		{"a redirect, allowed", requests.Policy{NetrcOnRedirect: true}, []string{"http://good.test/", "http://b.test/"}, []string{ada, bob}},
		{"default", requests.Policy{}, []string{"http://other.test/"}, []string{"-"}},
		{"default, allowed", requests.Policy{NetrcDefault: true}, []string{"http://other.test/"}, []string{"Basic ZDpl"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSession(t)
			s.TrustEnv, s.Policy = true, tt.policy
			if diff := cmp.Diff(tt.want, along(t, s, "Authorization", nil, tt.urls...)); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
		})
	}
}

// Rule 15: an entry of netrc with nothing in it is no auth, and keeps the default
// away.
func TestRule15EmptyEntryIsNoAuth(t *testing.T) {
	t.Setenv("NETRC", filepath.Join(t.TempDir(), "netrc"))
	const file = "machine h.test login \"\" password \"\"\ndefault login d password e\n"
	if err := os.WriteFile(os.Getenv("NETRC"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newTestSession(t)
	s.TrustEnv, s.Policy = true, requests.PolicyRequests()
	if diff := cmp.Diff([]string{"-"}, along(t, s, "Authorization", nil, "http://h.test/")); diff != "" {
		t.Errorf("Authorization (-want +got):\n%s", diff)
	}
}

// The first netrc file that exists is the one, whatever is in it.
func TestNetrcSearch(t *testing.T) {
	const good = "machine h.test login u password p\n"
	for _, tt := range []struct {
		name, env, first, second string
		want                     string
	}{
		{"the first", "", good, "", "Basic dTpw"},
		{"the second", "", "", good, "Basic dTpw"},
		{"a broken first, read as Requests does", "", "nonsense\n", good, "-"},
		{"named and absent", "~/none", good, "", "-"},
		{"named and empty", "=", good, "", "-"},
		{"named under home", "~/_netrc", "nonsense\n", good, "Basic dTpw"},
		{"none", "", "", "", "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("NETRC", strings.TrimPrefix(tt.env, "="))
			if tt.env == "" {
				os.Unsetenv("NETRC")
			}
			for name, text := range map[string]string{".netrc": tt.first, "_netrc": tt.second} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			s := newTestSession(t)
			s.TrustEnv, s.Policy.NetrcAsRequests = true, true
			for range 2 {
				if diff := cmp.Diff([]string{tt.want}, along(t, s, "Authorization", nil, "http://h.test/")); diff != "" {
					t.Errorf("Authorization (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// A file that changes is read again; one that is not UTF-8 is an error.
func TestNetrcChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netrc")
	t.Setenv("NETRC", path)
	s := newTestSession(t)
	s.TrustEnv = true
	for _, user := range []string{"a", "bb"} {
		if err := os.WriteFile(path, fmt.Appendf(nil, "machine h.test login %s password p\n", user), 0o600); err != nil {
			t.Fatal(err)
		}
		got := &requests.PreparedRequest{}
		if err := requests.BasicAuth(user, "p").Authenticate(got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{got.Headers.Get("Authorization")}, along(t, s, "Authorization", nil, "http://h.test/")); diff != "" {
			t.Errorf("Authorization (-want +got):\n%s", diff)
		}
	}
	if err := os.WriteFile(path, []byte("machine h.test login \xff password p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "http://h.test/"); !errors.Is(err, requests.ErrFile) {
		t.Errorf("a file that is not UTF-8: %v", err)
	}
}
