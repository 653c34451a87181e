package requests_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// settingURL is a URL whose reply sets cookies.
func settingURL(base string, cookies ...string) string {
	return base + "?" + url.Values{"set": cookies}.Encode()
}

// TestRule33Sockets: no host sets a cookie for a public suffix, for an address, for a
// part of a label or for a stranger, however it writes the domain.
func TestRule33Sockets(t *testing.T) {
	for from, tt := range map[string]struct {
		domains []string
		to      []string
	}{
		"http://www.shop.co.uk/":                {[]string{"co.uk", "CO.UK", ".co.uk", "..co.uk", "co.uk.", ".co.uk.", "Co.Uk.", "uk", ".uk", "op.co.uk", "hop.co.uk", "bank.co.uk", "www.shop.co.uk.evil.test", "1.2.3.4", "127.0.0.1"}, []string{"http://bank.co.uk/", "http://co.uk/", "http://example.com/"}},
		"http://www.shop.co.uk./":               {[]string{"co.uk", "co.uk.", ".co.uk."}, []string{"http://bank.co.uk/", "http://co.uk/"}},
		"http://me.github.io/":                  {[]string{"github.io", "GITHUB.IO", "github.io."}, []string{"http://you.github.io/"}},
		"http://www.xn--85x722f.xn--55qx5d.cn/": {[]string{"公司.cn", "xn--55qx5d.cn", "XN--55QX5D.CN", "cn"}, []string{"http://xn--55qx5d.cn/"}},
		"http://www.食狮.公司.cn/":                  {[]string{"公司.cn", "cn"}, []string{"http://xn--55qx5d.cn/"}},
	} {
		for way, walk := range walkers {
			w := newWorld(t)
			s := w.session(t)
			s.TrustEnv = false
			var cookies []string
			for i, d := range tt.domains {
				cookies = append(cookies, fmt.Sprintf("c%d=v; Domain=%s", i, d), fmt.Sprintf("q%d=v; domain=\"%s\"", i, d), fmt.Sprintf("p%d=v; Path=/; DOMAIN = %s ; Secure=no", i, d))
			}
			if err := walk(t.Context(), s, "GET", settingURL(from, cookies...), nil); err != nil {
				t.Fatal(way, err)
			}
			w.took()
			for _, to := range tt.to {
				if err := walk(t.Context(), s, "GET", to, nil); err != nil {
					t.Fatal(way, err)
				}
			}
			for _, got := range w.values("Cookie") {
				if got != "-" {
					t.Errorf("%s: set by %s, sent to another: %s", way, from, got)
				}
			}
		}
	}
}

// TestRule33Addresses: a cookie of an address stays with this address.
func TestRule33Addresses(t *testing.T) {
	w := newWorld(t)
	s := w.session(t)
	_, port, _ := strings.Cut(w.plain.Addr(), ":")
	for _, domain := range []string{"0.0.1", "1", ".0.0.1", "0.1.", "127.0.0.2", ".127.0.0.1", "localhost", "0x7f.1"} {
		if _, err := s.Get(t.Context(), settingURL(w.plain.URL("/"), "a=1; Domain="+domain)); err != nil {
			t.Fatal(err)
		}
	}
	w.took()
	for _, host := range []string{"127.0.0.2", "localhost", "127.0.0.1"} {
		_, _ = s.Get(t.Context(), "http://"+host+":"+port+"/")
	}
	got := slices.DeleteFunc(w.values("Cookie"), func(c string) bool { return c == "-" || c == "a=1" })
	if len(got) > 0 {
		t.Errorf("sent: %q", got)
	}
}

// TestRule09Ways: what a redirect sets belongs to the host that sent it; and (rule 35)
// a Host header of the caller has no say in that.
func TestRule09Ways(t *testing.T) {
	for way, walk := range walkers {
		for _, host := range []requests.Headers{nil, {{"Host", "other.test"}}} {
			w := newWorld(t)
			s := w.session(t)
			from := chain(302, settingURL("http://sub.example.com/", "own=1", "wide=1; Domain=example.com", "alien=1; Domain=other.test", "suffix=1; Domain=com")+"&x=", "http://other.test/away", "http://example.com/away")
			from = strings.Replace(from, "&x=?", "&", 1)
			if err := walk(t.Context(), s, "GET", from, host); err != nil {
				t.Fatal(way, err)
			}
			for _, c := range w.took() {
				want := map[string]string{"http://other.test/away": "-", "http://example.com/away": "wide=1"}[c.at]
				if strings.HasSuffix(c.at, "/away") && c.get("Cookie") != want {
					t.Errorf("%s: Cookie at %s: %q, want %q", way, c.at, c.get("Cookie"), want)
				}
			}
			for _, u := range []string{"http://other.test/", "http://sub.example.com/"} {
				if _, err := s.Get(t.Context(), u); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff([]string{"-", "own=1; wide=1"}, w.values("Cookie")); diff != "" {
				t.Errorf("%s, Host %v (-want +got)\n%s", way, host, diff)
			}
		}
	}
}

// TestRule36Sockets: a jar that was saved and loaded leads no cookie to another host, nor
// do cookies that had no host at all.
func TestRule36Sockets(t *testing.T) {
	for _, options := range [][]requests.CookieFileOption{{requests.KeepSessionCookies}, {requests.KeepSessionCookies, requests.AsJSON}} {
		w := newWorld(t)
		first := w.session(t)
		if _, err := first.Get(t.Context(), settingURL("http://example.com/", "host=1", "wide=1; Domain=example.com", "__Host-x=1; Secure; Path=/", "path=1; Path=/deep")); err != nil {
			t.Fatal(err)
		}
		if err := first.Cookies.Set(requests.Cookie{Name: "everywhere", Value: "1"}); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "jar")
		if err := first.Cookies.Save(name, options...); err != nil {
			t.Fatal(err)
		}
		for way, walk := range walkers {
			again := w.session(t)
			if err := again.Cookies.Load(name, options...); err != nil {
				t.Fatal(err)
			}
			w.took()
			if err := walk(t.Context(), again, "GET", chain(302, "http://example.com/", "http://other.test/", "http://sub.example.com/"), nil); err != nil {
				t.Fatal(way, err)
			}
			got := map[string]string{}
			for _, c := range w.took() {
				got[c.at] = c.get("Cookie")
			}
			want := map[string]string{"http://example.com/": "host=1; wide=1", "http://other.test/": "-", "http://sub.example.com/": "wide=1"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", way, diff)
			}
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v, %v", info.Mode(), err)
		}
	}
}

