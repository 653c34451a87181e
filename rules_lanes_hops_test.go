package requests_test

import (
	"testing"

	"github.com/mountable/requests"
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
