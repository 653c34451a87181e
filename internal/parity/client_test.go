package parity

import (
	"context"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// product is what this library says of itself where Requests says "python-requests/x.y".
var product = struct{ userAgent, transportAgent, acceptEncoding string }{
	userAgent:      requests.DefaultUserAgent(),
	transportAgent: strings.Replace(requests.DefaultUserAgent(), "requests/", "requests-transport/", 1),
	acceptEncoding: requests.DefaultHeaders().Get("Accept-Encoding"),
}

// verb is the type of Session.Get and its like.
type verb = func(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error)

func helper(s *requests.Session, method string) verb {
	verbs := map[string]verb{
		"GET": s.Get, "OPTIONS": s.Options, "HEAD": s.Head, "POST": s.Post, "PUT": s.Put, "PATCH": s.Patch, "DELETE": s.Delete,
	}
	return verbs[strings.ToUpper(method)]
}

func digestAuth(user, password string) requests.Auth { return requests.DigestAuth(user, password) }

// stripAuthStep asks the function that redirects ask.
func stripAuthStep(_ *runner, _ *testing.T, s *step) (map[string]any, error) {
	strip, err := uri.ShouldStripAuth(s.From, s.To)
	return map[string]any{"strip": strip}, err
}
