package requests_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mountable/requests"
)

// A cookie put in by hand goes where its domain and path say; one without a domain
// to every host that is asked.
func ExampleCookieJar_Set() {
	s := requests.NewSession()
	defer s.Close()
	for _, c := range []requests.Cookie{
		{Name: "lang", Value: "en"},
		{Name: "sid", Value: "31d4", Domain: "example.com", Path: "/account", Secure: true},
	} {
		if err := s.Cookies.Set(c); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(s.Cookies.Header("https://www.example.com/account/orders"))
	fmt.Println(s.Cookies.Header("https://other.example/"))
	// Output:
	// sid=31d4; lang=en
	// lang=en
}

func ExampleCookieJar_Get() {
	jar := requests.NewCookieJar()
	_ = jar.Set(requests.Cookie{Name: "k", Value: "1", Domain: "a.example"})
	_ = jar.Set(requests.Cookie{Name: "k", Value: "2", Domain: "b.example"})

	_, err := jar.Get("k")
	fmt.Println(errors.Is(err, requests.ErrCookieConflict))
	_, err = jar.Get("none")
	fmt.Println(errors.Is(err, requests.ErrNoCookie))
	c, err := jar.Find("k", "b.example", "")
	fmt.Println(c.Value, err)
	fmt.Println(jar.Domains(), jar.Map("a.example", ""))
	// Output:
	// true
	// true
	// 2 <nil>
	// [a.example b.example] map[k:1]
}

func ExampleCookieJar_All() {
	jar := requests.NewCookieJar()
	_ = jar.Set(requests.Cookie{Name: "a", Value: "1", Domain: "a.example"})
	_ = jar.Set(requests.Cookie{Name: "b", Value: "2", Domain: "b.example", Expires: time.Unix(1, 0)})
	jar.ClearExpired()
	for c := range jar.All() {
		fmt.Println(c.Name, c.Value, c.Domain, c.Path)
	}
	fmt.Println(jar.Delete("a", "", ""), jar.Len())
	// Output:
	// a 1 a.example /
	// 1 0
}

// Save and Load leave session cookies out unless asked for.
func ExampleCookieJar_Save() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "cookies.txt")

	jar := requests.NewCookieJar()
	_ = jar.Set(requests.Cookie{Name: "session", Value: "1", Domain: "example.com"})
	_ = jar.Set(requests.Cookie{Name: "lasting", Value: "2", Domain: "example.com", Expires: time.Now().Add(time.Hour)})
	fmt.Println(jar.Save(file, requests.KeepSessionCookies))

	loaded := requests.NewCookieJar()
	fmt.Println(loaded.Load(file))
	fmt.Println(loaded.Header("http://www.example.com/"))
	// Output:
	// <nil>
	// <nil>
	// lasting=2
}

// A jar can be choosy, or forget everything.
func ExampleCookieFilter() {
	forgetful := requests.NewCookieJar(requests.CookieFilter(func(requests.Cookie) bool { return false }))
	_ = forgetful.Set(requests.Cookie{Name: "a", Value: "1"})
	fmt.Println(forgetful.Len())
	// Output: 0
}

// A private network may have names that look like public suffixes.
func ExampleAnyDomain() {
	for _, jar := range []*requests.CookieJar{requests.NewCookieJar(), requests.NewCookieJar(requests.AnyDomain())} {
		u := &url.URL{Scheme: "https", Host: "wiki.co.uk", Path: "/"}
		jar.SetCookies(u, []*http.Cookie{{Name: "team", Value: "search", Domain: "co.uk"}})
		fmt.Printf("%d %q\n", jar.Len(), jar.Header("https://mail.co.uk/"))
	}
	// Output:
	// 0 ""
	// 1 "team=search"
}
