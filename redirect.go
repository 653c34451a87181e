package requests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/uri"
)

// follow walks the redirect chain that starts with r and returns its last response,
// the redirects in its History, oldest first. As in Requests, a challenge that was
// answered on the way is not among them.
func (s *Session) follow(ctx context.Context, r *Response, opts *SendOptions) (last *Response, err error) {
	if !r.IsRedirect() {
		return r, nil
	}
	defer func() {
		if last == nil {
			r.Close()
		}
	}()
	chain := newChain(s, r, opts)
	for {
		next, err := chain.next(r)
		if err == nil && next == nil {
			return r, nil
		}
		if err == nil && s.OnRedirect != nil {
			if err = s.OnRedirect(ctx, r, next); errors.Is(err, http.ErrUseLastResponse) {
				r.Next = next
				return r, nil
			}
		}
		drain(r)
		if err != nil {
			return nil, err
		}
		hop, err := s.sendHop(ctx, next, &chain.opts)
		if err != nil {
			return nil, err
		}
		hop.History = slices.Clip(chain.history)
		r = hop
	}
}

// prepareNext sets Next of a redirect that is not to be followed; its body is the
// caller's. What could not be followed leaves Next nil: nobody asked for it.
func (s *Session) prepareNext(r *Response, opts *SendOptions) error {
	if !r.IsRedirect() {
		return nil
	}
	chain := newChain(s, r, opts)
	next, err := chain.next(r)
	for _, kind := range []Kind{ErrRedirectScheme, ErrRedirectDowngrade, ErrUnrewindableBody, ErrInvalidHeader} {
		if errors.Is(err, kind) {
			return nil
		}
	}
	r.Next = next
	return err
}

// chain is the state of following redirects: what travels from hop to hop.
type chain struct {
	session  *Session
	opts     SendOptions
	history  []*Response
	fragment string
	home     string // origin of the first request
}

func newChain(s *Session, first *Response, opts *SendOptions) *chain {
	c := &chain{session: s, opts: *opts}
	if p := first.Request; p != nil {
		c.home = p.Origin()
		_, c.fragment, _ = strings.Cut(p.URL, "#")
	}
	return c
}

// next returns the request that r redirects to, nil if it does not.
func (c *chain) next(r *Response) (*PreparedRequest, error) {
	if !r.IsRedirect() || r.Request == nil {
		return nil, nil
	}
	location, err := r.location()
	if err != nil {
		return nil, withResponse(err, r)
	}
	if location == "" {
		return nil, nil
	}
	if most := *cmp.Or(c.opts.redirects, &c.session.MaxRedirects); len(c.history) >= most {
		return nil, &Error{Kind: ErrTooManyRedirects, Request: r.Request, Response: r, Detail: fmt.Sprintf("exceeded %d redirects", most)}
	}
	r.History = slices.Clip(c.history)
	c.history = append(c.history, r)
	return c.to(r, location)
}

// to returns the request for where a reference of r leads.
func (c *chain) to(r *Response, reference string) (*PreparedRequest, error) {
	target, err := c.target(r, reference)
	if err != nil {
		return nil, withRequest(err, r.Request)
	}
	p, err := c.rebuild(r, target)
	return p, withRequest(err, r.Request)
}

// location returns where a redirect leads, "" for nowhere. A Location that is repeated
// counts once; of different ones nobody can tell which is meant.
func (r *Response) location() (string, error) {
	first, other, differ := redirect.Location(r.Headers.Values("Location"))
	if differ {
		return "", fail(ErrInvalidHeader, "the redirect has two Locations: %q and %q", redactURL(first), redactURL(other))
	}
	return first, nil
}

// drain reads the body of a response that the caller is not given, a redirect that is followed or
// a status that is an error, so that its connection can be used again and History has it. Broken
// framing or coding does not matter: hardly anybody will look at it. One that is longer than maxDrain is given up with its
// connection, and its Content is an error.
func drain(r *Response) {
	_, _ = r.content().All(r.owner(), maxDrain, tooLongToDrain)
	r.Close()
}

const maxDrain = 1 << 20

func tooLongToDrain(limit int64) error {
	return fail(ErrBodyTooLarge, "the body is longer than %d bytes, all that is read of a response that is not returned", limit)
}

// target resolves Location against the response's URL. The fragment is Location's,
// else the last one seen in the chain (RFC 9110 section 10.2.2).
func (c *chain) target(r *Response, location string) (string, error) {
	target, err := uri.ResolveRedirect(r.URL, location, c.fragment)
	if err != nil {
		return "", urlError(err)
	}
	target = c.session.HSTS.upgrade(target)
	if _, fragment, ok := strings.Cut(target, "#"); ok && fragment != "" {
		c.fragment = fragment
	}
	return target, c.session.allowRedirect(r.URL, target)
}

