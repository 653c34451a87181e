package requests

import (
	"context"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/uri"
)

// Answer sends the request of r once more, with what authorize adds to it: what a
// hook needs that answers a challenge. The body of r is read, that of the request
// rewound, and cookies that r has set are sent along if the request had none.
// authorize gets a copy of the request to edit. The reply has r in its History; its
// hooks are not run, and a redirect is followed by the session as if it had come
// first, with the headers the request had before.
func (r *Response) Answer(ctx context.Context, authorize func(p *PreparedRequest) error) (*Response, error) {
	if r.Request == nil {
		return nil, fail(ErrInvalidArgument, "Answer on a response without a request")
	}
	drain(r)
	p := r.Request.Clone()
	p.asked = r.Request.unanswered()
	if err := p.Rewind(); err != nil {
		return nil, refused(err, r)
	}
	if r.Cookies != nil {
		p.setCookieHeader(r.Cookies, true)
	}
	if err := authorize(p); err != nil {
		return nil, refused(err, r)
	}
	again, err := r.Resend(ctx, p)
	if err != nil {
		return nil, err
	}
	again.History = append(slices.Clone(r.History), r)
	return again, nil
}

// refused puts the reply that could not be answered into the error.
func refused(err error, r *Response) error {
	if e, ok := err.(*Error); ok && e.Response == nil {
		e.Response = r
	}
	return withRequest(err, r.Request)
}

// MayAnswer reports whether a challenge in r may be answered with the caller's
// credentials: r came from the origin the caller asked, or from its https side, and
// not from one that a redirect led to (security rule 7). Policy.CrossOriginDigest
// allows it everywhere.
func (r *Response) MayAnswer() bool {
	if r.Policy().CrossOriginDigest {
		return true
	}
	if r.Request == nil {
		return false
	}
	home := r.Request.Origin()
	if home == originOf(r.Request.URL) {
		return home != ""
	}
	stranger, err := uri.ShouldStripAuth(home, r.Request.URL)
	return err == nil && !stranger
}

// Challenge is one challenge of a WWW-Authenticate or Proxy-Authenticate field (RFC
// 9110 section 11.3): a scheme with either parameters or a token.
type Challenge struct {
	Scheme string
	Token  string
	Params [][2]string
}

// Param returns the value of a parameter, the last one if it is repeated. Names
// ignore case.
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
func (r *Response) Challenges(field string) []Challenge {
	var challenges []Challenge
	for _, value := range r.Headers.Values(field) {
		for _, c := range fieldvalue.ParseChallenges(value) {
			params := make([][2]string, len(c.Params))
			for i, p := range c.Params {
				params[i] = [2]string{p.Name, p.Value}
			}
			challenges = append(challenges, Challenge{c.Scheme, c.Token68, params})
		}
	}
	return challenges
}

// Policy returns the policy of the session that brought r, the safe one if no
// session did.
func (r *Response) Policy() Policy {
	if r.opts.policy == nil {
		return Policy{}
	}
	return *r.opts.policy
}
