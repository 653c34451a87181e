package requests

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNilCookieJar(t *testing.T) {
	var j *CookieJar
	_, err := j.Get("a")
	j.Update(NewCookieJar())
	j.Clear()
	j.SetCookies(&url.URL{}, nil)
	got := fmt.Sprintln(j.Len(), j.Header("http://a.test/"), j.Has("a"), errors.Is(err, ErrNoCookie), j.Delete("a", "", ""), j.ClearExpired(),
		j.ClearSession(), j.Domains(), j.Paths(), j.Map("", ""), j.Cookies(&url.URL{}), j.Clone().Len(), j)
	want := "0 false true 0 0 0 [] [] map[] [] 0 <CookieJar [0]>"
	if diff := cmp.Diff(want, strings.Join(strings.Fields(got), " ")); diff != "" {
		t.Errorf("a nil jar (-want +got):\n%s", diff)
	}
	if err := j.Set(Cookie{Name: "a"}); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("Set on a nil jar: %v", err)
	}
}

func TestCookiesByHand(t *testing.T) {
	tests := []struct {
		c    Cookie
		want string // the URLs it is sent to
	}{
		{Cookie{}, "http://a.test/ http://www.a.test/p http://b.test/ http://[::1]/ http://a.test/%C3%A9%20x/%C3/y"},
		{Cookie{Domain: "a.test"}, "http://a.test/ http://www.a.test/p http://a.test/%C3%A9%20x/%C3/y"},
		{Cookie{Domain: ".A.test"}, "http://a.test/ http://www.a.test/p http://a.test/%C3%A9%20x/%C3/y"},
		{Cookie{Domain: "a.test", HostOnly: true}, "http://a.test/ http://a.test/%C3%A9%20x/%C3/y"},
		{Cookie{Domain: "a.test", Path: "/p"}, "http://www.a.test/p"},
		{Cookie{Path: "/é x/%c3"}, "http://a.test/%C3%A9%20x/%C3/y"},
		{Cookie{Domain: "::1"}, "http://[::1]/"},
		{Cookie{Domain: "[::1]"}, "http://[::1]/"},
		{Cookie{Secure: true}, "http://[::1]/"},
		{Cookie{Expires: time.Unix(1, 0)}, ""},
		{Cookie{Domain: "test"}, "http://a.test/ http://www.a.test/p http://b.test/ http://a.test/%C3%A9%20x/%C3/y"},
	}
	for _, tt := range tests {
		j := NewCookieJar()
		tt.c.Name, tt.c.Value = "n", "v"
		if err := j.Set(tt.c); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range []string{"http://a.test/", "http://www.a.test/p", "http://b.test/", "http://[::1]/", "http://a.test/%C3%A9%20x/%C3/y", "ftp://a.test/", "not a URL"} {
			if j.Header(u) == "n=v" {
				got = append(got, u)
			}
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%#v (-want +got):\n%s", tt.c, diff)
		}
	}
}

func TestCookieHTTPJar(t *testing.T) {
	j := NewCookieJar()
	u := &url.URL{Scheme: "https", Host: "www.a.test", Path: "/x/y"}
	expires := time.Now().Add(time.Hour)
	j.SetCookies(u, []*http.Cookie{
		{Name: "a", Value: "1", Domain: "a.test", Path: "/"}, {Name: "b", Value: "2", MaxAge: 60}, {Name: "c", Value: "3", Expires: expires},
		{Name: "d", Value: "4 5", Quoted: true, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}, nil,
		{Name: "e; Domain", Value: "6"}, {Name: "f", Value: "7", MaxAge: -1}, {Name: "g", Value: "8", Domain: "b.test"},
		{Name: "h", Raw: "h=9; Path=/x"},
	})
	var got []string
	for _, c := range j.Cookies(u) {
		got = append(got, c.String())
	}
	want := []string{"b=2", "c=3", `d="4 5"`, "h=9", "a=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Cookies (-want +got):\n%s", diff)
	}
	d, err := j.Find("d", "www.a.test", "/x")
	if err != nil {
		t.Fatal(err)
	}
	wantD := Cookie{Name: "d", Value: `"4 5"`, Domain: "www.a.test", Path: "/x", Secure: true, HTTPOnly: true, HostOnly: true, SameSite: "Strict"}
	if diff := cmp.Diff(wantD, d); diff != "" {
		t.Errorf("Find (-want +got):\n%s", diff)
	}
	if c, _ := j.Find("c", "", ""); !c.Expires.Equal(expires.Truncate(time.Second)) {
		t.Errorf("expires %v, want %v", c.Expires, expires)
	}
}

