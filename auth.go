package requests

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/netrc"
	"github.com/mountable/requests/internal/refresh"
	"github.com/mountable/requests/internal/uri"
)

// Auth adds credentials to a prepared request. It is called last, once URL, headers, cookies and
// body are set, and may change any of them; Content-Length is computed again afterwards. It may
// add a response hook to answer a challenge. An Auth used by concurrent requests must be safe for
// that; those of this package are.
//
// Use [Session].Auth for a session, [Authenticate] for a call, and adapters.Authenticate for a
// mount.
type Auth interface {
	Authenticate(p *PreparedRequest) error
}

// AuthFunc makes an [Auth] of a function.
type AuthFunc func(p *PreparedRequest) error

// Authenticate calls f.
func (f AuthFunc) Authenticate(p *PreparedRequest) error { return f(p) }

// NoAuth sends no credentials, and keeps those of the session, netrc and the URL from being sent.
var NoAuth Auth = AuthFunc(func(*PreparedRequest) error { return nil })

// Basic is HTTP Basic authentication (RFC 7617).
type Basic struct{ Username, Password string }

// BasicAuth sends user and password with every request. Text that fits Latin-1
// is sent as Latin-1, as Requests does; other text as UTF-8.
func BasicAuth(user, password string) *Basic { return &Basic{user, password} }

// Authenticate sets the Authorization header.
func (b *Basic) Authenticate(p *PreparedRequest) error {
	p.Headers.Set("Authorization", basicCredentials(b.Username, b.Password))
	return nil
}

// ProxyBasic is HTTP Basic authentication towards a proxy.
type ProxyBasic struct{ Username, Password string }

// ProxyBasicAuth sends user and password in Proxy-Authorization to the proxy alone: with CONNECT,
// or with the requests that it forwards. A user in the proxy's URL does the same.
func ProxyBasicAuth(user, password string) *ProxyBasic { return &ProxyBasic{user, password} }

// Authenticate sets the Proxy-Authorization header.
func (b *ProxyBasic) Authenticate(p *PreparedRequest) error {
	p.Headers.Set("Proxy-Authorization", basicCredentials(b.Username, b.Password))
	return nil
}

// Bearer sends a bearer token (RFC 6750).
type Bearer struct{ Token string }

// BearerAuth sends "Authorization: Bearer token" with every request.
func BearerAuth(token string) *Bearer { return &Bearer{token} }

// Valid reports whether there is a token: b is a [Token] that does not expire by itself.
func (b *Bearer) Valid() bool { return b != nil && b.Token != "" }

// SetAuthHeader sets the Authorization of r.
func (b *Bearer) SetAuthHeader(r *http.Request) { r.Header.Set("Authorization", "Bearer "+b.Token) }

// Authenticate sets the Authorization header.
func (b *Bearer) Authenticate(p *PreparedRequest) error {
	p.Headers.Set("Authorization", "Bearer "+b.Token)
	return nil
}

func basicCredentials(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString(charset.Latin1OrUTF8(user+":"+password))
}

// SendAuthenticated sends p over an adapter with the credentials of auth, and has auth
// answer the challenges that come back over the same adapter: what a [Wrapper] needs
// that authenticates, such as adapters.Authenticate. The credentials belong to the URL
// of p: they are kept from redirects. An Authorization field that p has from its caller
// stays, and a call's own auth stays the only one. p is not changed.
func SendAuthenticated(ctx context.Context, a Adapter, auth Auth, p *PreparedRequest, opts SendOptions) (*Response, error) {
	if body.IsNil(auth) {
		return nil, fail(ErrInvalidArgument, "the Auth of a mount is a nil %T", auth)
	}
	q, err := p.authenticated(&call{ctx, opts.Deadline}, auth)
	if err != nil {
		return nil, withRequest(err, p)
	}
	hooks := q.Hooks
	q.Hooks = nil
	r, err := sendThrough(ctx, a, q, &opts)
	if err != nil {
		return nil, withRequest(err, p)
	}
	r, err = dispatch(ctx, hooks, r)
	if err == nil && r.Request != nil && r.Request != p {
		own := *r.Request
		own.home, own.strayed = p.home, p.strayed // what comes next is the caller's chain again
		r.Request = &own
	}
	return r, err
}

// authenticated is p as auth makes it, for its URL alone.
func (p *PreparedRequest) authenticated(during *call, auth Auth) (*PreparedRequest, error) {
	q := p.Clone()
	q.during, q.Hooks, q.original, q.home, q.strayed = during, nil, p.unanswered(), uri.OriginOf(p.URL), false
	written := p.Headers.Values("Authorization")
	q.Headers.Del("Authorization")
	if err := auth.Authenticate(q); err != nil {
		return nil, err
	}
	q.during = nil
	if p.ownAuth || len(written) > 0 && !p.ambient {
		q.keepAuthorization(written, p)
	}
	if !q.body.Streamed() {
		q.setContentLength()
	}
	return q, nil
}

