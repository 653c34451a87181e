package toolbelt_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// canned makes a session whose one server is this function.
func canned(status int, headers requests.Headers, body string) *requests.Session {
	s := requests.NewSession()
	s.Headers = nil
	s.Mount("http://", requests.AdapterFunc(
		func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			return requests.NewResponse(p, status, headers, io.NopCloser(strings.NewReader(body))), nil
		}))
	return s
}

func show(dump []byte, err error) {
	for line := range strings.Lines(string(dump)) {
		fmt.Println(strings.TrimRight(line, " \r\n"))
	}
	fmt.Println(err)
}

func ExampleDumpResponse() {
	s := canned(200, requests.Headers{{"Set-Cookie", "sid=31d4d96e; Path=/"}}, "hello")
	r, err := s.Post(context.Background(), "http://h.example/login?token=abc", requests.Form{{"user", "ada"}, {"password", "secret"}},
		requests.Authenticate(requests.BearerAuth("abc")))
	if err != nil {
		fmt.Println(err)
		return
	}
	show(toolbelt.DumpResponse(r))
	// Output:
	// < POST /login?token=*** HTTP/1.1
	// < Host: h.example
	// < Content-Length: 24
	// < Content-Type: application/x-www-form-urlencoded
	// < Authorization: Bearer ***
	// <
	// < user=ada&password=***
	//
	// > HTTP/1.1 200 OK
	// > Set-Cookie: sid=***; Path=/
	// >
	// hello
	// <nil>
}

func ExampleDumpAll() {
	s := canned(200, nil, "")
	r, err := s.Get(context.Background(), "http://h.example/", requests.Authenticate(requests.BearerAuth("abc")))
	if err != nil {
		fmt.Println(err)
		return
	}
	viaProxy := toolbelt.DumpProxied(func(*requests.Response) bool { return true })
	show(toolbelt.DumpAll(r, toolbelt.DumpPrefixes("-> ", "<- "), toolbelt.DumpSecrets(), viaProxy))
	// Output:
	// -> GET http://h.example/ HTTP/1.1
	// -> Host: h.example
	// -> Authorization: Bearer abc
	// ->
	//
	// <- HTTP/1.1 200 OK
	// <-
	// <nil>
}
