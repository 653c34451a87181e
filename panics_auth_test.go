package requests_test

import (
	"context"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// panicking are credentials for proxies that panic at one of their methods.
type panicking struct{ at string }

func (c *panicking) ProxyAuthorization(string, *requests.PreparedRequest, string) (string, error) {
	if c.at == "ProxyAuthorization" {
		panic(c.at)
	}
	return "", nil
}

func (c *panicking) ProxyChallenge(string, *requests.Response) (bool, error) {
	if c.at == "ProxyChallenge" {
		panic(c.at)
	}
	return false, nil
}

// TestAuthPanics has the callbacks of authentication panic, one after the other, over a
// pool of one connection: the panic goes on, and the connection is free for the next.
func TestAuthPanics(t *testing.T) {
	challenges := challenging(digestChallenge)
	origin := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		if r.Target == "/ok" {
			return ok
		}
		return challenges(r)
	}})
	proxy := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", digestChallenge})
	}})
	nonce := requests.DigestAuth("u", "p")
	nonce.ClientNonce = func() string { panic("ClientNonce") }
	forProxy := func(at string) requests.Auth {
		return requests.AuthFunc(func(p *requests.PreparedRequest) error { p.SetProxyCredentials(&panicking{at}); return nil })
	}
	source := requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) { panic("Token") }))
	answer := requests.Hook(func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
		return r.Auth().Answer(ctx, func(*requests.PreparedRequest) error { panic("Answer") })
	})
	for want, options := range map[string][]requests.Option{
		"ClientNonce":        {requests.Authenticate(nonce)},
		"Auth":               {requests.Authenticate(requests.AuthFunc(func(*requests.PreparedRequest) error { panic("Auth") }))},
		"Token":              {requests.Authenticate(source)},
		"Answer":             {requests.ReplaceHooks(answer)},
		"ProxyAuthorization": {requests.Authenticate(forProxy("ProxyAuthorization")), requests.Proxies{"https": "http://" + proxy.Addr()}},
		"ProxyChallenge":     {requests.Authenticate(forProxy("ProxyChallenge")), requests.Proxies{"https": "http://" + proxy.Addr()}},
	} {
		s := newTestSession(t)
		a := requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true), requests.MaxRetries(1))
		s.Mount("http://", a)
		s.Mount("https://", a)
		url := origin.URL("/")
		if want == "ProxyAuthorization" || want == "ProxyChallenge" {
			url = "https://far.test/"
		}
		for range 2 { // twice: what is left by the first would stop the second
			got := func() (got any) {
				defer func() { got = recover() }()
				_, _ = s.Get(t.Context(), url, append(options, requests.Timeouts{Pool: 10 * time.Second})...)
				return nil
			}()
			if got != want {
				t.Errorf("%s: panic %v", want, got)
			}
		}
		if r, err := s.Get(t.Context(), origin.URL("/ok"), requests.Timeouts{Pool: 10 * time.Second}); err != nil || !r.OK() {
			t.Errorf("%s: afterwards %v, %v", want, r, err)
		}
		if stats := a.Stats(); stats.InUse != 0 {
			t.Errorf("%s: %d connections in use", want, stats.InUse)
		}
	}
}
