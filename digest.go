package requests

import (
	"context"
	"io"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/digest"
	"github.com/mountable/requests/internal/uri"
)

// Digest is HTTP Digest authentication (RFC 7616) with MD5, SHA-256, SHA-512-256,
// their -sess forms and, as Requests has them, SHA and SHA-512; with qop auth,
// auth-int for bodies that can be read twice, or none; and with hashed user names.
//
// The first request goes out without credentials. A 4xx response with a challenge is
// read, put into the History of the response that follows, and answered: once, and
// again where the server then says that only the nonce was stale. A request whose body
// cannot be sent again ends as [ErrUnrewindableBody], with the response in the error.
// The challenge is remembered for the origin it came from: later requests there send
// Authorization at once, each with the next nonce count. Challenges of origins that
// a redirect led to are not answered, unless Policy.CrossOriginDigest says so.
//
// A Digest is safe for concurrent use. Make one with [DigestAuth].
type Digest struct {
	// ClientNonce makes the client's nonce, 64 random bits in hexadecimal if nil.
	// It is there for tests, and must be safe for concurrent use.
	ClientNonce func() string

	// StaleRejects is how often the answer to a challenge may be refused as stale and
	// given again with the new nonce, for one request: 3 by DigestAuth. Servers that
	// insist on nonce counts in order say so of requests that are sent side by side
	// (RFC 7616 section 3.3).
	StaleRejects int

	user, password string // as UTF-8, which is what is hashed
	written        string // the user in the field's bytes, where the server does not say charset=UTF-8
	memory         digest.Memory
}

// defaultStaleRejects lets a request win against three others at once.
const defaultStaleRejects = 3

// DigestAuth answers digest challenges for user with password. They are hashed as UTF-8; the name is
// written as UTF-8 where the server says charset=UTF-8, else, as Requests does, as Latin-1 if it fits.
func DigestAuth(user, password string) *Digest {
	return &Digest{user: user, password: password, written: string(charset.Latin1OrUTF8(user)), StaleRejects: defaultStaleRejects}
}

// Authenticate sets the Authorization header where the origin's challenge is
// known, and adds a hook that answers the challenge of the response.
func (d *Digest) Authenticate(p *PreparedRequest) error {
	p.Hooks = append(p.Hooks, d.Answer)
	_, err := d.authorize(uri.OriginOf(p.URL), p)
	return err
}

// Answer is the [Hook] that [Digest.Authenticate] adds: it answers a challenge with
// another request over the same adapter and returns the response to that, whatever
// it is. Any other response is left as it is.
func (d *Digest) Answer(ctx context.Context, r *Response) (*Response, error) {
	for answers := 0; ; answers++ {
		c := d.challenged(r)
		if c == nil || answers > 0 && !(c.Stale && answers <= d.StaleRejects && !c.AsRequests()) {
			return r, nil
		}
		var err error
		if r, err = d.answer(ctx, r); err != nil {
			return nil, err
		}
	}
}

// challenged remembers the challenge of r, and returns it if it may be answered.
func (d *Digest) challenged(r *Response) *digest.Challenge {
	if r.StatusCode < 400 || r.StatusCode >= 500 || r.Request == nil || !r.Auth().MayAnswer() {
		return nil
	}
	return d.learn(digestSpaceOf(r), r, "WWW-Authenticate")
}

// digestSpaceOf is the protection space of the origin that r came from.
func digestSpaceOf(r *Response) string {
	if r.Auth().Policy().CrossOriginDigest {
		return digest.AnySpace
	}
	return uri.OriginOf(r.Request.URL)
}

// answer sends the request of r again with credentials for the challenge.
func (d *Digest) answer(ctx context.Context, r *Response) (*Response, error) {
	x, space := r.Auth(), digestSpaceOf(r)
	return x.Answer(ctx, func(p *PreparedRequest) error {
		done, err := d.authorize(space, p)
		if err == nil && !done && !x.Policy().ChallengesAsRequests {
			err = fail(ErrUnrewindableBody, "the server wants auth-int for a body that cannot be read twice")
		}
		return err
	})
}

// Proxy returns d as the credentials for proxies: for CONNECT, and for requests that
// a proxy forwards. An [Auth] gives them to a request with
// [PreparedRequest.SetProxyCredentials].
func (d *Digest) Proxy() ProxyCredentials { return digestProxy{d} }

// digestProxy keeps what proxies do apart from what origins do.
type digestProxy struct{ digest *Digest }

// ProxyAuthorization returns credentials where the proxy's challenge is known.
func (d digestProxy) ProxyAuthorization(proxy string, p *PreparedRequest, target string) (string, error) {
	return d.digest.credentials(proxy, p, target)
}

// ProxyChallenge remembers the challenge and reports whether it can be answered.
func (d digestProxy) ProxyChallenge(proxy string, r *Response) (bool, error) {
	return d.digest.learn(proxy, r, "Proxy-Authenticate") != nil, nil
}

// learn remembers the digest challenge in the header field of r for a protection
// space: an origin as [PreparedRequest.Origin] names it, or a proxy. Of several
// challenges it takes the first that it can answer and returns it, nil for none.
func (d *Digest) learn(space string, r *Response, field string) *digest.Challenge {
	c := digest.Find(r.Headers.Values(field), r.Auth().Policy().ChallengesAsRequests)
	if c == nil {
		return nil
	}
	d.memory.Learn(space, c)
	return c
}

// credentials returns the value of Authorization or Proxy-Authorization for p in a
// protection space whose challenge is known, and "" elsewhere. Each call uses up a
// nonce count. The target is that of the request line, "" for the one of p's URL.
func (d *Digest) credentials(space string, p *PreparedRequest, target string) (string, error) {
	turn := d.memory.Take(space, d.ClientNonce)
	if turn == nil {
		return "", nil
	}
	if target == "" {
		target = digestTarget(turn.Challenge, p)
	}
	return turn.Credentials(digest.Request{
		User: d.user, Password: d.password, WrittenUser: d.written,
		Method: p.Method, URI: target, Body: p.hashable(),
	})
}

// hashable returns what writes the body of p and leaves it ready to be sent, nil for
// one that can be read only once.
func (p *PreparedRequest) hashable() func(io.Writer) error {
	if !p.Replayable() {
		return nil
	}
	return func(w io.Writer) error {
		return wrap(ErrInvalidBody, bodyFault(p.body.Copy(w)), "the body cannot be read for auth-int")
	}
}

// authorize puts the credentials on p and reports whether there were any.
func (d *Digest) authorize(space string, p *PreparedRequest) (bool, error) {
	header, err := d.credentials(space, p, "")
	switch {
	case err != nil:
		return false, err
	case header != "":
		p.Headers.Set("Authorization", header)
	case d.memory.Knows(space):
		p.Headers.Del("Authorization")
	}
	return header != "", nil
}

// digestTarget is the uri of the credentials: the request line's.
func digestTarget(c *digest.Challenge, p *PreparedRequest) string {
	if c.AsRequests() {
		return uri.WithoutParams(uri.PathURL(p.URL))
	}
	return p.Target()
}
