package requests_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
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
	eachLane(t, func(t *testing.T, l lane) {
		if !strings.HasSuffix(l.hop, "proxy") {
			t.Skip("no proxy that takes headers")
		}
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

// TestRule22Lanes: rules 22, 23 and 46: what would begin a line of its own, or is no host, is
// refused before anything is sent.
func TestRule22Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		home := l.at("example.com", "/")
		for _, headers := range []requests.Headers{
			{{"X", "a\r\nY: b"}}, {{"X", "a\nb"}}, {{"X", "a\rb"}}, {{"X", "a\x00b"}}, {{"X\r\nY", "b"}}, {{"X:", "b"}}, {{"", "b"}},
			{{"Host", "a\r\nX: y"}}, {{"Host", "a b"}}, {{"Host", "a/b"}}, {{"Host", "u@a"}}, {{"Host", "a?b"}}, {{"Host", "a#b"}}, {{"Host", "a\\b"}},
			{{"Host", "a\x00"}}, {{"Host", "a\t"}},
		} {
			if _, err := l.send(t.Context(), s, "GET", home, headers, nil); err == nil {
				t.Errorf("%q was sent", headers)
			}
		}
		for _, method := range []string{"GET / HTTP/1.1\r\nX:", "G T", "GET\n", "G\x00T"} {
			if _, err := l.send(t.Context(), s, method, home, nil, nil); err == nil {
				t.Errorf("method %q was sent", method)
			}
		}
		for _, url := range []string{"://example.com\r\n/", "://example.com/\r\nX: y", "://exam\x00ple.com/"} {
			_, _ = l.send(t.Context(), s, "GET", l.scheme+url, nil, nil)
		}
		for _, r := range l.site.took() {
			if r.header.Get("X") != "" || r.header.Get("Y") != "" {
				t.Errorf("the origin got %+v", r)
			}
		}
	})
}

// TestRule25Lanes: rules 24 to 26: the host that is decided about is the one in the request,
// and the one that is asked for at the proxy.
func TestRule25Lanes(t *testing.T) {
	bad := []string{
		`good.test\@evil.test`, `good.test\.evil.test`, "good.test%2fevil.test", "good.test%40evil.test", "good.test%23evil.test", "good.test%00", "[::1]evil.test",
		"[::1", "[evil.test]", "[]", "evil.test:80:80", "evil.test:-80", "evil.test:65536", "evil test", "evil|test", "1.2.3.4.5", "256.256.256.256",
		"xn--example-.com", "xn--a", "xn--" + strings.Repeat("9", 60), strings.Repeat("a.", 600) + "test",
	}
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		for _, host := range bad {
			if _, err := l.send(t.Context(), s, "GET", l.at(host, "/"), nil, nil); err == nil {
				t.Errorf("%q was sent", host)
			}
		}
		if got := l.site.took(); len(got) > 0 {
			t.Errorf("the origin got %+v", got)
		}
		for given, host := range map[string]string{"user:pw@EXAMPLE.com": "example.com", "example.com": "example.com", "other%2etest": "other.test"} {
			if l.caller == "http.Client" && strings.Contains(given, "%") {
				continue // net/url does not read it
			}
			if _, err := l.send(t.Context(), s, "GET", l.at(given, "/?@evil.test#@evil.test"), nil, nil); err != nil {
				t.Errorf("%s: %v", given, err)
				continue
			}
			hops := l.site.took()
			if want := l.at(host, "/"); len(hops) != 1 || !strings.EqualFold(hops[0].at, want) {
				t.Errorf("%s: got %+v, want %s", given, hops, want)
			}
		}
		l.site.mu.Lock()
		defer l.site.mu.Unlock()
		for _, destination := range l.site.destinations {
			if !slices.ContainsFunc([]string{"example.com", "other.test"}, func(host string) bool { return strings.HasPrefix(strings.ToLower(destination), host) }) {
				t.Errorf("the proxy was asked for %q", destination)
			}
		}
	})
}

