package requests_test

import (
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

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// TestRule22Lanes: rules 22, 23 and 46: what would begin a line of its own, or is not a host, is
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

// TestRule37Lanes: rules 37 and 38: a name that a server gives leads nowhere else.
func TestRule37Lanes(t *testing.T) {
	eachLaneOf(t, func(l lane) bool { return l.caller == "toolbelt" }, func(t *testing.T, l lane) {
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
