package uri

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSite(t *testing.T) {
	for host, want := range map[string]string{
		"example.com": "example.com", "www.Example.com": "example.com", ".a.b.example.co.uk.": "example.co.uk", "co.uk": "co.uk",
		"a.b.evil.test": "evil.test", ".evil.test": "evil.test", "evil.test.": "evil.test", "test": "test", ".y.x.co.uk": "x.co.uk",
		"localhost": "localhost", "127.0.0.1": "127.0.0.1", "::1": "::1", "fe80::1%eth0": "fe80::1%eth0", "": "", "a.github.io": "a.github.io",
	} {
		if diff := cmp.Diff(want, Site(host)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", host, diff)
		}
	}
}

func TestWithoutDefaultPort(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"h:80", "http"}: "h", {"h:443", "http"}: "h:443", {"h:443", "https"}: "h", {"h:80", "https"}: "h:80", {"[::1]:443", "https"}: "[::1]",
		{"::80", "https"}: "::80", {"h", "http"}: "h", {"h:80", "ftp"}: "h:80",
	} {
		if diff := cmp.Diff(want, WithoutDefaultPort(in[0], in[1])); diff != "" {
			t.Errorf("%v (-want +got)\n%s", in, diff)
		}
	}
}

func TestEscape(t *testing.T) {
	all := ""
	for c := range 256 {
		all += string([]byte{byte(c)})
	}
	kept := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*/"
	for i := range len(all) {
		want := "%" + upperHex[i>>4:i>>4+1] + upperHex[i&15:i&15+1]
		for _, c := range []byte(kept) {
			if c == all[i] {
				want = all[i : i+1]
			}
		}
		if got := Escape(all[i:i+1], "*/"); got != want {
			t.Errorf("%q: %s, want %s", all[i], got, want)
		}
	}
	if diff := cmp.Diff("a%20b/%C3%BC", Escape("a b/\u00fc", "/")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
