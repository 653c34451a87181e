package proxyenv

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http/httpproxy"

	"github.com/mountable/requests/internal/uri"
)

func parsed(t testing.TB, url string) *uri.URL {
	u, err := uri.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return &u
}

// TestBypass lists both readings: the entry by which a URL is kept from proxies, "-" for none.
func TestBypass(t *testing.T) {
	for _, c := range []struct{ list, url, want, requests string }{
		{"*", "http://a.test/", "*", "*"},
		{"b.test, *", "http://a.test/", "*", "-"},
		{"a.test", "http://a.test/", "a.test", "a.test"},
		{"a.test", "http://sub.A.test/", "a.test", "a.test"},
		{"a.test", "http://nota.test/", "-", "-"},
		{"A.Test", "http://a.test/", "A.Test", "A.Test"},
		{".a.test", "http://a.test/", "-", ".a.test"},
		{".a.test", "http://sub.a.test/", ".a.test", ".a.test"},
		{"*.a.test", "http://sub.a.test/", "*.a.test", "-"},
		{"*.a.test", "http://a.test/", "-", "-"},
		{"*.example.com", "http://x.y.example.com/", "*.example.com", "-"},
		{"*.example.com:8080", "http://x.example.com:8080/", "*.example.com:8080", "-"},
		{"*.example.com:8080", "http://x.example.com/", "-", "-"},
		{"a.test:80", "http://a.test/", "a.test:80", "-"},
		{"a.test:443", "https://a.test/", "a.test:443", "-"},
		{"a.test:80", "https://a.test/", "-", "-"},
		{"a.test:8080", "http://a.test:8080/", "a.test:8080", "a.test:8080"},
		{"[::1]", "http://[::1]/", Loopback, "-"},
		{"", "http://[::1]/", Loopback, "-"},
		{"", "http://127.9.9.9:8080/", Loopback, "-"},
		{"", "http://[::ffff:127.0.0.1]/", Loopback, "-"},
		{"", "http://0x7f.1/", Loopback, "-"},
		{"", "http://LOCALHOST:1/", Loopback, "-"},
		{"", "http://localhost.test/", "-", "-"},
		{"[fd00::1]", "http://[fd00::1]/", "[fd00::1]", "-"},
		{"[fd00::1]:80", "http://[fd00::1]/", "[fd00::1]:80", "-"},
		{"[fd00::1]:81", "http://[fd00::1]/", "-", "-"},
		{"fd00::1", "http://[FD00:0::1]/", "fd00::1", "fd00::1"},
		{"fd00::/8", "http://[fd00::1]/", "fd00::/8", "fd00::/8"},
		{"10.0.0.1:8080", "http://10.0.0.1:8080/", "10.0.0.1:8080", "-"},
		{"10.0.0.1", "http://10.0.0.1:8080/", "10.0.0.1", "10.0.0.1"},
		{"10.0.0.0/8", "http://10.1.2.3/", "10.0.0.0/8", "10.0.0.0/8"},
		{"0.0.0.0/0", "http://10.1.2.3/", "0.0.0.0/0", "-"},
		{"0.0.0.0/0", "http://a.test/", "-", "-"},
		{"0.0.0.0/0", "http://[fd00::1]/", "-", "-"},
		{"::/0", "http://[fd00::1]/", "::/0", "-"},
		{"::ffff:10.0.0.0/104", "http://10.1.2.3/", "::ffff:10.0.0.0/104", "-"},
		{"10.0.0.0/33", "http://10.0.0.0/", "-", "-"},
		{"b\u00fccher.test", "http://B\u00dcCHER.test/", "b\u00fccher.test", "b\u00fccher.test"},
		{":80", "http://a.test/", "-", "-"},
		{".", "http://a.test./", ".", "."},
		{".", "http://a.test/", "-", "-"},
		{"*.", "http://a.test./", "*.", "-"},
		{"a.test", "http://a.test./", "-", "-"},
		{"a.test.", "http://a.test./", "a.test.", "a.test."},
		{"[::1", "http://a.test/", "-", "-"},
		{"fe80::1", "http://[fe80::1%25eth0]/", "fe80::1", "fe80::1"},
		{"example.com", "http://[fe80::1%25.example.com]/", "-", "-"},
		{" , a.test ,", "http://a.test/", "a.test", "a.test"},
	} {
		u := parsed(t, c.url)
		got := [2]string{Bypass(c.list, u), BypassAsRequests(c.list, u)}
		for i := range got {
			if got[i] == "" {
				got[i] = "-"
			}
		}
		if diff := cmp.Diff([2]string{c.want, c.requests}, got); diff != "" {
			t.Errorf("no_proxy=%q, %s (-want +got)\n%s", c.list, c.url, diff)
		}
	}
}

