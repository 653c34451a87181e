package requests_test

import (
	"context"
	"fmt"

	"github.com/mountable/requests"
)

// asking is a server that wants credentials of a scheme.
func asking(challenge string) requests.Adapter {
	return requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if p.Headers.Has("Authorization") {
			return requests.NewResponse(p, 200, nil, nil), nil
		}
		return requests.NewResponse(p, 401, requests.Headers{{"WWW-Authenticate", challenge}}, nil), nil
	})
}

// The challenge is answered behind the scenes, and stays to be seen in the history.
func ExampleDigestAuth() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", asking(`Digest realm="api", nonce="7ypf", qop="auth", algorithm=SHA-256`))

	s.Auth = requests.DigestAuth("ada", "secret")
	r, err := s.Get(context.Background(), "https://api.example.com/users")
	fmt.Println(r, r.History, err)

	r, err = s.Get(context.Background(), "https://api.example.com/users") // credentials go out at once
	fmt.Println(r, r.History, err)
	// Output:
	// <Response [200]> [<Response [401]>] <nil>
	// <Response [200]> [] <nil>
}

// A hook that answers a scheme of the server's own.
func ExampleAuthExchange_Answer() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", asking(`Token audience="users"`))

	s.OnResponse(func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
		if r.StatusCode != 401 || !r.Auth().MayAnswer() {
			return r, nil
		}
		return r.Auth().Answer(ctx, func(p *requests.PreparedRequest) error {
			audience, _ := r.Auth().Challenges("WWW-Authenticate")[0].Param("audience")
			p.Headers.Set("Authorization", "Token for-"+audience)
			return nil
		})
	})
	r, err := s.Get(context.Background(), "https://api.example.com/users")
	fmt.Println(r, r.Request.Headers.Get("Authorization"), err)
	// Output: <Response [200]> Token for-users <nil>
}

// Any function of the prepared request is an auth.
func ExampleAuthFunc() {
	sign := requests.AuthFunc(func(p *requests.PreparedRequest) error {
		body, _ := p.Body()
		p.Headers.Set("X-Signature", fmt.Sprintf("%s:%d", p.Method, len(body)))
		return nil
	})
	req := &requests.Request{Method: "POST", URL: "https://api.example.com/", Body: "hello", Auth: sign}
	p, err := req.Prepare()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Headers.Get("X-Signature"))
	// Output: POST:5
}

// A source as golang.org/x/oauth2 has it, whose token the server has revoked.
func ExampleRefreshAuth() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if p.Headers.Get("Authorization") != "Bearer second" {
			return requests.NewResponse(p, 401, nil, nil), nil
		}
		return requests.NewResponse(p, 200, nil, nil), nil
	}))
	tokens := []string{"first", "second"}
	s.Auth = requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) {
		token := requests.BearerAuth(tokens[0])
		tokens = tokens[1:]
		return token, nil
	}))
	r, err := s.Get(context.Background(), "https://api.example.com/users")
	fmt.Println(r, r.History, err)
	// Output: <Response [200]> [<Response [401]>] <nil>
}