// TestCookieWithoutName: what a server sets without a name is sent back as it was set.
func TestCookieWithoutName(t *testing.T) {
	s, sent := stubSession(func(p *PreparedRequest) *Response {
		return NewResponse(p, 200, Headers{{"Set-Cookie", "flag; Path=/"}, {"Set-Cookie", "a=b"}}, nil)
	})
	for _, policy := range []Policy{{}, PolicyRequests()} {
		s.Policy = policy
		s.Cookies.Clear()
		for range 2 {
			if _, err := s.Get(t.Context(), "http://a.test/"); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []string
	for _, p := range *sent {
		got = append(got, p.Headers.Get("Cookie"))
	}
	if diff := cmp.Diff([]string{"", "flag; a=b", "", "flag; a=b"}, got); diff != "" {
		t.Errorf("Cookie of each request (-want +got):\n%s", diff)
	}
	j := NewCookieJar()
	j.receive("http://a.test/", "flag", "a=b", "other") // two without a name are one
	c, err := j.Find("", "", "/")
	if err == nil {
		t.Errorf("Find of any name found one, %v", c)
	}
	if diff := cmp.Diff("other; a=b", j.Header("http://a.test/")); diff != "" {
		t.Error(diff)
	}
	if got := j.Cookies(&url.URL{Scheme: "http", Host: "a.test"}); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("Cookies, for net/http: %v", got)
	}
}

// TestCookieHostNotASCII: net/url keeps a host as it was written, and the jar is asked
// with what net/url says.
func TestCookieHostNotASCII(t *testing.T) {
	for _, host := range []string{"www.bücher.test", "WWW.BÜCHER.test:80", "www.xn--bcher-kva.test"} {
		u := &url.URL{Scheme: "http", Host: host, Path: "/x"}
		j := NewCookieJar()
		j.SetCookies(u, []*http.Cookie{{Name: "host", Value: "1"}, {Name: "wide", Value: "2", Domain: "bücher.test", Path: "/"}})
		got := []string{j.Header("http://www.bücher.test/x"), j.Header("http://www.xn--bcher-kva.test/x")}
		for _, c := range j.Cookies(u) {
			got = append(got, c.String())
		}
		want := []string{"host=1; wide=2", "host=1; wide=2", "host=1", "wide=2"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", host, diff)
		}
	}
}

func TestCookieFilter(t *testing.T) {
	forgetful := NewCookieJar(CookieFilter(func(Cookie) bool { return false }))
	forgetful.receive("http://a.test/", "a=1")
	forgetful.Update(assortedJar(t))
	if err := forgetful.Set(Cookie{Name: "a", Value: "1"}); err != nil {
		t.Fatal(err)
	}
	only := NewCookieJar(CookieFilter(func(c Cookie) bool { return c.Name != "ad" })).Clone()
	only.receive("http://a.test/", "a=1", "ad=2", "b=3")
	if diff := cmp.Diff([]string{"", "a=1; b=3"}, []string{forgetful.Header("http://a.test/"), only.Header("http://a.test/")}); diff != "" {
		t.Errorf("Header (-want +got):\n%s", diff)
	}
}

func TestCookieStringKeepsSecrets(t *testing.T) {
	j := NewCookieJar()
	c := Cookie{Name: "sid", Value: "s3cret", Domain: "a.test", Path: "/"}
	if err := j.Set(c); err != nil {
		t.Fatal(err)
	}
	_, conflict := j.Get("none")
	bad := j.Set(Cookie{Name: "sid", Value: "s3cret\n"})
	if text := fmt.Sprint(c, j, conflict, bad); strings.Contains(text, "s3cret") {
		t.Errorf("%q tells the value", text)
	}
}

func BenchmarkCookieHeader(b *testing.B) {
	for _, n := range []int{0, 5, 50} {
		j := NewCookieJar()
		for i := range n {
			j.receive("https://www.example.com/", fmt.Sprintf("cookie%d=value-%d; Path=/; Domain=example.com; Max-Age=3600", i, i))
		}
		b.Run(fmt.Sprintf("%d cookies", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				j.Header("https://www.example.com/api/v1/users?page=2")
			}
		})
	}
	j := NewCookieJar()
	j.receive("https://www.example.com/api/v1/", "a=1", "b=2; Path=/", "c=3; Path=/api")
	b.Run("paths", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			j.Header("https://www.example.com/api/v1/users?page=2")
		}
	})
	b.Run("changing paths", func(b *testing.B) {
		urls := make([]string, 1024)
		for i := range urls {
			urls[i] = fmt.Sprintf("https://www.example.com/api/v1/users/%d", i)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			j.Header(urls[i%len(urls)])
		}
	})
}

