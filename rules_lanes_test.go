package requests_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// redirected is the URL on a lane that leads along these hosts.
func (l lane) redirected(status int, hosts ...string) string {
	var places []string
	for _, h := range hosts {
		places = append(places, l.at(h, "/"))
	}
	return chain(status, places...)
}

// want fails the test where a field of the hops is not as wanted.
func (l lane) want(t *testing.T, name string, hops []seen, want ...string) {
	t.Helper()
	var got []string
	for _, r := range hops {
		got = append(got, or(strings.Join(r.header.Values(name), ", "), "-"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

// TestRule01Lanes: rules 1 to 4, 8 and 12.
func TestRule01Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		headers := requests.Headers{{"authorization", "secret"}, {"COOKIE", "k=v"}, {"X-Api-Key", "secret"}, {"Accept", "a/b"}}
		for i, hosts := range [][]string{
			{"example.com", "other.test", "example.com", "example.com"},
			{"example.com", "sub.example.com", "example.com", "example.com"},
			{"example.com", "example.com:8443", "example.com", "example.com"},
		} {
			if i == 2 && l.scheme == "http" {
				hosts[1] = "example.com:8080"
			}
			if _, err := l.send(t.Context(), s, "GET", l.redirected(307, hosts...)+"&secret=s", headers, nil); err != nil {
				t.Fatal(err)
			}
			hops := l.site.took()
			l.want(t, "Authorization", hops, "secret", "-", "-", "-")
			l.want(t, "Cookie", hops, "k=v", "-", "-", "-")
			l.want(t, "X-Api-Key", hops, "secret", "-", "-", "-")
			l.want(t, "Accept", hops, "a/b", "a/b", "a/b", "a/b")
			l.want(t, "Referer", hops[:2], "-", "-")
		}
	})
}

// TestRule05Lanes: rules 5 and 6: an origin never sees what its proxy is told.
func TestRule05Lanes(t *testing.T) {
	eachLaneOf(t, func(l lane) bool { return strings.HasSuffix(l.hop, "proxy") }, func(t *testing.T, l lane) {
		s := l.session(t)
		s.Proxies = l.proxies("ada:secret@")
		if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test"), nil, nil); err != nil {
			t.Fatal(err)
		}
		l.want(t, "Proxy-Authorization", l.site.took(), "-", "-")
		l.site.mu.Lock()
		defer l.site.mu.Unlock()
		for _, h := range l.site.proxied {
			if got := h.Get("Proxy-Authorization"); got != "Basic YWRhOnNlY3JldA==" {
				t.Errorf("the proxy got %q", got)
			}
		}
	})
}

// TestRule07Lanes: a challenge of another origin than the first is not answered.
func TestRule07Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		l.site.answering(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
				w.WriteHeader(401)
			}
		})
		s := l.session(t)
		s.Auth = requests.DigestAuth("ada", "secret")
		if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test"), nil, nil); err != nil {
			t.Fatal(err)
		}
		l.want(t, "Authorization", l.site.took(), "-", "-")
	})
}

// TestRule09Lanes: rules 9, 33 and 35: a cookie belongs to the host that sent it, whatever
// Host says, and never to a public suffix.
func TestRule09Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test", "example.com")+"&set=a%3D1", nil, nil); err != nil {
			t.Fatal(err)
		}
		l.want(t, "Cookie", l.site.took(), "-", "-", "a=1")
		kept := s.Cookies.Len()
		for _, domain := range []string{"com", "COM", ".com", "com.", "other.test", "www.example.com", "sub.sub.example.com"} {
			set := url.QueryEscape("s=1; Domain=" + domain)
			if _, err := l.send(t.Context(), s, "GET", l.at("sub.example.com", "/?set="+set), requests.Headers{{"Host", "www.example.com"}}, nil); err != nil {
				t.Fatal(err)
			}
			if s.Cookies.Len() != kept {
				t.Errorf("sub.example.com has set a cookie for %s", domain)
			}
		}
		l.site.forget()
		if _, err := l.send(t.Context(), s, "GET", l.at("example.com", "/?set=h%3D1"), requests.Headers{{"Host", "other.test"}}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := l.send(t.Context(), s, "GET", l.at("other.test", "/"), nil, nil); err != nil {
			t.Fatal(err)
		}
		l.want(t, "Cookie", l.site.took(), "a=1", "-")
	})
}