// keepAuthorization takes back what an auth has done for the origin, for which the
// caller has credentials, and leaves what it has done for proxies.
func (p *PreparedRequest) keepAuthorization(written []string, from *PreparedRequest) {
	if p.proxyCredentials == from.proxyCredentials {
		p.Hooks = nil
	}
	p.Headers.Del("Authorization")
	for _, value := range written {
		p.Headers.Add("Authorization", value)
	}
}

// Token is a credential that can expire. A *Token of golang.org/x/oauth2 is one, and so is a [*Bearer].
type Token interface {
	// Valid reports whether the token can still be used.
	Valid() bool
	// SetAuthHeader sets the Authorization of r, of which only the header counts.
	SetAuthHeader(r *http.Request)
}

// TokenSource gives tokens, a new one with each call: the shape of
// golang.org/x/oauth2's TokenSource.
type TokenSource[T Token] interface {
	Token() (T, error)
}

// TokenFunc makes a [TokenSource] of a function.
type TokenFunc[T Token] func() (T, error)

// Token calls f.
func (f TokenFunc[T]) Token() (T, error) { return f() }

// Refresh authenticates with tokens of a source, and gets a new one where the last has
// expired or the server refuses it:
//
//	the token                 what happens
//	valid                     it is sent
//	none, or no longer valid  the source is asked before the request is sent
//	refused with a 401        the source is asked, unless somebody has already; the request
//	                          is sent once more, and what comes back is the response
//
// The source is never asked twice at the same time: requests that need a new token wait for the one
// that is being fetched, each within its context and Timeouts.Total, and get its error if it fails;
// the source is called to its end, and what it gives is kept. So a single-use refresh token is used
// once. A source must not cache tokens: oauth2's does, so wrap it in one that passes the last
// refresh token.
//
// A 401 from an origin that a redirect led to is left as it is, and a request whose body
// cannot be sent again ends as [ErrUnrewindableBody]. The errors of the source are
// returned as they are.
//
// A Refresh is safe for concurrent use. Make one with [RefreshAuth].
type Refresh struct {
	tokens refresh.Tokens
}

// RefreshAuth authenticates with the tokens of source.
func RefreshAuth[T Token](source TokenSource[T]) *Refresh {
	if body.IsNil(source) {
		return newRefresh(func() (refresh.Token, error) { return nil, fail(ErrInvalidArgument, "RefreshAuth: the source is nil") })
	}
	return newRefresh(func() (refresh.Token, error) { return source.Token() })
}

func newRefresh(source func() (refresh.Token, error)) *Refresh {
	return &Refresh{tokens: refresh.Tokens{Source: source}}
}

// Authenticate sets the Authorization header, and adds a hook that gets a new token where
// this one is refused. It waits for the source where there is no valid token.
func (a *Refresh) Authenticate(p *PreparedRequest) error {
	during := call{ctx: context.Background()}
	if p.during != nil {
		during = *p.during
	}
	value, err := a.authorization(during, "")
	if err != nil {
		return err
	}
	p.Headers.Set("Authorization", value)
	p.Hooks = append(p.Hooks, a.answer)
	return nil
}

// answer is the hook that Authenticate adds.
func (a *Refresh) answer(ctx context.Context, r *Response) (*Response, error) {
	if r.StatusCode != http.StatusUnauthorized || r.Request == nil || !r.Auth().MayAnswer() {
		return r, nil
	}
	refused := r.Request.Headers.Get("Authorization")
	value, err := a.authorization(call{ctx, r.opts.Deadline}, refused)
	if err != nil {
		return nil, err
	}
	if value == refused {
		return r, nil // the source has nothing better
	}
	return r.Auth().Answer(ctx, func(p *PreparedRequest) error {
		p.Headers.Set("Authorization", value)
		return nil
	})
}

// authorization returns the header value of a valid token that is not the refused one.
func (a *Refresh) authorization(during call, refused string) (string, error) {
	value, err := a.tokens.Value(during.ctx, during.deadline, refused)
	switch {
	case err == refresh.ErrInvalid || err == refresh.ErrNoHeader:
		return "", fail(ErrInvalidArgument, "RefreshAuth: %v", err)
	case err == refresh.ErrWaiting:
		return "", contextError(during.ctx)
	case err == refresh.ErrOverdue:
		return "", totalTimeout()
	}
	return value, err
}

// netrcAuth returns the credentials netrc has for the host of p, nil if none. The
// host is that of the parsed URL; a user named in the URL must be the entry's.
func (s *Session) netrcAuth(p *PreparedRequest) (Auth, error) {
	file, err := s.netrc.Load(s.Policy.NetrcAsRequests)
	if e, ok := err.(*netrc.FileError); ok {
		return nil, wrap(ErrFile, e.Err, "the netrc file "+e.Path+" cannot be used")
	}
	if file == nil {
		return nil, nil
	}
	to := p.at()
	if to.Err != nil || to.URL.Host == "" {
		return nil, nil
	}
	named := to.URL.HasUser && !s.Policy.NetrcIgnoresUser
	login, password, ok := file.Entry(to.URL.Hostname(), to.URL.Username(), named, s.Policy.NetrcDefault)
	if !ok {
		return nil, nil
	}
	return BasicAuth(login, password), nil
}
