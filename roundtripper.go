package requests

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/uri"
	"github.com/mountable/requests/internal/version"
)

// RoundTripper returns an [http.RoundTripper] that rides on the session: its
// mounts, headers, params, auth, cookies, hooks, proxies and timeouts. Any SDK that
// takes an *http.Client can be given
//
//	&http.Client{Transport: s.RoundTripper()}
//
// The contract is that of [http.RoundTripper] and, where that is silent, what
// [http.Transport] does: URL, method and framing go out as the http.Request has them and
// are not normalized as by Get; what is different on purpose is listed in the guide
// ("Under net/http").
//
// Redirects are followed by the client, but what they may lead to, and what they carry
// to another origin, is decided as for the session's own, by its Policy. The session's
// cookies are stored and sent as in Get; a request that comes with a Cookie header of
// its own (from the client's Jar) is sent with that alone, except that a session with a
// jar keeps such a header from going along to another origin. The body is decoded
// unless the request names an Accept-Encoding itself, as with [http.Transport]; HEAD and
// requests with a Range ask for no coding.
func (s *Session) RoundTripper() http.RoundTripper { return sessionTransport{s} }

// AdapterTransport returns an [http.RoundTripper] that sends over one adapter, with
// no session: of its own it adds a User-Agent at most, where [http.Transport] does, and bodies
// are not decoded. A redirect that a client follows over it must lead to http or https, or stay where it is.
func AdapterTransport(a Adapter) http.RoundTripper { return adapterTransport{a} }

type sessionTransport struct{ session *Session }

// RoundTrip implements [http.RoundTripper].
func (t sessionTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	s := t.session
	return roundTrip(req, func(ctx context.Context, r *Request) (*Response, error) {
		if err := s.limitRedirected(r, req); err != nil {
			return nil, err
		}
		if !nethttp.MayAskForCoding(req) {
			r.WithoutHeaders = append(r.WithoutHeaders, "Accept-Encoding")
		}
		if s.BaseURL != "" && req.URL.Host == "" {
			r.given = nil // a URL to be resolved
		}
		p, err := s.Prepare(r)
		if err != nil {
			return nil, err
		}
		p.crossed, p.strayed = nethttp.LeftOrigin(req, uri.ShareOrigin), nethttp.LeftOrigin(req, keepsAuth)
		p.frameLike(req)
		if err := s.mergeSend(p, &r.Send); err != nil {
			return nil, withRequest(err, p)
		}
		r.Send.startClock()
		return s.sendHop(ctx, p, &r.Send)
	}, nethttp.MayAskForCoding(req) && req.Header.Get("Accept-Encoding") == "")
}

type adapterTransport struct{ adapter Adapter }

// RoundTrip implements [http.RoundTripper].
func (t adapterTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return roundTrip(req, func(ctx context.Context, r *Request) (*Response, error) {
		if err := refuseRedirect(req); err != nil {
			return nil, err
		}
		r.Auth = NoAuth // user info of the URL is the client's to use
		p, err := r.prepare(&defaults{headers: Headers{{"User-Agent", version.TransportUserAgent()}}})
		if err != nil {
			return nil, err
		}
		p.ownAuth = false // nobody gave the call an auth; the adapter may have one
		p.frameLike(req)
		p.crossed = nethttp.LeftOrigin(req, uri.ShareOrigin)
		resp, err := sendThrough(ctx, t.adapter, p, &r.Send)
		if err != nil {
			return nil, withRequest(err, p)
		}
		return resp, nil
	}, false)
}

// roundTrip sends an http.Request by way of send. Its body is closed: before it returns
// if that is with an error, else when it has been sent or the response is over.
func roundTrip(req *http.Request, send func(context.Context, *Request) (*Response, error), decode bool) (*http.Response, error) {
	block := new(transitBlock)
	x := &block.Transit
	x.Begin(req)
	kept := false
	defer func() {
		if !kept {
			x.End()
		}
	}()
	if err := checkHTTPRequest(req); err != nil {
		return nil, err
	}
	resp, err := send(x.Context, block.describe(req))
	if err != nil {
		if failed := x.BodyError(); failed != nil && errors.Is(err, failed) {
			return nil, failed
		}
		return nil, nethttp.Bare(x.Context, inKnownWords(req, err))
	}
	kept = true
	x.Answered()
	return responseTo(x, resp, decode), nil
}

// transitBlock is an http.Request on its way, and the Request that is made of it, in one allocation.
type transitBlock struct {
	nethttp.Transit
	request Request
	given   nethttp.Given
	fields  [6][2]string
}

// describe makes a Request of req.
func (t *transitBlock) describe(req *http.Request) *Request {
	text := nethttp.Text(nethttp.PlainURL(req.URL))
	t.given.Target, t.given.Host = nethttp.Target(req, text), nethttp.HostAsGiven(req.URL.Host)
	t.request = Request{
		Method: req.Method, URL: text, Headers: nethttp.Fields(t.fields[:0], req), Body: t.Body(), Trailers: nethttp.Trailers[Headers](req), given: &t.given,
		Send: SendOptions{Stream: On, Redirects: Off},
	}
	return &t.request
}

