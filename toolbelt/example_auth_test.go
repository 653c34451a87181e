package toolbelt_test

import (
	"context"
	"fmt"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func ExampleNewAuthHandler() {
	h := toolbelt.NewAuthHandler(
		toolbelt.Strategy{Domain: "https://api.example.com", Auth: requests.BearerAuth("token")},
		toolbelt.Strategy{Domain: "https://files.example.com", Auth: requests.DigestAuth("ada", "secret")},
	)
	s := requests.NewSession()
	defer s.Close()
	s.Auth = h
	fmt.Println(h.StrategyFor("https://API.example.com/users?page=2"))
	fmt.Println(h.StrategyFor("https://files.example.com/report.pdf"))
	// Output:
	// Bearer
	// Digest(ada)
}

func ExampleGuessAuth() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if p.Headers.Has("Authorization") {
			return requests.NewResponse(p, 200, nil, nil), nil
		}
		return requests.NewResponse(p, 401, requests.Headers{{"WWW-Authenticate", `Basic realm="r"`}}, nil), nil
	}))
	s.Auth = toolbelt.GuessAuth("ada", "secret")
	for range 2 {
		r, err := s.Get(context.Background(), "http://h.example.com/")
		fmt.Println(r, r.History, err)
	}
	// Output:
	// <Response [200]> [<Response [401]>] <nil>
	// <Response [200]> [] <nil>
}

// The proxy asks for Digest, for CONNECT as well: its 407 is answered on the way.
func ExampleHTTPProxyDigestAuth() {
	s := requests.NewSession()
	defer s.Close()
	s.Proxies = requests.Proxies{"all": "http://proxy.example.com:3128"}
	s.Auth = toolbelt.HTTPProxyDigestAuth("ada", "secret")
	fmt.Println(s.Auth)
	// Output: ProxyDigest(ada)
}
