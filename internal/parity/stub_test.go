package parity

import (
	"context"
	"strings"

	"github.com/mountable/requests"
)

// adapterFunc is the type of a stub adapter's function.
type adapterFunc = func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error)

// refusedByHTTP is the error with which the HTTP adapter refuses a request before it connects: a stub in its place must not
// answer what the adapter is never asked to send.
func refusedByHTTP(p *requests.PreparedRequest) error {
	a := requests.NewHTTPAdapter()
	defer a.Close()
	_, err := a.Plan(p, requests.SendOptions{})
	return err
}

// redirectOnce answers the first request with a redirect of the given status, later ones with 200, and notes the methods.
func redirectOnce(status int, methods *[]string) adapterFunc {
	return func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		*methods = append(*methods, p.Method)
		code, headers := 200, requests.Headers(nil)
		if len(*methods) == 1 {
			code, headers = status, requests.Headers{{"Location", "/b"}}
		}
		r := responseWith(code, headers, strings.NewReader(""))
		r.Request, r.URL = p, p.URL
		return r, nil
	}
}

// guessAuth is set by the file of the toolbelt.
var guessAuth = func(user, password string) requests.Auth { return requests.BasicAuth(user, password) }