// TestRule27Lanes: rules 27 and 28: neither a bomb nor a tower of codings is unpacked.
func TestRule27Lanes(t *testing.T) {
	var bomb bytes.Buffer
	z, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	_, _ = io.CopyN(z, zero{}, 64<<20)
	z.Close()
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		codings := []string{"gzip", "gzip, gzip, gzip, gzip, gzip, gzip"}
		if raceDetector && (l.caller != "http.Client" || l.hop != "direct") {
			codings = codings[1:] // the race detector makes the other one slow
		}
		for _, coding := range codings {
			l.site.answering(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", coding)
				_, _ = w.Write(bomb.Bytes())
			})
			if _, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil); !errors.Is(err, requests.ErrContentDecoding) {
				t.Errorf("%s: %v", coding, err)
			}
		}
	})
}

// TestRule29Lanes: a head without measure is an error, not memory.
func TestRule29Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		if l.hop == "http proxy" && l.scheme == "http" || l.hop == "https proxy" && l.scheme == "http" {
			t.Skip("the test's own proxy reads it first")
		}
		s := l.session(t)
		for name, fields := range map[string]func(http.Header){
			"many": func(h http.Header) {
				for i := range 1100 {
					h.Set(fmt.Sprintf("X-%d", i), "v")
				}
			},
			"long":         func(h http.Header) { h.Set("X", strings.Repeat("v", 300<<10)) },
			"many cookies": func(h http.Header) { h["Set-Cookie"] = slices.Repeat([]string{"a=b"}, 1100) },
		} {
			l.site.answering(func(w http.ResponseWriter, _ *http.Request) { fields(w.Header()) })
			if _, err := l.send(t.Context(), s, "POST", l.at("example.com", "/"), nil, nil); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

// TestRule37Lanes: rules 37 and 38: a name that a server gives leads nowhere else.
func TestRule37Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		if l.caller != "toolbelt" {
			t.Skip("files are the toolbelt's")
		}
		s := l.session(t)
		for name, want := range map[string]string{"../../evil": "evil", `..\..\evil2`: "evil2", "/etc/evil3": "evil3", ".evil4": "evil4", "CON": "_CON", "a\x01b": "ab"} {
			dir := t.TempDir()
			l.site.answering(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename*=UTF-8''%s", percent(name)))
				io.WriteString(w, "body")
			})
			path, err := toolbelt.Download(t.Context(), s, l.at("example.com", "/x"), dir+string(filepath.Separator))
			if err != nil || path != filepath.Join(dir, want) {
				t.Errorf("%q: %q, %v, want %q", name, path, err, want)
			}
			if files, _ := os.ReadDir(dir); len(files) != 1 {
				t.Errorf("%q: %v", name, files)
			}
		}
	})
}

// percent escapes every byte.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

// TestRule39Lanes: no error shows the user info of a URL or a proxy, or a secret of the query.
func TestRule39Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		s.Proxies = l.proxies("ada:" + secret + "@")
		l.site.answering(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
		_, err := l.send(t.Context(), s, "POST", l.at("bob:"+secret+"@example.com", "/?token="+secret), requests.Headers{{"Authorization", "Bearer " + secret}}, nil)
		if err == nil && !(l.scheme == "http" && strings.HasSuffix(l.hop, "proxy")) {
			t.Error("no error")
		}
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // net/http's text has the URL as its own masking leaves it
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); holdsSecret(text) {
			t.Errorf("shown: %s", text)
		}
	})
}