// CloseIdleConnections closes the adapter's idle connections, for
// [http.Client.CloseIdleConnections].
func (t adapterTransport) CloseIdleConnections() {
	if c, ok := t.adapter.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

// CloseIdleConnections closes the idle connections of the mounted adapters.
func (t sessionTransport) CloseIdleConnections() {
	for _, m := range t.session.mounts.All() {
		adapterTransport{m.Value}.CloseIdleConnections()
	}
}

// frameLike takes the framing over that the http.Request asks for.
func (p *PreparedRequest) frameLike(req *http.Request) {
	switch {
	case p.Method == "CONNECT":
		p.Headers.Del("Content-Length") // what follows is in the tunnel
		p.Headers.Del("Transfer-Encoding")
		return
	case !p.body.None():
		return
	}
	switch p.Method {
	case "POST", "PUT", "PATCH":
		p.Headers.setDefault("Content-Length", "0")
	default:
		p.Headers.Del("Content-Length")
	}
}

// checkHTTPRequest refuses what no transport can send.
func checkHTTPRequest(req *http.Request) error {
	switch {
	case req.URL == nil:
		return fail(ErrInvalidURL, "the http.Request has no URL")
	case req.Header == nil && req.URL.Host == "" && req.URL.Path == "":
		return fail(ErrInvalidURL, "the http.Request has no host in its URL")
	case req.Method != "" && !ascii.IsToken(req.Method):
		return fail(ErrInvalidMethod, "invalid method %q", req.Method)
	}
	if wrong := nethttp.WrongField(req); wrong != "" {
		return fail(ErrInvalidHeader, "%s", wrong)
	}
	return nil
}

// inKnownWords says what programs look for in the text of net/http's errors.
func inKnownWords(req *http.Request, err error) error {
	switch {
	case errors.Is(err, ErrInvalidSchema) && !errors.Is(err, ErrRedirectScheme):
		return fail(ErrInvalidSchema, "unsupported protocol scheme %q", req.URL.Scheme)
	case errors.Is(err, ErrInvalidURL) && req.URL.Host == "":
		return fail(ErrInvalidURL, "http: no Host in request URL")
	}
	return err
}

// limitRedirected holds requests that an http.Client's redirects lead to, to the rules
// that the session's own redirects keep: where they may lead, that the session's params
// are added once, and what may travel to another origin, of what the session adds and of
// what the client carries along.
func (s *Session) limitRedirected(r *Request, req *http.Request) error {
	if req.Response == nil || req.Response.Request == nil {
		return nil
	}
	before := req.Response.Request
	if err := s.allowRedirect(s.HSTS.upgrade(nethttp.Text(before.URL)), s.HSTS.upgrade(r.URL)); err != nil {
		return err
	}
	for _, kv := range s.Params {
		if !slices.ContainsFunc(r.Params, func(own [2]string) bool { return own[0] == kv[0] }) {
			r.WithoutParams = append(r.WithoutParams, kv[0])
		}
	}
	if req.Method != before.Method {
		r.Headers.delBody()
	}
	r.dropForwarded(before.Header, func(name string) bool { return name == "proxy-authorization" })
	if !nethttp.LeftOrigin(req, uri.ShareOrigin) {
		return nil
	}
	r.Auth = NoAuth
	keep, strayed := s.Policy.KeepCrossOriginHeaders, nethttp.LeftOrigin(req, keepsAuth)
	if !keep {
		r.Headers.Del("Referer") // the client's own doing
	}
	mayNot := func(name string) bool {
		return name == "cookie" || name == "authorization" && strayed || !keep && !redirect.MayCross(name)
	}
	r.dropForwarded(before.Header, func(name string) bool { return mayNot(name) && (name != "cookie" || s.Cookies != nil) })
	s.omitSessionHeaders(r, mayNot)
	r.given.Away = !s.Policy.NetscapeCookies && !keepsAuth(nethttp.Text(nethttp.First(req).URL), r.URL)
	return nil
}

// refuseRedirect is what holds without a session: only http and https are followed.
func refuseRedirect(req *http.Request) error {
	if req.Response == nil || req.Response.Request == nil {
		return nil
	}
	return allowScheme(nethttp.Text(req.Response.Request.URL), nethttp.Text(req.URL))
}

// dropForwarded removes what the client has carried along.
func (r *Request) dropForwarded(before http.Header, mayNot func(name string) bool) {
	r.Headers = nethttp.WithoutForwarded(r.Headers, before, mayNot)
}

// omitSessionHeaders keeps the session's headers that may not travel from being added.
func (s *Session) omitSessionHeaders(r *Request, mayNot func(name string) bool) {
	for _, f := range s.Headers {
		if mayNot(strings.ToLower(f[0])) && !r.Headers.Has(f[0]) {
			r.WithoutHeaders = append(r.WithoutHeaders, f[0])
		}
	}
}

// keepsAuth reports whether Authorization may go from one URL to the other.
func keepsAuth(from, to string) bool {
	strip, err := uri.ShouldStripAuth(from, to)
	return err == nil && !strip
}
