package requests

import (
	"context"
	"encoding/base64"
	"net/http"
)

// Auth puts credentials on a prepared request. It is called last, when URL,
// headers, cookies and body stand, and may change any of them; Content-Length is
// computed again afterwards. It may add a response hook to answer a challenge.
// An Auth used by concurrent requests must be safe for that; those of this
// package are.
type Auth interface {
	Authenticate(p *PreparedRequest) error
}

// AuthFunc makes an [Auth] of a function. It is an [Option].
type AuthFunc func(p *PreparedRequest) error

// Authenticate calls f.
func (f AuthFunc) Authenticate(p *PreparedRequest) error { return f(p) }

// Apply makes f the auth of r.
func (f AuthFunc) Apply(r *Request) error {
	r.Auth = f
	return nil
}

// NoAuth sends no credentials, and keeps those of the session, netrc and the
// URL from being sent.
var NoAuth Auth = AuthFunc(func(*PreparedRequest) error { return nil })

// Basic is HTTP Basic authentication (RFC 7617). It is an [Option].
type Basic struct{ Username, Password string }

// BasicAuth sends user and password with every request. Text that fits Latin-1
// is sent as Latin-1, as Requests does; other text as UTF-8.
func BasicAuth(user, password string) *Basic { return &Basic{user, password} }

// Authenticate sets the Authorization header.
func (b *Basic) Authenticate(p *PreparedRequest) error {
	p.Headers.Set("Authorization", basicCredentials(b.Username, b.Password))
	return nil
}

// Apply makes b the auth of r.
func (b *Basic) Apply(r *Request) error {
	r.Auth = b
	return nil
}

// ProxyBasic is HTTP Basic authentication towards a proxy. It is an [Option].
type ProxyBasic struct{ Username, Password string }

// ProxyBasicAuth sends user and password in Proxy-Authorization with the request, for
// plain http through a proxy. Credentials in the proxy's URL serve https as well.
func ProxyBasicAuth(user, password string) *ProxyBasic { return &ProxyBasic{user, password} }

// Authenticate sets the Proxy-Authorization header.
func (b *ProxyBasic) Authenticate(p *PreparedRequest) error {
	p.Headers.Set("Proxy-Authorization", basicCredentials(b.Username, b.Password))
	return nil
}

// Apply makes b the auth of r.
func (b *ProxyBasic) Apply(r *Request) error {
	r.Auth = b
	return nil
}

// Bearer sends a bearer token (RFC 6750). It is an [Option].
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

// Apply makes b the auth of r.
func (b *Bearer) Apply(r *Request) error {
	r.Auth = b
	return nil
}

func basicCredentials(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString(latin1(user+":"+password))
}

// latin1 encodes s as ISO-8859-1 where every character fits, as Requests does,
// and leaves it UTF-8 otherwise (RFC 7617 section 2.1).
func latin1(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return []byte(s)
		}
		out = append(out, byte(r))
	}
	return out
}

// SendAuthenticated sends p over an adapter with the credentials of auth, and has auth
// answer the challenges that come back over the same adapter: what a [Wrapper] needs
// that authenticates, such as adapters.Authenticate. The credentials belong to the URL
// of p: they are kept from redirects. An Authorization field that p has from its caller
// stays, and a call's own auth stays the only one. p is not changed.
func SendAuthenticated(ctx context.Context, a Adapter, auth Auth, p *PreparedRequest, opts SendOptions) (*Response, error) {
	if isNil(auth) {
		return nil, fail(ErrInvalidArgument, "the Auth of a mount is a nil %T", auth)
	}
	q, err := p.authenticated(auth)
	if err != nil {
		return nil, withRequest(err, p)
	}
	hooks := q.Hooks
	q.Hooks = nil
	r, err := sendThrough(ctx, a, q, opts)
	if err != nil {
		return nil, withRequest(err, p)
	}
	r, err = dispatch(ctx, hooks, r)
	if err == nil && r.Request != nil && r.Request != p {
		own := *r.Request
		own.home = p.home // what comes next is the caller's chain again
		r.Request = &own
	}
	return r, err
}

// authenticated is p as auth makes it, for its URL alone.
func (p *PreparedRequest) authenticated(auth Auth) (*PreparedRequest, error) {
	q := p.Clone()
	q.Hooks, q.original, q.home = nil, p.unanswered(), originOf(p.URL)
	written := p.Headers.Values("Authorization")
	q.Headers.Del("Authorization")
	if err := auth.Authenticate(q); err != nil {
		return nil, err
	}
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
