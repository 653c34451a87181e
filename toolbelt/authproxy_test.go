package toolbelt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// A proxy that asks for credentials before it passes requests on, in front of an
// origin that asks as well.
func TestGuessProxyAuth(t *testing.T) {
	for _, challenge := range []string{basicChallenge, digestChallenge} {
		both := func(r *wiretest.Request) wiretest.Reply {
			if r.Get("Proxy-Authorization") == "" {
				return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", challenge})
			}
			return refuses(401, "WWW-Authenticate", "Authorization", challenge)(r)
		}
		proxy := wiretest.Start(t, wiretest.Config{Handler: both})
		s := newSession(t)
		s.Auth = toolbelt.GuessProxyAuth("u", "p", "pu", "pp")
		s.Proxies = requests.Proxies{"http": "http://" + proxy.Addr()}
		for range 2 {
			if r, err := s.Get(t.Context(), "http://far.test/"); err != nil || !r.OK() {
				t.Fatal(r, err)
			}
		}
		scheme, _, _ := strings.Cut(challenge, " ")
		want := []string{"GET ", "GET " + scheme, "GET " + scheme, "GET " + scheme}
		if diff := cmp.Diff(want, schemes(proxy, "Proxy-Authorization")); diff != "" {
			t.Errorf("Proxy-Authorization (-want +got):\n%s", diff)
		}
		want = []string{"GET ", "GET ", "GET " + scheme, "GET " + scheme}
		if diff := cmp.Diff(want, schemes(proxy, "Authorization")); diff != "" {
			t.Errorf("Authorization (-want +got):\n%s", diff)
		}
		counts := map[string]bool{}
		for _, r := range proxy.Requests() {
			if value := r.Get("Proxy-Authorization"); strings.HasPrefix(value, "Digest") && counts[value] {
				t.Errorf("sent twice: %s", value)
			} else {
				counts[value] = true
			}
		}
	}
}

// CONNECT is answered on a new connection, the tunnel is used again, and the origin
// sees nothing of it.
func TestProxyCredentialsForTunnels(t *testing.T) {
	for name, auth := range map[string]requests.Auth{
		"Digest": toolbelt.HTTPProxyDigestAuth("pu", "pp"),
		"Basic":  toolbelt.GuessProxyAuth("u", "p", "pu", "pp"),
	} {
		t.Run(name, func(t *testing.T) {
			challenge := digestChallenge
			if name == "Basic" {
				challenge = basicChallenge
			}
			origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server(), Replies: []wiretest.Reply{wiretest.Text(200, "ok")}})
			proxy := wiretest.Start(t, wiretest.Config{
				Handler: refuses(407, "Proxy-Authenticate", "Proxy-Authorization", challenge), Route: wiretest.To(origin),
			})
			s := newSession(t)
			s.Auth = auth
			s.Proxies = requests.Proxies{"https": "http://" + proxy.Addr()}
			for _, url := range []string{"https://localhost/1", "https://localhost/2", "https://example.com/"} {
				if r, err := s.Get(t.Context(), url); err != nil || !r.OK() {
					t.Fatal(r, err)
				}
			}
			want := []string{"CONNECT ", "CONNECT " + name, "CONNECT " + name}
			if diff := cmp.Diff(want, schemes(proxy, "Proxy-Authorization")); diff != "" {
				t.Errorf("the proxy (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"GET ", "GET ", "GET "}, schemes(origin, "Proxy-Authorization")); diff != "" {
				t.Errorf("the origin (-want +got):\n%s", diff)
			}
			if uri := proxy.Requests()[1].Get("Proxy-Authorization"); name == "Digest" && !strings.Contains(uri, `uri="localhost:443"`) {
				t.Errorf("the digest is for another target: %s", uri)
			}
		})
	}
}

