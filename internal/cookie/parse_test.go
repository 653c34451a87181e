package cookie

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// setFrom is what a server at http://www.a.test/dir/page leaves in a jar.
func setFrom(rules Rules, fields ...string) (*ruledJar, []Cookie) {
	j := newJar(rules)
	j.Clock = func() time.Time { return time.Unix(recordedNow, 0) }
	j.receive("http://www.a.test/dir/page", fields...)
	return j, j.cookies()
}

func at(seconds int64) time.Time { return time.Unix(recordedNow+seconds, 0).UTC() }

type setCookieTest struct {
	field string
	want  Cookie // the zero Cookie: refused
}

func checkSetCookies(t *testing.T, rules Rules, usual Cookie, tests []setCookieTest) {
	t.Helper()
	for _, tt := range tests {
		var want []Cookie
		if tt.want != (Cookie{}) {
			c := tt.want
			if c.Domain == "" {
				c.Domain, c.HostOnly = usual.Domain, true
			}
			if c.Path == "" {
				c.Path = usual.Path
			}
			want = append(want, c)
		}
		_, got := setFrom(rules, tt.field)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.field, diff)
		}
	}
}

// By RFC 6265bis sections 5.6 and 5.7.
func TestSetCookie(t *testing.T) {
	ab := Cookie{Name: "a", Value: "b"}
	with := func(f func(*Cookie)) Cookie {
		c := ab
		f(&c)
		return c
	}
	ends := func(seconds int64) Cookie { return with(func(c *Cookie) { c.Expires = at(seconds) }) }
	path := func(p string) Cookie { return with(func(c *Cookie) { c.Path = p }) }
	checkSetCookies(t, Rules{}, Cookie{Domain: "www.a.test", Path: "/dir"}, []setCookieTest{
		{"a=b", ab},
		{" \ta \t=\t b ", ab},
		{"a=b;", ab},
		{"a=b; ;; =; ;Unknown=1", ab},
		{"a=", Cookie{Name: "a"}},
		{`a="b c"`, Cookie{Name: "a", Value: `"b c"`}},
		{`a="b;c"`, Cookie{Name: "a", Value: `"b`}},
		{"a=b=c==", Cookie{Name: "a", Value: "b=c=="}},
		{"a=b, c=d", Cookie{Name: "a", Value: "b, c=d"}},
		{"a=\xe9\xff", Cookie{Name: "a", Value: "\xe9\xff"}},
		{"flag", Cookie{Value: "flag"}},
		{"=flag", Cookie{Value: "flag"}},
		{" \t= flag\t; Path=/x", Cookie{Value: "flag", Path: "/x"}},
		{"==a", Cookie{Value: "=a"}},
		{"=a=b", Cookie{Value: "a=b"}},
		{"flag; Domain=a.test; Secure", Cookie{Value: "flag", Domain: ".a.test", Secure: true}},
		{"=__Host-a=b", Cookie{}},
		{"__secure-a; Secure", Cookie{}},
		{strings.Repeat("v", maxSize), Cookie{Value: strings.Repeat("v", maxSize)}},
		{strings.Repeat("v", maxSize+1), Cookie{}},
		{"", Cookie{}},
		{"=", Cookie{}},
		{" ; a=b", Cookie{}},
		{"; a=b", Cookie{}},
		{"a=b\x01", Cookie{}},
		{"a=b; Path=/\x7f", Cookie{}},
		{"a=" + strings.Repeat("v", maxSize-1), Cookie{Name: "a", Value: strings.Repeat("v", maxSize-1)}},
		{"a=" + strings.Repeat("v", maxSize), Cookie{}},
		{"a=b; PATH = /x ", path("/x")},
		{"a=b; Path=/x; Path=/y", path("/y")},
		{"a=b; Path=/x; Path=", ab},
		{"a=b; Path=x", ab},
		{"a=b; Path=/" + strings.Repeat("p", maxAttributeSize), ab},
		{"a=b; Path=/elsewhere", path("/elsewhere")},
		{"a=b; Domain=A.Test", with(func(c *Cookie) { c.Domain = ".a.test" })},
		{"a=b; Domain=.a.test", with(func(c *Cookie) { c.Domain = ".a.test" })},
		{"a=b; Domain=www.a.test", with(func(c *Cookie) { c.Domain = ".www.a.test" })},
		{"a=b; Domain=", ab},
		{"a=b; Domain=b.test; Domain=", Cookie{}},
		{"a=b; Domain=b.test; Domain=a.test", with(func(c *Cookie) { c.Domain = ".a.test" })},
		{"a=b; Domain=b.test", Cookie{}},
		{"a=b; Domain=..a.test", Cookie{}},
		{"a=b; Domain=.", Cookie{}},
		{"a=b; Domain=w.a.test", Cookie{}},
		{"a=b; Domain=.test", Cookie{}},
		{"a=b; Secure", with(func(c *Cookie) { c.Secure = true })},
		{"a=b; secure=no; HTTPONLY", with(func(c *Cookie) { c.Secure, c.HTTPOnly = true, true })},
		{"a=b; samesite=STRICT", with(func(c *Cookie) { c.SameSite = "Strict" })},
		{"a=b; SameSite=Maybe", ab},
		{"a=b; Max-Age=60", ends(60)},
		{"a=b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ends(60)},
		{"a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", ends(60)},
		{"a=b; Max-Age=60; Max-Age=90", ends(90)},
		{"a=b; Max-Age=+60", ab},
		{"a=b; Max-Age=6,0", ab},
		{"a=b; Max-Age=", ab},
		{"a=b; Max-Age=-", ab},
		{"a=b; Max-Age=99999999999999999999", ends(int64(maxAge / time.Second))},
		{"a=b; Max-Age=0", Cookie{}},
		{"a=b; Max-Age=-1", Cookie{}},
		{"a=b; Expires=Tue, 14 Nov 2023 22:14:20 GMT", ends(60)},
		{"a=b; Expires=Tue, 14 Nov 2023 22:13:20 GMT", Cookie{}},
		{"a=b; Expires=Tue, 14 Nov 2199 22:13:20 GMT", ends(int64(maxAge / time.Second))},
		{"a=b; Expires=never", ab},
	})
}

// By http.cookiejar, as recorded.
func TestNetscapeSetCookie(t *testing.T) {
	ab := Cookie{Name: "a", Value: "b"}
	ends := func(seconds int64) Cookie { return Cookie{Name: "a", Value: "b", Expires: at(seconds)} }
	checkSetCookies(t, Rules{Netscape: true}, Cookie{Domain: "www.a.test", Path: "/dir"}, []setCookieTest{
		{"a=b", ab},
		{"\xa0a = b\x85", ab},
		{"a", Cookie{Name: "a", NoValue: true}},
		{"=b", Cookie{}},
		{`a="b\"c"`, Cookie{Name: "a", Value: `"bc"`}},
		{`a=b\"c`, Cookie{Name: "a", Value: `b\"c`}},
		{"a=b; Domain=.test", Cookie{}},
		{"a=b; Domain=a.test", Cookie{Name: "a", Value: "b", Domain: ".a.test"}},
		{"a=b; Domain=b.test", Cookie{}},
		{"a=b; Domain", Cookie{}},
		{"a=b; Path", Cookie{}},
		{"a=b; Path=", ab},
		{"a=b; x=" + strings.Repeat("y", maxNetscapeField-len("a=b; x=")), ab},
		{"a=b; x=" + strings.Repeat("y", maxNetscapeField-len("a=b; x=")+1), Cookie{}},
		{"a=b; Path=/x; Path=/y", Cookie{Name: "a", Value: "b", Path: "/x"}},
		{"a=b; Path=/\xe9 %2f", Cookie{Name: "a", Value: "b", Path: "/%C3%A9%20%2F"}},
		{"a=b; Secure", Cookie{Name: "a", Value: "b", Secure: true}},
		{"a=b; Secure=", ab},
		{"a=b; Max-Age=60", ends(60)},
		{"a=b; Max-Age= +6_0 ", ends(60)},
		{"a=b; Max-Age=soon", Cookie{}},
		{"a=b; Max-Age", Cookie{}},
		{"a=b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ends(60)},
		{"a=b; Expires=Tue, 14-Nov-23 22:14:20 GMT", ends(60)},
		{"a=b; Expires=\"14 Nov 2023 22:14:20 +0000\"", ends(60)},
		{"a=b; Expires=14/11/2023 22:14:20", ends(60)},
		{"a=b; Expires=14 Nov 2023 22:14 PM", ab},
		{"a=b; Expires=never", ab},
		{"a=b; Version=1", Cookie{Name: "a", Value: "b", Path: "/dir/"}},
		{"a=b; Version=2", Cookie{}},
		{"a=b; Version=-1", Cookie{}},
		{"a=b; Version", Cookie{}},
		{"a=b; Port=8080,80", ab},
		{"a=b; Port", ab},
		{"a=b; Port=8080", Cookie{}},
		{`a=b; Port="80"`, Cookie{}},
		{"a=b\x00", Cookie{}},
	})
	spoilt, _ := setFrom(Rules{Netscape: true}, "a=1", "b=2; Max-Age")
	deleted, _ := setFrom(Rules{Netscape: true}, "a=1", "a=; Max-Age=0")
	if diff := cmp.Diff([]int{0, 1}, []int{spoilt.Len(), deleted.Len()}); diff != "" {
		t.Errorf("cookies of a reply with a Max-Age without value, and of one that sets and deletes (-want +got):\n%s", diff)
	}
}

func TestNetscapeHosts(t *testing.T) {
	tests := []struct{ from, field, to, want string }{
		{"http://localhost/", "a=1", "http://localhost:8080/", "a=1"},
		{"http://localhost/", "a=1; Domain=localhost", "http://localhost/", ""},
		{"http://a.test/", "a=1", "http://www.a.test/", "a=1"},
		{"http://www.a.co.uk/", "a=1; Domain=co.uk", "http://b.co.uk/", "a=1"},
		{"http://1.2.3.4/", "a=1; Domain=1.2.3.4", "http://1.2.3.4/", "a=1"},
		{"http://[::1]/", "a=1", "http://[::1]:81/", "a=1"},
		{"http://a.test/", "a=1; Secure", "https://a.test/", "a=1"},
		{"http://localhost/", "a=1; Secure", "http://localhost/", ""},
		{"http://a.test/", "a=1; Port=80,81", "http://a.test:81/", "a=1"},
		{"http://a.test/", "a=1; Port=80", "http://a.test:81/", ""},
		{"http://a.test/", "a=1; Port=80", "https://a.test/", "a=1"},
	}
	for _, tt := range tests {
		j := newJar(Rules{Netscape: true})
		j.receive(tt.from, tt.field)
		if diff := cmp.Diff(tt.want, j.header(tt.to)); diff != "" {
			t.Errorf("%s from %s to %s (-want +got):\n%s", tt.field, tt.from, tt.to, diff)
		}
	}
}

// TestTextWithoutDomain: a line that names no domain is not a cookie for every host.
func TestTextWithoutDomain(t *testing.T) {
	for _, domain := range []string{"", "."} {
		for _, below := range []string{"TRUE", "FALSE"} {
			line := []byte(domain + "\t" + below + "\t/\tFALSE\t0\tsid\t1\n")
			for _, rules := range []Rules{{}, {Netscape: true}} {
				if got, err := ReadText(line, false, rules); err == nil {
					t.Errorf("%q: %v", line, got)
				}
				if got, err := ReadText(line, true, rules); err != nil || len(got) > 0 {
					t.Errorf("%q, bad lines left out: %v, %v", line, got, err)
				}
			}
		}
	}
}
