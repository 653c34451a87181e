package requests

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// jarLines shows a jar as "name=value domain path" lines.
func jarLines(j *CookieJar) []string {
	var lines []string
	for c := range j.All() {
		lines = append(lines, fmt.Sprintf("%s=%s %s %s", c.Name, c.Value, c.Domain, c.Path))
	}
	return lines
}

func TestRule33PublicSuffixes(t *testing.T) {
	tests := []struct {
		url, field string
		want       []string
	}{
		{"http://www.shop.co.uk/", "a=1; Domain=co.uk", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=CO.UK", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=.co.uk", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=co.uk.", nil},
		{"http://www.shop.co.uk./", "a=1; Domain=co.uk.", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=uk", nil},
		{"http://me.github.io/", "a=1; Domain=github.io", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=op.co.uk", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=1.2.3.4", nil},
		{"http://1.2.3.4/", "a=1; Domain=2.3.4", nil},
		{"http://1.2.3.4/", "a=1; Domain=.1.2.3.4", nil},
		{"http://[::1]/", "a=1; Domain=1", nil},
		{"http://1.2.3.4/", "a=1; Domain=1.2.3.4", []string{"a=1 1.2.3.4 /"}},
		{"http://co.uk/", "a=1; Domain=co.uk", []string{"a=1 co.uk /"}},
		{"http://www.shop.co.uk/", "a=1; Domain=Shop.CO.uk", []string{"a=1 .shop.co.uk /"}},
		{"http://www.shop.co.uk/", "a=1; Domain=", []string{"a=1 www.shop.co.uk /"}},
	}
	for _, tt := range tests {
		j := NewCookieJar()
		j.receive(tt.url, []string{tt.field})
		if diff := cmp.Diff(tt.want, jarLines(j)); diff != "" {
			t.Errorf("%s from %s (-want +got):\n%s", tt.field, tt.url, diff)
		}
	}
	j := NewCookieJar(AnyDomain())
	j.receive("http://www.shop.co.uk/", []string{"a=1; Domain=co.uk"})
	if diff := cmp.Diff("a=1", j.Header("http://other.co.uk/")); diff != "" {
		t.Errorf("AnyDomain (-want +got):\n%s", diff)
	}
}

func TestRule24Zones(t *testing.T) {
	j := NewCookieJar()
	j.receive("http://www.example.com/", []string{"a=1; Domain=example.com"})
	for _, url := range []string{"http://[fe80::1%25.example.com]/", "http://[fe80::1%25www.example.com]/"} {
		if got := j.Header(url); got != "" {
			t.Errorf("Header(%s) = %q, want none", url, got)
		}
	}
}

func TestRule35HostHeader(t *testing.T) {
	s, sent := stubSession(func(p *PreparedRequest) *Response {
		return NewResponse(p, 200, Headers{{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2; Domain=bank.test"}}, nil)
	})
	for range 2 {
		if _, err := s.Get(t.Context(), "http://mine.test/", Headers{{"Host", "www.bank.test"}}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"", "a=1"}
	got := []string{(*sent)[0].Headers.Get("Cookie"), (*sent)[1].Headers.Get("Cookie")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Cookie (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a=1 mine.test /"}, jarLines(s.Cookies)); diff != "" {
		t.Errorf("jar (-want +got):\n%s", diff)
	}
}

func TestRule29SetCookieBounds(t *testing.T) {
	for _, options := range [][]JarOption{nil, {NetscapeRules()}} {
		j := NewCookieJar(options...)
		for host := range 20 {
			fields := make([]string, 300)
			for i := range fields {
				fields[i] = fmt.Sprintf("c%d=%d", i, i)
			}
			j.receive(fmt.Sprintf("http://h%d.test/", host), fields)
		}
		one := len(strings.Split(j.Header("http://h19.test/"), "; "))
		if diff := cmp.Diff([]int{maxDomainCookies, maxJarCookies}, []int{one, j.Len()}); diff != "" {
			t.Errorf("cookies of a host, of all (-want +got):\n%s", diff)
		}
	}
}

// A server that makes and deletes cookies leaves nothing behind.
func TestDeletedCookiesLeaveNothing(t *testing.T) {
	for _, options := range [][]JarOption{nil, {NetscapeRules()}} {
		j := NewCookieJar(options...)
		for i := range maxJarCookies + 200 {
			url := fmt.Sprintf("http://h%d.test/", i)
			path := fmt.Sprintf("; Path=/%d", i)
			j.receive(url, []string{"a=1", "b=1; Max-Age=9"})
			j.receive(url, []string{"a=; Max-Age=0", "b=; Max-Age=0"})
			j.receive("http://one.test/", []string{"a=1" + path})
			j.receive("http://one.test/", []string{"a=; Max-Age=0" + path})
		}
		if n := len(j.index.domains); n > maxJarCookies {
			t.Errorf("%d domains kept", n)
		}
		if n := len(j.index.byName["one.test"].paths); n > maxDomainCookies {
			t.Errorf("%d paths kept", n)
		}
	}
}

func TestRule22CookieText(t *testing.T) {
	bad := []Cookie{
		{Name: ""}, {Name: "a b\r\nX: y"}, {Name: "a", Value: "1\r\nX: y"}, {Name: "a", Value: "\x00"}, {Name: "a;b"}, {Name: "a=b"},
		{Name: " a"}, {Name: "a", Path: "x"}, {Name: "a", Path: "/\n"}, {Name: "a", Domain: "x y"}, {Name: "a", Domain: "x/y"},
		{Name: "a", Domain: "x.test:80"}, {Name: "a", Domain: "u@x.test"}, {Name: "a", Domain: "."}, {Name: "a", Domain: "x\n.test"},
	}
	j := NewCookieJar()
	for _, c := range bad {
		if err := j.Set(c); !isKind(err, ErrInvalidArgument) {
			t.Errorf("Set(%#v) = %v, want ErrInvalidArgument", c, err)
		}
	}
	for _, field := range []string{"a=\x00", "a=1\rb", "a=1; Path=/\x01", "a\x7f=1"} {
		for _, options := range [][]JarOption{nil, {NetscapeRules()}} {
			server := NewCookieJar(options...)
			server.receive("http://h.test/", []string{field})
			if server.Len() != 0 {
				t.Errorf("%q was kept", field)
			}
		}
	}
	if diff := cmp.Diff([]string(nil), jarLines(j)); diff != "" {
		t.Errorf("jar (-want +got):\n%s", diff)
	}
}

func isKind(err error, kind Kind) bool {
	e, ok := err.(*Error)
	return ok && e.Kind == kind
}

func TestSecureCookiesOverHTTP(t *testing.T) {
	const https, http = "https://www.a.test/x/y", "http://www.a.test/x/y"
	tests := []struct {
		name          string
		first, second string // fields set over https, then over http
		want          string // sent over https
	}{
		{"replaced", "s=1; Secure", "s=2", "s=1"},
		{"replaced by a Secure one", "s=1; Secure", "s=2; Secure", "s=1"},
		{"deleted", "s=1; Secure", "s=; Max-Age=0", "s=1"},
		{"shadowed by a longer path", "s=1; Secure; Path=/x", "s=2; Path=/x/y", "s=1"},
		{"shadowed by the parent domain", "s=1; Secure", "s=2; Domain=a.test", "s=1"},
		{"another path", "s=1; Secure; Path=/x/y", "s=2; Path=/", "s=1; s=2"},
		{"another name", "s=1; Secure", "t=2", "s=1; t=2"},
		{"not Secure", "s=1", "s=2", "s=2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := NewCookieJar()
			j.receive(https, []string{tt.first})
			j.receive(http, []string{tt.second})
			if diff := cmp.Diff(tt.want, j.Header(https)); diff != "" {
				t.Errorf("Header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCookiePrefixes(t *testing.T) {
	tests := []struct{ url, field, want string }{
		{"https://a.test/", "__Secure-n=1; Secure", "__Secure-n=1"},
		{"https://a.test/", "__Secure-n=1", ""},
		{"http://a.test/", "__Secure-n=1; Secure", ""},
		{"https://a.test/", "__Host-n=1; Secure; Path=/", "__Host-n=1"},
		{"https://a.test/", "__Host-n=1; Secure", ""},
		{"https://a.test/", "__Host-n=1; Secure; Path=/; Domain=a.test", ""},
		{"https://a.test/", "__Host-n=1; Path=/", ""},
		{"https://a.test/", "__hOST-n=1; Path=/", ""},
		{"https://a.test/", "__secure-n=1", ""},
	}
	for _, tt := range tests {
		j := NewCookieJar()
		j.receive(tt.url, []string{tt.field})
		if diff := cmp.Diff(tt.want, j.Header("https://a.test/")); diff != "" {
			t.Errorf("%s over %s (-want +got):\n%s", tt.field, tt.url, diff)
		}
	}
}

func TestCookieExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := NewCookieJar()
		j.receive("http://a.test/", []string{"a=1; Max-Age=10", "b=2; Max-Age=20", "c=3", "d=4; Max-Age=99999999999999999999"})
		var got []string
		for range 4 {
			got = append(got, j.Header("http://a.test/"))
			time.Sleep(10 * time.Second)
		}
		time.Sleep(maxCookieAge)
		got = append(got, j.Header("http://a.test/"))
		want := []string{"a=1; b=2; c=3; d=4", "b=2; c=3; d=4", "c=3; d=4", "c=3; d=4", "c=3"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Header every ten seconds, and after 400 days (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]int{4, 3, 1}, []int{j.Len(), j.ClearExpired(), j.Len()}); diff != "" {
			t.Errorf("ClearExpired (-want +got):\n%s", diff)
		}
	})
}

// Cookies given without a domain stay with the origin they were given for.
func TestRule08CallCookies(t *testing.T) {
	tests := []struct {
		name   string
		policy Policy
		hops   []string
		want   []string
	}{
		{"another host and back", Policy{}, []string{"http://a.test/", "http://b.test/", "http://b.test/2", "http://a.test/3"}, []string{"s=1; c=2", "", "", "s=1; c=2"}},
		{"a subdomain", Policy{}, []string{"http://a.test/", "http://x.a.test/"}, []string{"s=1; c=2", ""}},
		{"another port", Policy{}, []string{"http://a.test/", "http://a.test:81/"}, []string{"s=1; c=2", ""}},
		{"the same origin", Policy{}, []string{"http://a.test/", "http://a.test/2"}, []string{"s=1; c=2", "s=1; c=2"}},
		{"its https side", Policy{}, []string{"http://a.test/", "https://a.test/2"}, []string{"s=1; c=2", "s=1; c=2"}},
		{"an address", Policy{}, []string{"http://[::1]/", "http://[::1]/2", "http://[::2]/"}, []string{"s=1; c=2", "s=1; c=2", ""}},
		{"as Requests", PolicyRequests(), []string{"http://a.test/", "http://b.test/"}, []string{"s=1; c=2", "s=1; c=2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hop := 0
			s, sent := stubSession(func(p *PreparedRequest) *Response {
				if hop++; hop < len(tt.hops) {
					return NewResponse(p, 302, Headers{{"Location", tt.hops[hop]}}, nil)
				}
				return NewResponse(p, 200, nil, nil)
			})
			s.Policy = tt.policy
			if err := s.Cookies.Set(Cookie{Name: "s", Value: "1"}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(t.Context(), tt.hops[0], Cookies{{"c", "2"}}); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range *sent {
				got = append(got, p.Headers.Get("Cookie"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Cookie of each hop (-want +got):\n%s", diff)
			}
		})
	}
}

// Cookies that the session does not keep still live as long as the call.
func TestForgetfulRedirect(t *testing.T) {
	forget := NewCookieJar(CookieFilter(func(Cookie) bool { return false }))
	for name, jar := range map[string]*CookieJar{"forgetful": forget, "none": nil} {
		s, sent := stubSession(func(p *PreparedRequest) *Response {
			if p.URL == "http://a.test/" {
				return NewResponse(p, 302, Headers{{"Set-Cookie", "a=1"}, {"Location", "/2"}}, nil)
			}
			return NewResponse(p, 200, nil, nil)
		})
		s.Cookies = jar
		for _, options := range [][]Option{nil, {Cookies{{"c", "2"}}}} {
			if _, err := s.Get(t.Context(), "http://a.test/", options...); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, p := range *sent {
			got = append(got, p.Headers.Get("Cookie"))
		}
		if diff := cmp.Diff([]string{"", "a=1", "c=2", "c=2; a=1"}, got); diff != "" {
			t.Errorf("%s: Cookie of each request (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(0, jar.Len()); diff != "" {
			t.Errorf("%s: cookies kept (-want +got):\n%s", name, diff)
		}
	}
}

// TestRule09RedirectCookies: a cookie belongs to the host that set it.
func TestRule09RedirectCookies(t *testing.T) {
	s, sent := stubSession(func(p *PreparedRequest) *Response {
		switch p.URL {
		case "http://a.test/":
			return NewResponse(p, 302, Headers{{"Set-Cookie", "a=1"}, {"Set-Cookie", "x=1; Domain=b.test"}, {"Location", "http://b.test/"}}, nil)
		case "http://b.test/":
			return NewResponse(p, 302, Headers{{"Set-Cookie", "b=2"}, {"Set-Cookie", "a=; Domain=a.test; Max-Age=0"}, {"Location", "http://a.test/2"}}, nil)
		}
		return NewResponse(p, 200, nil, nil)
	})
	if _, err := s.Get(t.Context(), "http://a.test/", Cookies{{"c", "3"}}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range *sent {
		got = append(got, p.URL+" "+p.Headers.Get("Cookie"))
	}
	want := []string{"http://a.test/ c=3", "http://b.test/ ", "http://a.test/2 c=3; a=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hops (-want +got):\n%s", diff)
	}
}
