package requests_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// fromExample lists the places a redirect from http://example.com may lead to; those
// that are another origin, or come after one, have the path /away.
var fromExample = map[string][]string{
	"another host":       {"http://other.test/away"},
	"subdomain":          {"http://sub.example.com/away"},
	"port":               {"http://example.com:8080/away"},
	"https, other port":  {"https://example.com:8443/away"},
	"https, other host":  {"https://other.test/away"},
	"and on there":       {"http://other.test/away", "http://other.test/away"},
	"and back":           {"http://other.test/away", "http://example.com/away"},
	"over a subdomain":   {"http://sub.example.com/away", "http://example.com/away"},
	"three hosts":        {"http://sub.example.com/away", "http://other.test/away", "http://sub.example.com/away"},
	"another user":       {"http://example.com@other.test/away"},
	"trailing dot":       {"http://example.com./away"},
	"same place first":   {"http://example.com/", "http://other.test/away"},
	"escaped dot":        {"http://sub%2Eexample.com/away"},
	"letter case":        {"http://SUB.Example.COM/away"},
	"https and back out": {"https://example.com/", "https://other.test/away"},
}

// TestRule04Hops: of a request's own headers, only those any server may know cross to
// another origin, however the redirect is followed and whatever its status. None comes
// back (rule 3), and Authorization and Cookie are among them (rules 1, 2 and 8).
func TestRule04Hops(t *testing.T) {
	secrets := []string{"Authorization", "aUTHORIZATION", "Cookie", "COOKIE", "X-Api-Key", "x-auth-token", "Proxy-Authorization", "Cookie2",
		"X-Amz-Security-Token", "PRIVATE-TOKEN", "Www-Authenticate", "X-Forwarded-For", "Origin", "Referer"}
	for way, walk := range walkers {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t)
			s := w.session(t)
			for name, places := range fromExample {
				for _, status := range []int{301, 302, 303, 307, 308} {
					headers := requests.Headers{{"Accept-Language", "en"}}
					for _, h := range secrets {
						headers.Add(h, "secret")
					}
					start := chain(status, append([]string{"http://example.com/"}, places...)...)
					err := walk(t.Context(), s, "POST", start, headers)
					if err != nil && strings.Contains(err.Error(), "parse Location") {
						continue // net/http would not even follow it
					}
					if err != nil {
						t.Fatal(name, status, err)
					}
					checkHops(t, name, w.took())
				}
			}
		})
	}
}

// checkHops looks for the secret at every hop away from the origin it began at.
func checkHops(t *testing.T, name string, calls []call) {
	t.Helper()
	left := false
	for i, c := range calls {
		left = left || strings.HasSuffix(c.at, "/away")
		for _, f := range c.fields {
			if left && slices.Contains([]string{"secret", "secret, secret"}, f[1]) {
				t.Errorf("%s, hop %d at %s: %s came along", name, i, c.at, f[0])
			}
		}
		if got := c.get("Accept-Language"); got != "en" {
			t.Errorf("%s, hop %d at %s: Accept-Language is %q", name, i, c.at, got)
		}
	}
	if len(calls) < 2 || !left {
		t.Errorf("%s: only %d hops", name, len(calls))
	}
}

// TestRule04SameOrigin: what must not leave an origin stays with it.
func TestRule04SameOrigin(t *testing.T) {
	for way, walk := range walkers {
		w := newWorld(t)
		s := w.session(t)
		headers := requests.Headers{{"Authorization", "secret"}, {"X-Api-Key", "secret"}}
		for _, name := range []string{"Authorization", "X-Api-Key"} {
			if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", "http://example.com/2"), headers); err != nil {
				t.Fatal(way, err)
			}
			got := slices.Compact(w.values(name))
			if diff := cmp.Diff([]string{"secret"}, got); diff != "" {
				t.Errorf("%s: %s (-want +got)\n%s", way, name, diff)
			}
		}
	}
}

// TestRule08KeptHeaders: KeepCrossOriginHeaders is about harmless and unknown fields. A Cookie
// that the caller wrote stays with its origin all the same.
func TestRule08KeptHeaders(t *testing.T) {
	for way, walk := range walkers {
		w := newWorld(t)
		s := w.session(t)
		s.Policy.KeepCrossOriginHeaders = true
		for _, name := range []string{"Cookie", "cookie"} {
			for to, want := range map[string]string{
				"http://other.test/away": "key=k cookie=-", "http://sub.example.com/away": "key=k cookie=-",
				"http://example.com:8080/away": "key=k cookie=-", "https://example.com/away": "key=k cookie=-",
			} {
				headers := requests.Headers{{name, "k=v"}, {"X-Api-Key", "k"}}
				if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", to), headers); err != nil {
					t.Fatal(way, err)
				}
				calls := w.took()
				last := calls[len(calls)-1]
				got := []string{calls[0].get("Cookie"), last.at, "key=" + last.get("X-Api-Key") + " cookie=" + last.get("Cookie")}
				if diff := cmp.Diff([]string{"k=v", to, want}, got); diff != "" {
					t.Errorf("%s, %s (-want +got)\n%s", way, name, diff)
				}
			}
		}
	}
}
