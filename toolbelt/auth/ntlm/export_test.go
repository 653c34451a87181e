package ntlm

import (
	"context"

	"github.com/mountable/requests"
)

// Over sends p over an adapter that may be anything.
func Over(ctx context.Context, a requests.Adapter, p *requests.PreparedRequest) (*requests.Response, error) {
	return requests.SendAuthenticated(ctx, a, &conversation{user: "ada", password: "secret"}, p, requests.SendOptions{})
}