// TestRule34Files: a cookie file with what no such file has is refused whole.
func TestRule34Files(t *testing.T) {
	good := "example.com\tFALSE\t/\tFALSE\t0\tgood\t1\n"
	for name, text := range map[string]string{
		"NUL":             good + "example.com\tFALSE\t/\tFALSE\t0\tbad\t\x00\n",
		"CR":              good + "example.com\tFALSE\t/\tFALSE\t0\tbad\t1\rX: y\n",
		"a long line":     good + "example.com\tFALSE\t/\tFALSE\t0\tbad\t" + strings.Repeat("x", 1<<20) + "\n",
		"a comment, ESC":  good + "# \x1b[31m\n",
		"a long comment":  good + "#" + strings.Repeat("x", 1<<20) + "\n",
		"a long file":     good + strings.Repeat("#"+strings.Repeat("x", 62<<10)+"\n", 530),
		"an endless line": strings.Repeat("x", 40<<20),
		"escape":          good + "example.com\tFALSE\t/\tFALSE\t0\tbad\t\x1b[31m\n",
		"no fields":       good + "nonsense\n",
		"no domain":       good + "\tFALSE\t/\tFALSE\t0\tbad\t1\n",
		"JSON, NUL":       `[{"name":"bad","value":"\u0000","domain":"example.com","path":"/"}]`,
		"JSON, no domain": `[{"name":"bad","value":"1","domain":"","path":"/"}]`,
		"JSON, cut":       `[{"name":"bad","value":"1","domain":"example.com"`,
		"JSON, deep":      strings.Repeat("[", 1<<20),
	} {
		jar := requests.NewCookieJar()
		err := jar.Load(wiretest.File(t, "cookies", []byte(text)), requests.KeepSessionCookies)
		if err == nil || jar.Len() > 0 {
			t.Errorf("%s: %v, %d cookies", name, err, jar.Len())
		}
	}
}

// TestRule14Ways: netrc has nothing for the target of a redirect, however that is
// followed; a host is found by what it is, not by what stands before it.
func TestRule14Ways(t *testing.T) {
	t.Setenv("NETRC", wiretest.File(t, "netrc", []byte("machine other.test login bob password t\nmachine example.com login ada password s\n")))
	const ada, bob = "Basic YWRhOnM=", "Basic Ym9iOnQ="
	for way, walk := range walkers {
		w := newWorld(t)
		s := w.session(t)
		s.TrustEnv, s.Proxies = true, requests.Proxies{"all": ""}
		if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", "http://example.com/", "http://other.test/away", "http://example.com/away"), nil); err != nil {
			t.Fatal(way, err)
		}
		for _, c := range w.took() {
			if strings.HasSuffix(c.at, "/away") != (c.get("Authorization") == "-") {
				t.Errorf("%s: at %s: %s", way, c.at, c.get("Authorization"))
			}
		}
		for target, want := range map[string]string{
			"http://OTHER.test/": bob, "http://other.test:8080/": bob, "https://other.test/": bob, "http://sub.example.com/": "-",
			"http://example.com:@other.test/": "Basic ZXhhbXBsZS5jb206", "http://other.test:x@example.com/": "Basic b3RoZXIudGVzdDp4", "http://ada@example.com/": ada,
			"http://eve@example.com/": "-",
		} {
			if err := walk(t.Context(), s, "GET", target, nil); err != nil {
				t.Fatal(way, target, err)
			}
			if way == "http.Client" && want == "-" && strings.Contains(target, "@") {
				want = "Basic ZXZlOg==" // net/http's own doing
			}
			if got := w.values("Authorization"); got[0] != want {
				t.Errorf("%s: %s: %s, want %s", way, target, got[0], want)
			}
		}
	}
}

// TestRule12Ways: no hop of another origin is told where the request came from.
func TestRule12Ways(t *testing.T) {
	for way, walk := range walkers {
		w := newWorld(t)
		s := w.session(t)
		for _, places := range [][]string{{"http://u:p@example.com/", "http://other.test/"}, {"https://u:p@example.com/", "https://sub.example.com/"}, {"http://example.com/", "https://example.com/"}} {
			if err := walk(t.Context(), s, "GET", chain(302, places...), nil); err != nil {
				t.Fatal(way, err)
			}
			for i, got := range w.values("Referer") {
				if got != "-" {
					t.Errorf("%s along %v, hop %d: Referer: %s", way, places, i, got)
				}
			}
		}
	}
}