// A proxy that takes no credentials ends the request at once with ErrProxy, over http
// as over https and for each call alike, and its response can be looked at.
func TestProxyDigestRefused(t *testing.T) {
	const stale = digestChallenge + ", stale=false"
	digest := func() requests.Auth { return toolbelt.HTTPProxyDigestAuth("pu", "secret") }
	guess := func() requests.Auth { return toolbelt.GuessProxyAuth("u", "p", "pu", "secret") }
	for _, url := range []string{"https://localhost/", "http://localhost/"} {
		for _, tt := range []struct {
			name   string
			auth   func() requests.Auth
			fields [][2]string
			want   []int // requests of two calls
			plain  bool  // no error over http
		}{
			{"again and again", digest, [][2]string{{"Proxy-Authenticate", digestChallenge}}, []int{2, 4}, false},
			{"not stale", digest, [][2]string{{"Proxy-Authenticate", stale}}, []int{2, 3}, false},
			{"without a challenge", digest, nil, []int{1, 2}, false},
			{"another scheme", digest, [][2]string{{"Proxy-Authenticate", "NTLM"}}, []int{1, 2}, true},
			{"guessed digest", guess, [][2]string{{"Proxy-Authenticate", digestChallenge}}, []int{2, 4}, false},
			{"guessed basic", guess, [][2]string{{"Proxy-Authenticate", basicChallenge}}, []int{2, 3}, false},
		} {
			t.Run(url+tt.name, func(t *testing.T) {
				proxy := wiretest.Origin(t, wiretest.Text(407, "why", tt.fields...))
				s := newSession(t)
				s.Auth = tt.auth()
				s.Proxies = requests.Proxies{"all": "http://" + proxy.Addr()}
				for call := range tt.want {
					r, err := s.Get(t.Context(), url)
					if got := len(proxy.Requests()); got != tt.want[call] {
						t.Errorf("%d requests after call %d, want %d", got, call+1, tt.want[call])
					}
					if plain := tt.plain && strings.HasPrefix(url, "http:"); errors.Is(err, requests.ErrProxy) == plain {
						t.Errorf("call %d: error %v", call+1, err)
					}
					if e, ok := errors.AsType[*requests.Error](err); ok {
						r = e.Response
					}
					if text, err := r.Text(); err != nil || r.StatusCode != 407 || text != "why" {
						t.Errorf("response %v with %q, %v, want the proxy's", r, text, err)
					}
					if strings.Contains(fmt.Sprint(err), "secret") {
						t.Errorf("the error tells the password: %v", err)
					}
				}
			})
		}
	}
}

// A proxy whose nonces run out: known credentials are refused once as stale, and made
// anew.
func TestProxyDigestStale(t *testing.T) {
	nonce := "1"
	proxy := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		if strings.Contains(r.Get("Proxy-Authorization"), `nonce="`+nonce+`"`) {
			return wiretest.Text(200, "ok")
		}
		stale := r.Get("Proxy-Authorization") != ""
		return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", fmt.Sprintf(`Digest realm="r", nonce="%s", qop="auth", stale=%t`, nonce, stale)})
	}})
	s := newSession(t)
	s.Auth = toolbelt.HTTPProxyDigestAuth("pu", "pp")
	s.Proxies = requests.Proxies{"http": "http://" + proxy.Addr()}
	for _, nonce = range []string{"1", "2", "3", "3"} {
		if r, err := s.Get(t.Context(), "http://far.test/"); err != nil || !r.OK() {
			t.Fatal(r, err)
		}
	}
	if got := len(proxy.Requests()); got != 7 {
		t.Errorf("%d requests, want 7", got)
	}
}

// A proxy that finds even a fresh nonce stale is answered again, a few times: for
// tunnels and for requests that it passes on.
func TestProxyDigestStaleAgain(t *testing.T) {
	for _, url := range []string{"https://localhost/", "http://localhost/"} {
		for _, tt := range []struct {
			refusals, want int
			ok             bool
		}{{1, 2, true}, {2, 3, true}, {4, 5, true}, {99, 5, false}} {
			origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
			var sent atomic.Int32
			proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(origin), Handler: func(r *wiretest.Request) wiretest.Reply {
				n := int(sent.Add(1))
				if n > tt.refusals {
					return wiretest.Text(200, "")
				}
				value := fmt.Sprintf(`Digest realm="r", nonce="%d", qop="auth", stale=%t`, n, n > 1)
				return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", value})
			}})
			s := newSession(t)
			s.Proxies = requests.Proxies{"all": "http://" + proxy.Addr()}
			r, err := s.Get(t.Context(), url, requests.Authenticate(toolbelt.HTTPProxyDigestAuth("pu", "pp")))
			if ok := err == nil && r.OK(); ok != tt.ok || int(sent.Load()) != tt.want {
				t.Errorf("%s, %d refusals: %v, %v after %d requests, want %d", url, tt.refusals, r, err, sent.Load(), tt.want)
			}
		}
	}
}

// A proxy that has refused a password is not offered it again: neither by a download nor by
// an adapter that retries.
func TestProxyRefusesAtOnce(t *testing.T) {
	for _, url := range []string{"https://localhost/", "http://localhost/"} {
		for way, get := range map[string]func(*requests.Session) error{
			"Download": func(s *requests.Session) error {
				_, err := toolbelt.Download(t.Context(), s, url, filepath.Join(t.TempDir(), "f"))
				return err
			},
			"MaxRetries": func(s *requests.Session) error {
				s.Mount(url, requests.NewHTTPAdapter(requests.MaxRetries(3)))
				_, err := s.Get(t.Context(), url)
				return err
			},
		} {
			proxy := wiretest.Origin(t, wiretest.Text(407, "why", [2]string{"Proxy-Authenticate", digestChallenge}))
			s := newSession(t)
			s.Auth = toolbelt.HTTPProxyDigestAuth("pu", "secret")
			s.Proxies = requests.Proxies{"all": "http://" + proxy.Addr()}
			if err := get(s); !errors.Is(err, requests.ErrProxy) {
				t.Errorf("%s, %s: %v", way, url, err)
			}
			if got := len(proxy.Requests()); got != 2 {
				t.Errorf("%s, %s: asked %d times", way, url, got)
			}
		}
	}
}
