package requests_test

import (
	"fmt"
	"strings"

	"github.com/mountable/requests"
)

func ExampleSession_ExplainProxy() {
	s := requests.NewSession()
	defer s.Close()
	s.Proxies = requests.Proxies{
		"https":                 "http://ada:secret@proxy.example:3128",
		"https://intra.example": "",
	}
	for _, url := range []string{"https://go.dev/", "https://intra.example/"} {
		decision, err := s.ExplainProxy(url)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(decision)
	}
	// Output:
	// https://go.dev/ goes through http://***@proxy.example:3128 (the session: https)
	// https://intra.example/ goes directly (the session: https://intra.example)
}

func ExampleProxyFunc() {
	s := requests.NewSession()
	defer s.Close()
	s.ProxyFunc = func(url string) (string, error) {
		if strings.HasPrefix(url, "https://intra.example/") {
			return "", nil
		}
		return requests.ProxyFromEnvironment(url)
	}
	decision, err := s.ExplainProxy("https://intra.example/wiki")
	fmt.Println(decision, err)
	// Output: https://intra.example/wiki goes directly (ProxyFunc) <nil>
}
