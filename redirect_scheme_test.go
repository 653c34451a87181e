package requests_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mountable/requests"
)

// TestRule42OtherSchemes: no redirect leads to an adapter that is mounted for
// something else than http and https, a scheme that begins like them included.
func TestRule42OtherSchemes(t *testing.T) {
	for _, target := range []string{"file:///etc/passwd", "data:,x", "http+unix://%2Ftmp%2Fx/", "HTTPX://h/", "unix:/x"} {
		s := requests.NewSession()
		reached := false
		s.Mount("", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			reached = true
			return requests.NewResponse(p, 200, nil, nil), nil
		}))
		s.Mount("http://start.test/", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			return requests.NewResponse(p, 302, requests.Headers{{"Location", target}}, nil), nil
		}))
		if _, err := s.Get(t.Context(), "http://start.test/"); !errors.Is(err, requests.ErrRedirectScheme) || reached {
			t.Errorf("%s: %v, reached %t", target, err, reached)
		}
	}
}
