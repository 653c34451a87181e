package requests

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
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

func TestCookieFilter(t *testing.T) {
	forgetful := NewCookieJar(CookieFilter(func(Cookie) bool { return false }))
	forgetful.receive("http://a.test/", []string{"a=1"})
	forgetful.Update(assortedJar(t))
	if err := forgetful.Set(Cookie{Name: "a", Value: "1"}); err != nil {
		t.Fatal(err)
	}
	only := NewCookieJar(CookieFilter(func(c Cookie) bool { return c.Name != "ad" })).Clone()
	only.receive("http://a.test/", []string{"a=1", "ad=2", "b=3"})
	if diff := cmp.Diff([]string{"", "a=1; b=3"}, []string{forgetful.Header("http://a.test/"), only.Header("http://a.test/")}); diff != "" {
		t.Errorf("Header (-want +got):\n%s", diff)
	}
}

// A remembered line is forgotten when the jar changes, in whatever way.
func TestCookieLineIsFresh(t *testing.T) {
	const u = "http://a.test/x/y"
	j := NewCookieJar()
	var got []string
	steps := []func(){
		func() { j.receive(u, []string{"a=1"}) },
		func() { _ = j.Set(Cookie{Name: "b", Value: "2"}) },
		func() { j.receive(u, []string{"a=3"}) },
		func() { j.Delete("b", "", "") },
		func() { j.Update(assortedJar(t)) },
		func() { j.Delete("everywhere", "", "") },
		func() { j.usePolicy(&Policy{NetscapeCookies: true}) },
		func() { j.Clear() },
	}
	for _, step := range steps {
		step()
		got = append(got, j.Header(u), j.Header("http://a.test/"), j.Header("http://sub.a.test/x"))
	}
	want := []string{
		"a=1", "", "",
		"a=1; b=2", "b=2", "b=2",
		"a=3; b=2", "b=2", "b=2",
		"a=3", "", "",
		"a=3; domain=2; everywhere=8", "domain=2; everywhere=8", "domain=2; everywhere=8",
		"a=3; domain=2", "domain=2", "domain=2",
		"a=3; domain=2", "domain=2", "a=3; domain=2",
		"", "", "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Header after each step (-want +got):\n%s", diff)
	}
}

// For the race detector: everything at once.
func TestCookieJarConcurrently(t *testing.T) {
	j := NewCookieJar()
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			u := fmt.Sprintf("http://h%d.test/p/", n%8)
			for i := range 50 {
				j.receive(u, []string{fmt.Sprintf("c%d=%d", i%5, i), "gone=; Max-Age=0"})
				j.Header(u)
				_ = j.Set(Cookie{Name: "hand", Value: "1", Domain: "h1.test"})
				j.usePolicy(&Policy{NetscapeCookies: n%2 == 0 && i%2 == 0})
				switch i % 8 {
				case 0:
					j.Clone().Update(j)
				case 1:
					j.Delete("c1", "", "")
				case 2:
					_, _ = j.MarshalJSON()
				case 3:
					j.Cookies(&url.URL{Scheme: "http", Host: "h1.test"})
				case 4:
					j.Update(NewCookieJar())
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for range j.All() {
		n++
	}
	if diff := cmp.Diff(n, j.Len()); diff != "" {
		t.Errorf("Len (-counted +got):\n%s", diff)
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
			j.receive("https://www.example.com/", []string{fmt.Sprintf("cookie%d=value-%d; Path=/; Domain=example.com; Max-Age=3600", i, i)})
		}
		b.Run(fmt.Sprintf("%d cookies", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				j.Header("https://www.example.com/api/v1/users?page=2")
			}
		})
	}
	j := NewCookieJar()
	j.receive("https://www.example.com/api/v1/", []string{"a=1", "b=2; Path=/", "c=3; Path=/api"})
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
			j.store(none)
		}
	})
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			j.store(r)
		}
	})
}
