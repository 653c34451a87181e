package uri

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/cases"
)

var seeds = []string{
	"http://example.com", "HTTP://EXAMPLE.com:080/a/../b?q=%zz&x=%41#f", "http://u:p@[FE80::1%25eth0]:8080/ä?ö#ü",
	"http://0x7f.1/", "http://bücher.example/ß", "http+unix://%2Fvar%2Frun/x", "mailto:a@b", "//host/x", "/a/./b", "", "?",
	`http://a\b@c/`, "http://xn--n3h.net./", "http://h?#", "http:///x", " \thttp://h/\r\n", "ftp://h;x/y;z", "http://[::1", "a@b:c@d",
	"http://%25:%41@h/%2F/..;p?%#%", "http://h:99999/", "http:h", "http://h/..//.", "%", "%4", "\xff", "http://\xff/",
}

// checkHost holds for every host that Parse returns.
func checkHost(t *testing.T, s string, u *URL) {
	t.Helper()
	if !u.isWeb() {
		return
	}
	if u.Host == "" || !ascii.Only(u.Host) || ascii.Lower(u.Hostname()) != u.Hostname() {
		t.Errorf("host of %q is %q", s, u.Host)
	}
	if strings.ContainsAny(u.Host, "\r\n\t \x00@/\\?#[]<>\"") {
		t.Errorf("host of %q is %q", s, u.Host)
	}
	if _, err := netip.ParseAddr(u.Host); strings.Contains(u.Host, ":") && err != nil {
		t.Errorf("host of %q is %q", s, u.Host)
	}
	if colon := strings.LastIndexByte(u.DialAddr(), ':'); u.DialAddr()[:colon] != bracket(u.DialHost(), "%") {
		t.Errorf("address of %q is %q for host %q", s, u.DialAddr(), u.DialHost())
	}
	if again, bad := normaliseHost(bracket(u.Host, "%25")); bad != nil || canonical(again) != u.Host {
		t.Errorf("host %q of %q becomes %q", u.Host, s, again)
	}
}

func canonical(host string) string {
	name, _ := canonicalIPv4(host)
	return name
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	for _, seed := range cases.Seeds("urls.json", "absolute", "input") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := Parse(s)
		if err != nil {
			return
		}
		checkHost(t, s, &u)
		again, err := Parse(u.String())
		u.hostPort, again.hostPort = "", "" // how it was written
		if u.isWeb() && (err != nil || again != u) {
			t.Errorf("Parse(%q) = %+v\nas text %q: %+v, %v", s, u, u.String(), again, err)
		}
		text, err := splitText(s)
		if err != nil || !u.isWeb() {
			return
		}
		_, hostport, _ := text.userinfo()
		host, port, _, ok := splitHostPort(hostport)
		name, bad := normaliseHost(host)
		if !ok || bad != nil || canonical(name) != u.Host || port != u.Port {
			t.Errorf("%q: text has host %q, parse %q", s, hostport, u.Host)
		}
	})
}

func FuzzPrepare(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "a b")
	}
	for _, seed := range cases.Seeds("urls.json", "absolute", "input") {
		f.Add(seed, "a b")
	}
	f.Fuzz(func(t *testing.T, s, query string) {
		prepared, err := PrepareText(s, "")
		if err != nil || !isWebURL(prepared) {
			return
		}
		u, err := Parse(prepared)
		if err != nil {
			t.Fatalf("Parse(Prepare(%q) = %q): %v", s, prepared, err)
		}
		checkHost(t, prepared, &u)
		if hasControl(prepared) || !ascii.Only(prepared) || strings.Contains(prepared, " ") {
			t.Errorf("Prepare(%q) = %q", s, prepared)
		}
		// A dot written as an escape is decoded, and gone the second time.
		again, err := PrepareText(prepared, "")
		if err != nil || again != prepared && !strings.Contains(prepared, "/.") {
			t.Errorf("Prepare(%q) = %q, and again %q, %v", s, prepared, again, err)
		}
		if with, err := PrepareText(s, query); err == nil && query != "" && utf8.ValidString(query) {
			if v, err := Parse(with); err != nil || v.Host != u.Host || v.Port != u.Port {
				t.Errorf("params moved %q to %q, %v", prepared, with, err)
			}
		}
		if target := RequestTarget(prepared); target == "" || target[0] != '/' || strings.ContainsAny(target, "# \\") {
			t.Errorf("target of %q is %q", prepared, target)
		}
	})
}

func isWebURL(s string) bool { scheme, _ := cutScheme(s); return isWebScheme(scheme) }

func FuzzResolveRedirect(f *testing.F) {
	for _, s := range seeds {
		f.Add("http://base.test/a/b?c#d", s)
	}
	for _, seed := range cases.Seeds("urls.json", "relative", "location") {
		f.Add("http://base.test/a/b?c#d", seed)
	}
	for _, seed := range cases.FieldSeeds("Location") {
		f.Add("http://base.test/a/b?c#d", seed)
	}
	f.Fuzz(func(t *testing.T, base, location string) {
		prepared, err := Prepare(base, nil)
		if err != nil || !isWebURL(prepared) {
			return
		}
		target, err := ResolveRedirect(prepared, location, "kept")
		if err != nil {
			return
		}
		if hasControl(target) || !ascii.Only(target) || strings.Contains(target, " ") {
			t.Errorf("ResolveRedirect(%q, %q) = %q", base, location, target)
		}
		if u, err := Parse(target); err == nil {
			checkHost(t, target, &u)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	for _, seed := range cases.Seeds("urls.json", "relative", "location") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := Requote(s)
		if countOthers(quoted, uriChars|percent) > 0 {
			t.Errorf("Requote(%q) = %q", s, quoted)
		}
		if again := Requote(quoted); again != quoted && allEscaped(quoted) && allEscaped(s) && unquotesToItself(quoted) {
			t.Errorf("Requote(%q) = %q, and again %q", s, quoted, again)
		}
		if target := RequestTarget(s); countOthers(target, queryChars|percent) > 0 {
			t.Errorf("RequestTarget(%q) = %q", s, target)
		}
		if target, err := AbsoluteTarget(s); err == nil && isWebURL(target) && (hasControl(target) || strings.Contains(target, "#")) {
			t.Errorf("AbsoluteTarget(%q) = %q", s, target)
		}
		Join(s, "x/../y")
		Join("http://h/a", s)
		DefragAuth(s)
		SplitAuth(s)
		PrependScheme(s, "http")
		ShouldStripAuth(s, s)
		if strings.Contains(StripUserinfo(s), "secret") && !strings.Contains(s, "secret") {
			t.Errorf("StripUserinfo(%q)", s)
		}
	})
}

// unquotesToItself reports whether decoding leaves no new escapes, as "%2541" does.
func unquotesToItself(s string) bool {
	unquoted, err := UnquoteUnreserved(s)
	return err == nil && unquoted == s
}
