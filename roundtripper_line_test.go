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
// net/http writes for it, byte for byte, to a server and to a proxy that forwards it.
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
		"Host of letters":    func(r *http.Request) { r.Host = "bücher.example:81" },
		"Host with a zone":   func(r *http.Request) { r.Host = "[fe80::1%25eth0]:82" },
		"Host, IPv6":         func(r *http.Request) { r.Host = "[FE80::1]" },
		"opaque, same host":  func(r *http.Request) { r.URL.Opaque = "//" + r.URL.Host + "/x%2fy" },
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
	session := newSession(t)
	plain := &http.Transport{}
	t.Cleanup(plain.CloseIdleConnections)
	for name, change := range requests {
		sent := func(carrier http.RoundTripper) []string { return lineSent(t, server, carrier, change) }
		if diff := cmp.Diff(sent(plain), sent(session.RoundTripper())); diff != "" {
			t.Errorf("%s (-net/http +session)\n%s", name, diff)
		}
	}
	session.Proxies = map[string]string{"http": server.URL("")}
	plain.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(server.URL("")) }
	for _, target := range []string{"http://Example.COM/x", "http://example.com:80/x", "http://example.com:8080?q", "http://[::1]:80/", "http://bücher.test/é?é", "http://ada:pw@example.com/", "http://example.com./", "http://[FE80::1%25eth0]/", "http://EXAMPLE.com/?"} {
		requests["GET "+target] = func(r *http.Request) {
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			r.URL, r.Host = u, u.Host
		}
	}
	base := server.URL("")
	refused := "a proxy is not asked for a target that is not of the URL's host"
	different := map[string][]string{ // what a proxy is asked for is absolute, and of the URL's host
		"OPTIONS *":         {"OPTIONS " + base + " HTTP/1.1", server.Addr()},
		"OPTIONS *, opaque": {"OPTIONS " + base + " HTTP/1.1", server.Addr()},
		"opaque path":       {"GET " + base + "/x%2fy/../z HTTP/1.1", server.Addr()},
		"opaque and query":  {"GET " + base + "/x?a=[b] HTTP/1.1", server.Addr()},
		"opaque":            {"GET " + base + "/: " + refused},
		"opaque URL":        {"GET " + base + "/: " + refused},
		"no slash":          {"GET " + base + "/x: " + refused},
		"Host":              {"GET " + base + "/ HTTP/1.1", "Other.Example:80"},
		"Host of letters":   {"GET " + base + "/ HTTP/1.1", "xn--bcher-kva.example:81"},
		"Host with a zone":  {"GET " + base + "/ HTTP/1.1", "[fe80::1]:82"},
		"Host, IPv6":        {"GET " + base + "/ HTTP/1.1", "[FE80::1]"},
	}
	for name, change := range requests {
		sent := func(carrier http.RoundTripper) []string { return lineSent(t, server, carrier, change) }
		want, ok := different[name]
		if !ok {
			want = sent(plain)
		}
		if diff := cmp.Diff(want, sent(session.RoundTripper())); diff != "" {
			t.Errorf("%s, proxied (-net/http +session)\n%s", name, diff)
		}
	}
}

// lineSent returns the request line and the Host that arrive, or the error.
func lineSent(t *testing.T, server *wiretest.Server, carrier http.RoundTripper, change func(r *http.Request)) []string {
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