// TestRule10Lanes: rules 10 and 11.
func TestRule10Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		headers := requests.Headers{{"Content-Type", "a/b"}, {"Content-Encoding", "x"}}
		if _, err := l.send(t.Context(), s, "POST", l.redirected(302, "example.com", "example.com"), headers, "body"); err != nil {
			t.Fatal(err)
		}
		if _, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil); err != nil {
			t.Fatal(err)
		}
		hops := l.site.took()
		var got []string
		for _, r := range hops {
			got = append(got, r.method+" "+r.body)
		}
		if diff := cmp.Diff([]string{"POST body", "GET ", "GET "}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding"} {
			l.want(t, name, hops[1:], "-", "-")
		}
	})
}

// TestRule13Lanes: rules 13 and 42: a redirect leads neither from https to http nor to a file.
func TestRule13Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		s.Mount("file:", requests.AdapterFunc(nil))
		targets := map[string]requests.Kind{"file:///etc/passwd": requests.ErrRedirectScheme}
		if l.scheme == "https" {
			targets["http://example.com/away"] = requests.ErrRedirectDowngrade
		}
		for target, kind := range targets {
			if _, err := l.send(t.Context(), s, "GET", chain(302, l.at("example.com", "/"), target), nil, nil); !errors.Is(err, kind) {
				t.Errorf("%s: %v", target, err)
			}
		}
	})
}

// TestRule50Lanes: what the caller wrote is what is sent, whatever netrc and the URL say.
func TestRule50Lanes(t *testing.T) {
	t.Setenv("NETRC", wiretest.File(t, "netrc", []byte("machine example.com login bob password "+secret+"\n")))
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		s.TrustEnv = true
		s.Cookies.Set(requests.Cookie{Name: "k", Value: "jar", Domain: "example.com"})
		headers := requests.Headers{{"Authorization", "Bearer mine"}, {"Cookie", "k=mine"}}
		for _, url := range []string{l.at("example.com", "/"), l.at("bob:pw@example.com", "/")} {
			if _, err := l.send(t.Context(), s, "GET", url, headers, nil); err != nil {
				t.Fatal(err)
			}
		}
		hops := l.site.took()
		l.want(t, "Authorization", hops, "Bearer mine", "Bearer mine")
		l.want(t, "Cookie", hops, "k=mine", "k=mine")
	})
}

// TestCookiesOfNamesLanes: a cookie of a host whose name is not ASCII is kept, and sent to
// that host however it is written.
func TestCookiesOfNamesLanes(t *testing.T) {
	spellings := []string{"bücher.example.com", "BÜCHER.Example.com", "xn--bcher-kva.example.com"}
	eachLane(t, func(t *testing.T, l lane) {
		for _, set := range []string{"k=v", "k=v; Domain=bücher.example.com", "k=v; Domain=.XN--BCHER-KVA.example.com", "k=v; Domain=example.com"} {
			for _, first := range spellings {
				s := l.session(t)
				if _, err := l.send(t.Context(), s, "GET", l.at(first, "/?set="+url.QueryEscape(set)), nil, nil); err != nil {
					t.Fatal(err)
				}
				for _, again := range spellings {
					if _, err := l.send(t.Context(), s, "GET", l.at(again, "/"), nil, nil); err != nil {
						t.Fatal(err)
					}
				}
				s.Close()
				l.want(t, "Cookie", l.site.took(), "-", "k=v", "k=v", "k=v")
			}
		}
	})
}
