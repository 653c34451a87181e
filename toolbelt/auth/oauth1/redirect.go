package oauth1

import (
	"context"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/uri"
)

// redirected returns the hook that looks after redirects. A session makes the next request of the one
// that the response has: that becomes the caller's again, whose body was plain, signed anew for the
// target where the target may have the signature. By status and target:
//
//	InHeader  within the origin: signed anew; elsewhere the session drops Authorization
//	InBody    within the origin: signed anew; elsewhere, and for a GET, the caller's form
//	InQuery   nothing: the URL is the server's
func (a *Auth) redirected(plain []byte) requests.Hook {
	return func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		if a.config.Placement == InQuery || r.Request == nil || !r.IsRedirect() || !a.signed(r.Request, plain) {
			return nil, nil
		}
		next := r.Request.Clone()
		a.restore(next, plain)
		if target, ok := within(r); ok {
			a.renew(next, r, target)
		}
		r.Request = next
		return nil, nil
	}
}

// signed reports whether p still has the signature, which a redirect to another origin, or what the
// caller does with the next request, takes away.
func (a *Auth) signed(p *requests.PreparedRequest, plain []byte) bool {
	if a.config.Placement == InHeader {
		return strings.HasPrefix(p.Headers.Get("Authorization"), scheme)
	}
	body, _ := p.Body()
	rest, ok := strings.CutPrefix(string(body), string(plain))
	return ok && strings.HasPrefix(strings.TrimPrefix(rest, "&"), "oauth_consumer_key="+escape(a.config.ConsumerKey)+"&")
}

// restore gives p the caller's body again.
func (a *Auth) restore(p *requests.PreparedRequest, plain []byte) {
	if a.config.Placement != InBody {
		return
	}
	if p.SetBody(plain); len(plain) == 0 {
		p.Headers.Set("Content-Length", "0")
	}
}

// within returns the target of a redirect that does not leave the origin of the credentials.
func within(r *requests.Response) (target string, ok bool) {
	location, _, differ := redirect.Location(r.Headers.Values("Location"))
	target, err := uri.ResolveRedirect(r.URL, location, "")
	if err != nil || differ || !r.Auth().MayAnswer() {
		return "", false
	}
	for _, from := range []string{r.Request.Origin(), r.Request.URL} {
		if strip, err := uri.ShouldStripAuth(from, target); err != nil || strip {
			return "", false
		}
	}
	return target, true
}

// renew signs p for the target of r, with the method and the body that the session will send there. What
// cannot be signed goes without.
func (a *Auth) renew(p *requests.PreparedRequest, r *requests.Response, target string) {
	decide := redirect.Method
	if r.Auth().Policy().MethodsAsRequests {
		decide = redirect.MethodAsRequests
	}
	there, withBody := p.Clone(), true
	there.Headers.Del("Authorization")
	there.URL = target
	if there.Method, withBody = decide(p.Method, r.StatusCode); !withBody {
		there.SetBody(nil)
		there.Headers.Del("Content-Type")
	}
	if a.Authenticate(there) != nil {
		p.Headers.Del("Authorization")
		return
	}
	if a.config.Placement == InHeader {
		p.Headers.Set("Authorization", there.Headers.Get("Authorization"))
		return
	}
	body, _ := there.Body()
	p.SetBody(body)
}