// TestRule40Lanes: the boundaries of forms are made of at least 128 random bits each.
func TestRule40Lanes(t *testing.T) {
	seen := map[string]bool{}
	var ones [128]int
	total := 0
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		const each = 20
		for range each {
			if _, err := s.Post(t.Context(), l.at("example.com", "/"), requests.Files{{Field: "f", Content: strings.NewReader("x")}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range l.site.took() {
			_, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
			boundary := params["boundary"]
			bits, errHex := hex.DecodeString(boundary)
			if err != nil || errHex != nil || len(bits) < 16 || seen[boundary] {
				t.Fatalf("boundary %q: %v, seen: %v", boundary, errHex, seen[boundary])
			}
			seen[boundary] = true
			total++
			for i := range ones {
				ones[i] += int(bits[i/8] >> (i % 8) & 1)
			}
		}
	})
	// Seven standard deviations: a fair bit fails this once in 10^11 runs.
	for i, n := range ones {
		if off := math.Abs(float64(n) - float64(total)/2); off > 3.5*math.Sqrt(float64(total)) {
			t.Errorf("bit %d is set in %d of %d boundaries", i, n, total)
		}
	}
}

// TestRule45Lanes: whatever a server says in a challenge, there is an answer or an error.
func TestRule45Lanes(t *testing.T) {
	evil := []string{
		"Digest", "Digest ", "Digest ,", "Digest =", `Digest realm="`, `Digest realm="r", nonce="`, `Digest realm="r", nonce="n", qop="`, `Digest nonce=` + strings.Repeat("x", 100<<10),
		strings.Repeat("Digest ", 10_000), strings.Repeat(`Digest realm="r", `, 5_000), strings.Repeat(",", 100<<10), strings.Repeat(`"`, 50<<10), strings.Repeat(`\\`, 50<<10),
		`Digest realm="` + strings.Repeat(`\"`, 50<<10), `Digest realm="r", nonce="n", algorithm=` + strings.Repeat("MD5-", 10_000), "NTLM " + strings.Repeat("A", 100<<10), "Negotiate ====",
		`Digest realm="r", nonce="n", qop="auth", stale=true`,
	}
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		s.Auth = requests.DigestAuth("ada", secret)
		for _, challenge := range evil {
			l.site.answering(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", challenge)
				w.WriteHeader(401)
			})
			_, _ = l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil)
			if n := len(l.site.took()); n > 5 { // a stale nonce is replaced a few times
				t.Errorf("%.40q: %d requests", challenge, n)
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

// TestRule51Lanes: a body that cannot be sent again is an error where it would have to be.
func TestRule51Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		for name, body := range map[string]func() io.Reader{
			"once":  func() io.Reader { return io.MultiReader(strings.NewReader("data")) },
			"again": func() io.Reader { return strings.NewReader("data") },
		} {
			text, err := l.send(t.Context(), s, "PUT", l.redirected(307, "example.com", "example.com"), nil, body())
			hops := l.site.took()
			for _, r := range hops {
				if r.body != "data" {
					t.Errorf("%s: %s got %q", name, r.at, r.body)
				}
			}
			// An http.Client that cannot rewind does not follow, and gives the redirect.
			followed := err == nil && text == "ok"
			if (name == "again") != followed || l.caller != "http.Client" && name == "once" && !errors.Is(err, requests.ErrUnrewindableBody) {
				t.Errorf("%s: %q, %v after %d hops", name, text, err, len(hops))
			}
		}
	})
}

// TestRule52Lanes: another certificate, or another CA, resumes nothing.
func TestRule52Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		if l.scheme == "http" {
			t.Skip("no TLS")
		}
		s := l.session(t)
		resumed := func() string {
			defer s.Close()
			text, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		l.site.answering(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS.DidResume) })
		got := []string{resumed(), resumed()}
		s.Cert = requests.CertPEM(wiretest.PEM(wiretest.TestCA().Client("ada")))
		got = append(got, resumed(), resumed())
		s.Verify = requests.CABundlePEM(append(wiretest.TestCA().PEM(), wiretest.OtherCA().PEM()...))
		got = append(got, resumed(), resumed())
		if diff := cmp.Diff([]string{"false", "true", "false", "true", "false", "true"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestRule53Lanes: after a panic of the caller's code nothing is in use.
func TestRule53Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		if l.caller == "toolbelt" {
			t.Skip("a pool's workers hand panics on: TestPoolPanicInJob")
		}
		s := l.session(t)
		s.OnResponse(panickingHook)
		for _, body := range []any{nil, panickingBody{}} {
			var got any
			func() {
				defer func() { got = recover() }()
				_, err := l.send(t.Context(), s, "POST", l.at("example.com", "/"), nil, body)
				t.Errorf("no panic: %v", err)
			}()
			if got != thePanic {
				t.Errorf("got %v", got)
			}
		}
		adapter, err := s.Adapter(l.scheme + "://")
		if err != nil {
			t.Fatal(err)
		}
		if stats := adapter.(*requests.HTTPAdapter).Stats(); stats.InUse != 0 {
			t.Errorf("%d connections are in use", stats.InUse)
		}
	})
}