func BenchmarkCookieStore(b *testing.B) {
	p := &PreparedRequest{URL: "https://www.example.com/"}
	r := NewResponse(p, 200, Headers{{"Content-Type", "text/plain"}, {"Set-Cookie", "sid=31d4d96e407aad42; Path=/; Secure; HttpOnly; Max-Age=3600"}}, nil)
	none := NewResponse(p, 200, Headers{{"Content-Type", "text/plain"}, {"Server", "x"}}, nil)
	j := NewCookieJar()
	b.Run("none", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			j.store(none, nil)
		}
	})
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			j.store(r, nil)
		}
	})
}

// jarLines shows a jar as "name=value domain path" lines.
func jarLines(j *CookieJar) []string {
	var lines []string
	for c := range j.All() {
		lines = append(lines, fmt.Sprintf("%s=%s %s %s", c.Name, c.Value, c.Domain, c.Path))
	}
	return lines
}

func isKind(err error, kind Kind) bool {
	e, ok := err.(*Error)
	return ok && e.Kind == kind
}

func TestRule22CookiesByHand(t *testing.T) {
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
	if diff := cmp.Diff([]string(nil), jarLines(j)); diff != "" {
		t.Errorf("jar (-want +got):\n%s", diff)
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

// receive keeps the cookies of a response from url.
func (j *CookieJar) receive(url string, fields ...string) {
	var h Headers
	for _, field := range fields {
		h.Add("Set-Cookie", field)
	}
	j.store(NewResponse(&PreparedRequest{URL: url}, 200, h, nil), nil)
}

// Two sessions share a jar, and only one has the rules of http.cookiejar: neither changes
// what the jar is to the other.
func TestSharedJar(t *testing.T) {
	answer := func(p *PreparedRequest) *Response {
		return NewResponse(p, 200, Headers{{"Set-Cookie", "wide=1; Domain=co.uk"}, {"Set-Cookie", "host=2"}}, nil)
	}
	careful, sentCareful := stubSession(answer)
	recorded, sentRecorded := stubSession(answer)
	recorded.Policy, recorded.Cookies = PolicyRequests(), careful.Cookies
	for _, hop := range []struct {
		s   *Session
		url string
	}{{careful, "http://a.co.uk/"}, {recorded, "http://b.co.uk/"}, {careful, "http://x.b.co.uk/"}, {recorded, "http://x.a.co.uk/"}} {
		if _, err := hop.s.Get(t.Context(), hop.url); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, p := range slices.Concat(*sentCareful, *sentRecorded) {
		got = append(got, p.URL+" "+p.Headers.Get("Cookie"))
	}
	want := []string{"http://a.co.uk/ ", "http://x.b.co.uk/ wide=1", "http://b.co.uk/ ", "http://x.a.co.uk/ host=2; wide=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hops (-want +got):\n%s", diff)
	}
}
