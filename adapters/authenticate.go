package adapters

import (
	"context"

	"github.com/mountable/requests"
)

// Authenticate gives an auth to everything that is sent through a mount, whole exchange
// included: the challenges that [requests.Digest] and the toolbelt's Guess, GuessProxy
// and ProxyDigest wait for are answered over the same adapter.
//
//	s.Mount("https://api.example.com/v1/", adapters.Authenticate(requests.DigestAuth("ada", "secret"))(requests.NewHTTPAdapter()))
//
// The credentials are for the mount's URLs and no others: a redirect does not take them
// along, and brings none here. The call's own auth wins over the mount's, as does an Authorization
// field of the call where the session has no auth, which would replace that as in Requests. The mount's
// wins over the session's auth, netrc and the user info of the URL. A nil auth makes every Send [requests.ErrInvalidArgument].
func Authenticate(auth requests.Auth) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter { return &authenticated{base, auth} }
}

type authenticated struct {
	requests.Adapter
	auth requests.Auth
}

// CloseIdle passes on.
func (a *authenticated) CloseIdle() { closeIdle(a.Adapter) }

// Send implements [requests.Adapter].
func (a *authenticated) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	return requests.SendAuthenticated(ctx, a.Adapter, a.auth, p, opts)
}
