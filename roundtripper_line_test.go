package requests_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/wiretest"
)

// TestRequestLineAsGiven: an http.Request goes out under the request line and Host that
// net/http writes for it, byte for byte, whoever carries it.
func TestRequestLineAsGiven(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "ok"))
	requests := map[string]func(r *http.Request){
		"OPTIONS *":          func(r *http.Request) { r.Method, r.URL.Path = "OPTIONS", "*" },
		"OPTIONS *, opaque":  func(r *http.Request) { r.Method, r.URL.Opaque = "OPTIONS", "*" },
		"opaque":             func(r *http.Request) { r.URL.Opaque = "//other/x%2fy" },
		"opaque path":        func(r *http.Request) { r.URL.Opaque = "/x%2fy/../z" },
		"opaque URL":         func(r *http.Request) { r.URL.Opaque = "http://other/x" },
		"opaque and query":   func(r *http.Request) { r.URL.Opaque, r.URL.RawQuery = "/x", "a=[b]" },
		"RawPath":            func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a/b", "/a%2Fb" },
		"RawPath of another": func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a/b", "/x%2Fy" },
		"no path":            func(r *http.Request) { r.URL.Path = "" },
		"no slash":           func(r *http.Request) { r.URL.Path = "x" },
		"ForceQuery":         func(r *http.Request) { r.URL.ForceQuery = true },
		"bytes in the query": func(r *http.Request) { r.URL.RawQuery = "q=caf\xe9&r=é" },
		"bytes in the path":  func(r *http.Request) { r.URL.Path = "/caf\xe9/é" },
		"Host":               func(r *http.Request) { r.Host = "Other.Example:80" },
		"method":             func(r *http.Request) { r.Method = "get" },
		"no method":          func(r *http.Request) { r.Method = "" },
		"fragment":           func(r *http.Request) { r.URL.Fragment = "f" },
	}
	for _, target := range []string{
		"/bucket/a/../b", "/a%2fb", "/%7Euser", "/?a=[1]", "/a//b", "/.", "/..", "//x/y", "/a b", "/é", "/%e9", "/?q=é", "/?a=b#frag", "/?", "/;x=1", "/a?b?c",
		"/%2e%2e/x", "/a\\b", "/?a=\"", "/?x=a+b", "/{x}", "/|", "/^", "/`", "/?<>", "/%41", "/a:b", "/@x", "/$&+,;=:@",
	} {
		requests["GET "+target] = func(r *http.Request) {
			u, err := url.Parse(server.URL("") + target)
			if err != nil {
				t.Fatal(err)
			}
			r.URL = u
		}
	}
	session := newSession(t).RoundTripper()
	plain := &http.Transport{}
	t.Cleanup(plain.CloseIdleConnections)
	for name, change := range requests {
		sent := func(carrier http.RoundTripper) []string {
			r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL("/"), nil)
			if err != nil {
				t.Fatal(err)
			}
			change(r)
			resp, err := carrier.RoundTrip(r)
			if err != nil {
				return []string{err.Error()}
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			all := server.Requests()
			last := all[len(all)-1]
			line, _, _ := strings.Cut(last.Raw, "\r\n")
			return []string{line, last.Get("Host")}
		}
		if diff := cmp.Diff(sent(plain), sent(session)); diff != "" {
			t.Errorf("%s (-net/http +session)\n%s", name, diff)
		}
	}
}
