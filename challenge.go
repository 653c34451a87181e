package requests

import (
	"context"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/uri"
)

// AuthExchange is a response as the author of an authentication scheme sees it: which
// challenges it has, who may have sent them, whether they may be answered, and how to
// answer. [Response.Auth] returns it.
type AuthExchange struct{ response *Response }

// Auth returns r as authentication schemes see it, for hooks that answer a challenge.
func (r *Response) Auth() AuthExchange { return AuthExchange{r} }

// Challenge is one challenge of a WWW-Authenticate or Proxy-Authenticate field (RFC
// 9110 section 11.3): a scheme with either parameters or a token.
type Challenge struct {
	Scheme string
	Token  string
	Params [][2]string
}

// Param returns the value of a parameter, the last one if it is repeated. Names ignore case.
func (c Challenge) Param(name string) (value string, ok bool) {
	for _, p := range c.Params {
		if strings.EqualFold(p[0], name) {
			value, ok = p[1], true
		}
	}
	return value, ok
}

// Challenges returns the challenges in the fields of a name, WWW-Authenticate or
// Proxy-Authenticate, in order.
func (x AuthExchange) Challenges(field string) []Challenge {
	var challenges []Challenge
	for _, value := range x.response.Headers.Values(field) {
		for _, c := range fieldvalue.ParseChallenges(value) {
			challenges = append(challenges, Challenge{c.Scheme, c.Token68, c.Pairs()})
		}
	}
	return challenges
}

// MayAnswer reports whether a challenge may be answered with the caller's credentials:
// the response came from the origin the caller asked, or from its https side, and no
// redirect led to another one, not even on the way back. Policy.CrossOriginDigest allows it everywhere.
func (x AuthExchange) MayAnswer() bool {
	if x.Policy().CrossOriginDigest {
		return true
	}
	p := x.response.Request
	if p == nil || p.strayed {
		return false
	}
	home := p.Origin()
	if home == uri.OriginOf(p.URL) {
		return home != ""
	}
	stranger, err := uri.ShouldStripAuth(home, p.URL)
	return err == nil && !stranger
}

// ForwardedBy returns the proxy that may have spoken for the origin, as
// "scheme://host:port": the one that forwarded a plain http request. It is "" where
// there was none, or a tunnel: then a 407 is the origin's, and not to be answered.
func (x AuthExchange) ForwardedBy() string { return forwardedBy(x.response) }

// SentProxyAuthorization reports whether the request carried credentials for the proxy.
func (x AuthExchange) SentProxyAuthorization() bool {
	r := x.response
	return r.proxyAuth || r.Request != nil && r.Request.Headers.Has("Proxy-Authorization")
}

// Policy returns the policy of the session that brought the response, the safe one if no session did.
func (x AuthExchange) Policy() Policy {
	if x.response.opts.policy == nil {
		return Policy{}
	}
	return *x.response.opts.policy
}

// Fail reads what is left of the response, within bounds, so that its connection is
// free again, and returns an error of a kind that names request and response.
func (x AuthExchange) Fail(kind Kind, detail string) error {
	if x.response.Request != nil || x.response.Raw != nil {
		drain(x.response)
	}
	return &Error{Kind: kind, Request: x.response.Request, Response: x.response, Detail: detail}
}

// Answer sends the request once more, with what authorize adds to it, which gets a
// copy of the request to edit. The body of the response is read, that of the request
// rewound, and cookies that the response has set are sent along if the request had
// none. A body that cannot be sent again is [ErrUnrewindableBody], and nothing is sent;
// the error has the response.
//
// The response that comes back has the first one in its History; hooks are not run
// for it, and a redirect is followed by the session as if it had come first, with the
// headers the request had before.
func (x AuthExchange) Answer(ctx context.Context, authorize func(p *PreparedRequest) error) (*Response, error) {
	r := x.response
	if r.Request == nil {
		return nil, fail(ErrInvalidArgument, "Answer on a response without a request")
	}
	drain(r)
	p := r.Request.Clone()
	p.original = r.Request.unanswered()
	if err := p.startOver(x.Policy().ResendUnrewindable); err != nil {
		return nil, withResponse(err, r)
	}
	if r.Cookies != nil {
		p.setCookieHeader(r.Cookies, nil, true)
	}
	if err := authorize(p); err != nil {
		return nil, withResponse(err, r)
	}
	again, err := r.Resend(ctx, p)
	if err != nil {
		return nil, err
	}
	again.History = append(slices.Clone(r.History), r)
	return again, nil
}

// startOver brings the body back to its start, or says that it cannot be sent again,
// unless it may be empty then.
func (p *PreparedRequest) startOver(empty bool) error {
	err := p.Rewind()
	if spent, ok := p.body.Emptied(); err != nil && empty && ok {
		p.body = spent
		return nil
	}
	return err
}