// reference asks httpproxy. It takes brackets without a port for a part of a name, so they are left out there.
func reference(list, target string) (direct bool) {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	config := httpproxy.Config{HTTPProxy: "http://proxy.test", HTTPSProxy: "http://proxy.test", NoProxy: withoutBrackets(list)}
	proxy, err := config.ProxyFunc()(u)
	if err != nil {
		panic(err)
	}
	return proxy == nil
}

func withoutBrackets(list string) string {
	entries := strings.Split(list, ",")
	for i, e := range entries {
		if e = strings.TrimSpace(e); strings.HasPrefix(e, "[") && strings.HasSuffix(e, "]") {
			entries[i] = strings.Trim(e, "[]")
		}
	}
	return strings.Join(entries, ",")
}

var (
	someEntries = []string{"*", "", " ", "a.test", ".a.test", "*.a.test", "A.TEST", "sub.a.test", "est", "a.test:80", "a.test:443", "*.a.test:8080",
		".a.test:80", "a.test:", ":80", "10.0.0.1", "10.0.0.1:80", "10.0.0.1:8080", "10.0.0.0/8", "0.0.0.0/0", "10.0.0.0/33", "0.1", "10.0.0.1/24", "::1",
		"[::1]", "[::1]:80", "fd00::1", "FD00::1", "[fd00::1]", "[fd00::1]:443", "[fd00::1]:", "fd00::/8", "::/0", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "localhost",
		"localhost:80", "b\u00fccher.test", "xn--bcher-kva.test", ".b\u00fccher.test", "a.test:b:c", "*a.test", "**.a.test", ".", "*.", "..a.test", "..", "a.test.", ".test.", "*.a.test.", ".:80"}
	someURLs = []string{"http://a.test/", "https://a.test/", "http://a.test:8080/", "http://sub.a.test/", "https://sub.sub.a.test:8080/", "http://nota.test/",
		"http://10.0.0.1/", "http://10.0.0.1:8080/", "https://10.9.8.7/", "http://[fd00::1]/", "https://[fd00::1]/", "http://[fd00::1]:8080/", "http://[::ffff:10.0.0.1]/",
		"http://[::1]/", "http://a.test./", "http://sub.a.test.:8080/", "http://127.0.0.1/", "http://localhost/", "https://localhost:444/", "http://xn--bcher-kva.test/", "http://x.xn--bcher-kva.test/", "http://192.0.2.1/"}
)

// TestBypassReference compares with golang.org/x/net/http/httpproxy: every entry alone, and lists of them.
func TestBypassReference(t *testing.T) {
	compare := func(list string) {
		for _, target := range someURLs {
			if got, want := Bypass(list, parsed(t, target)) != "", reference(list, target); got != want {
				t.Errorf("no_proxy=%q, %s: direct %v, httpproxy says %v", list, target, got, want)
			}
		}
	}
	for _, e := range someEntries {
		compare(e)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var list []string
		for range 1 + random.IntN(4) {
			list = append(list, someEntries[random.IntN(len(someEntries))])
		}
		compare(strings.Join(list, ", "))
	}
}

// FuzzBypass compares lists of any text with httpproxy.
func FuzzBypass(f *testing.F) {
	for i, e := range someEntries {
		f.Add(e, someURLs[i%len(someURLs)])
	}
	f.Fuzz(func(t *testing.T, list, target string) {
		u, err := uri.Parse(target)
		std, stdErr := url.Parse(target)
		if err != nil || stdErr != nil || !isASCII(list) || len(list) > 200 || u.Host != std.Hostname() || u.HasUser || std.Port() == "0" || strings.ContainsAny(u.Host, "%_") {
			return // not a URL that both read alike
		}
		if u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(list, "%\\[]") || strings.Contains(list, "xn--") {
			return // read in other ways on purpose
		}
		if got, want := Bypass(list, &u) != "", reference(list, target); got != want {
			t.Errorf("no_proxy=%q, %s: direct %v, httpproxy says %v", list, target, got, want)
		}
	})
}
