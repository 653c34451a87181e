package toolbelt_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func ExampleFormData() {
	server := receipts()
	defer server.Close()
	answer(requests.Post(context.Background(), server.URL, toolbelt.FormData{
		{"user", toolbelt.FormData{{"name", "ada"}, {"id", 7}}},
		{"active", true},
	}))
	// Output: 45 bytes: user%5Bname%5D=ada&user%5Bid%5D=7&active=true <nil>
}

func ExampleURLEncode() {
	fmt.Println(toolbelt.URLEncode(map[string]any{"b": map[string]string{"c": "d e"}, "a": 1.5}))
	// Output: a=1.5&b%5Bc%5D=d+e <nil>
}

func ExampleUserAgent() {
	s := requests.NewSession()
	defer s.Close()
	s.Headers.Set("User-Agent", toolbelt.UserAgent("mytool", "1.2.3"))
	name, _, _ := strings.Cut(s.Headers.Get("User-Agent"), " ")
	fmt.Println(name)
	// Output: mytool/1.2.3
}

func ExampleUserAgentBuilder() {
	fmt.Println(toolbelt.NewUserAgentBuilder("mytool", "1.2.3").IncludeExtras([2]string{"plugin", "0.4"}).Build())
	// Output: mytool/1.2.3 plugin/0.4
}

func ExampleNewBaseURLSession() {
	s := toolbelt.NewBaseURLSession("https://api.example.com/v1/")
	defer s.Close()
	p, err := s.Prepare(&requests.Request{Method: "GET", URL: "users"})
	fmt.Println(p, err)
	// Output: <PreparedRequest [GET https://api.example.com/v1/users]> <nil>
}

func ExampleForgetfulCookieJar() {
	s := requests.NewSession()
	defer s.Close()
	s.Cookies = toolbelt.ForgetfulCookieJar()
	err := s.Cookies.Set(requests.Cookie{Name: "id", Value: "1"})
	fmt.Println(s.Cookies, err)
	// Output: <CookieJar [0]> <nil>
}

func ExampleEncodingsFromContent() {
	fmt.Println(toolbelt.EncodingsFromContent([]byte(`<html><head><meta charset="iso-8859-2">`)))
	// Output: [iso-8859-2] <nil>
}

func ExampleUnicodeFromResponse() {
	page := "<meta charset=\"iso-8859-2\"><p>\xb1</p>"
	headers := requests.Headers{{"Content-Type", "text/html; charset=utf-8"}} // it is not
	r := requests.NewResponse(nil, 200, headers, io.NopCloser(strings.NewReader(page)))
	text, err := toolbelt.UnicodeFromResponse(r)
	fmt.Println(text, err)
	// Output: <meta charset="iso-8859-2"><p>ą</p> <nil>
}

func Example_errors() {
	_, err := toolbelt.NewMultipartDecoder(nil, "image/png", "")
	fmt.Println(errors.Is(err, toolbelt.ErrNonMultipartContentType), err)
	// Output: true unexpected content type "image/png"
}
