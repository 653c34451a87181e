package requests_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

// TestRule08Lanes: a cookie that the program has put into the session's jar, without a
// domain, is for the origin that was asked, and not for one that a redirect leads to.
func TestRule08Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		for _, policy := range []requests.Policy{{}, {NetscapeCookies: true}} {
			s := l.session(t)
			s.Policy = policy
			if err := s.Cookies.Set(requests.Cookie{Name: "sid", Value: "1"}); err != nil {
				t.Fatal(err)
			}
			away := "-"
			if policy.NetscapeCookies {
				away = "sid=1"
			}
			port := ":8080"
			if l.scheme == "https" {
				port = ":8443"
			}
			for _, stranger := range []string{"other.test", "sub.example.com", "example.com" + port} {
				if _, err := l.send(t.Context(), s, "GET", l.redirected(307, "example.com", stranger, "example.com"), nil, nil); err != nil {
					t.Fatal(err)
				}
				l.want(t, "Cookie", l.site.took(), "sid=1", away, "sid=1")
			}
		}
	})
}

// TestRule03Challenges: whoever is redirected to may lead back, to a URL of its choice. A
// challenge there is not answered: the credentials were dropped on the way. Those of a mount
// are for every URL of the mount.
func TestRule03Challenges(t *testing.T) {
	auths := map[string]requests.Auth{
		"Digest": requests.DigestAuth("ada", "secret"), "Guess": toolbelt.GuessAuth("ada", "secret"),
		"Refresh": requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) { return requests.BearerAuth("new"), nil })),
	}
	eachLane(t, func(t *testing.T, l lane) {
		l.site.answering(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Digest") {
				w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		for name, auth := range auths {
			s := l.session(t)
			s.Auth = auth
			if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test", "example.com"), nil, nil); err != nil {
				t.Fatal(name, err)
			}
			l.want(t, "Authorization", l.site.took()[1:], "-", "-")
		}
		if l.caller == "http.Client" {
			return // its redirects carry no credentials at all
		}
		s := l.session(t)
		mounted, err := s.Adapter(l.at("example.com", "/"))
		if err != nil {
			t.Fatal(err)
		}
		s.Mount(l.at("example.com", "/"), adapters.Authenticate(requests.DigestAuth("ada", "secret"))(mounted))
		if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test", "example.com"), nil, nil); err != nil {
			t.Fatal(err)
		}
		if hops := l.site.took(); !strings.HasPrefix(hops[len(hops)-1].header.Get("Authorization"), "Digest ") {
			t.Errorf("the mount's credentials were not sent: %v", hops)
		}
	})
}