// allowRedirect refuses targets that are not http or https, whatever is mounted for
// them, and steps from https down to http.
func (s *Session) allowRedirect(from, target string) error {
	if err := allowScheme(from, target); err != nil {
		return err
	}
	if ascii.HasPrefixFold(from, "https:") && ascii.HasPrefixFold(target, "http:") && !s.Policy.AllowDowngrade {
		return fail(ErrRedirectDowngrade, "redirect from https to %q refused; Policy.AllowDowngrade follows it", redactURL(target))
	}
	return nil
}

func allowScheme(from, target string) error {
	scheme, _, named := strings.Cut(target, ":")
	web := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	if named && !web && !uri.ShareOrigin(from, target) {
		return fail(ErrRedirectScheme, "redirect to %q refused: only http and https are followed", redactURL(target))
	}
	return nil
}

// rebuild makes the next request of the previous one: method, body and headers
// by the rules of the status, cookies, proxies and credentials by the target.
func (c *chain) rebuild(r *Response, target string) (*PreparedRequest, error) {
	p := r.Request.unanswered().Clone()
	from := r.Request.unanswered().at()
	p.setURL(target)
	p.home = c.home
	p.crossed = p.crossed || !from.SameOrigin(p.at())
	p.strayed = p.strayed || !keepsAuth(from.Text, p.URL)
	if p.strayed && !c.session.Policy.CertAcrossOrigins {
		c.opts.Cert = Certificate{}
	}
	c.chooseMethod(p, r.StatusCode)
	c.stripHeaders(p, from)
	if err := c.rebuildCookies(p, r); err != nil {
		return nil, err
	}
	if err := c.rebuildProxies(p); err != nil {
		return nil, err
	}
	if err := c.rebuildAuth(p, from); err != nil {
		return nil, err
	}
	if err := p.startOver(c.session.Policy.ResendUnrewindable); err != nil {
		return nil, withResponse(err, r)
	}
	return p, nil
}

// chooseMethod decides with which method, and whether with the body, the target of a redirect is asked.
func (c *chain) chooseMethod(p *PreparedRequest, status int) {
	decide := redirect.Method
	if c.session.Policy.MethodsAsRequests {
		decide = redirect.MethodAsRequests
	}
	method, withBody := decide(p.Method, status)
	p.Method = method
	if !withBody {
		p.dropBody()
	}
}

// delBody removes the headers that describe a body.
func (h *Headers) delBody() {
	for _, name := range redirect.BodyHeaders {
		h.Del(name)
	}
}

// stripHeaders removes what must not reach the target: the Cookie line, which is
// built anew, and on a change of origin what is not on the list, and the trailers.
func (c *chain) stripHeaders(p *PreparedRequest, from *uri.Address) {
	p.Headers.Del("Cookie")
	if c.session.Policy.KeepCrossOriginHeaders || from.SameOrigin(p.at()) {
		return
	}
	p.Trailers = nil
	kept := p.Headers[:0]
	for _, f := range p.Headers {
		if redirect.MayCross(f[0]) {
			kept = append(kept, f)
		}
	}
	p.Headers = kept
}

// rebuildCookies carries the cookies of the call along, with those set since, be
// it that the session does not keep them.
//
// Cookies without a domain were put in by the caller, for the hosts the caller
// addresses. A redirect does not lead them to another origin, no more than a
// Cookie header, unless the jar is to behave as Python's.
func (c *chain) rebuildCookies(p *PreparedRequest, r *Response) error {
	jar, policy := c.session.Cookies, &c.session.Policy
	if p.beyond {
		jar = jar.bound(policy)
	}
	if p.jar == nil && (jar == nil || jar.forgets()) {
		p.jar = jar.forCall(policy)
	}
	if p.jar != nil {
		p.jar.store(r, policy)
		p.jar.Update(jar)
		jar = p.jar
	}
	leaves, err := uri.ShouldStripAuth(c.home, p.URL)
	if err != nil {
		return urlError(err)
	}
	p.setCookieHeader(jar, policy, !leaves || policy.NetscapeCookies)
	return nil
}

// rebuildProxies chooses the proxies of the target anew; proxy credentials never
// travel from one hop to the next.
func (c *chain) rebuildProxies(p *PreparedRequest) error {
	if err := c.session.redirectProxies(p.at(), &c.opts); err != nil {
		return err
	}
	p.Headers.Del("Proxy-Authorization")
	return nil
}

// rebuildAuth drops Authorization where the target may not have it, and once
// dropped it does not come back. netrc is asked again only if Policy says so.
func (c *chain) rebuildAuth(p *PreparedRequest, from *uri.Address) error {
	if p.Headers.Has("Authorization") {
		strip, err := uri.ShouldStripAuth(from.Text, p.URL)
		if err != nil {
			return urlError(err)
		}
		if strip {
			p.Headers.Del("Authorization")
		}
	}
	policy := &c.session.Policy
	if !c.session.TrustEnv || !policy.NetrcOnRedirect || p.Headers.Has("Authorization") && !policy.NetrcReplacesAuthorization {
		return nil
	}
	auth, err := c.session.netrcAuth(p)
	if err != nil || auth == nil {
		return err
	}
	return auth.Authenticate(p)
}
