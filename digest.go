package requests

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/mountable/requests/internal/uri"
)

// Digest is HTTP Digest authentication (RFC 7616) with MD5, SHA-256, SHA-512-256,
// their -sess forms and, as Requests has them, SHA and SHA-512; with qop auth,
// auth-int for bodies that can be read twice, or none; and with hashed user names.
//
// The first request goes out without credentials. A 4xx reply with a challenge is
// read, put into the History of the reply that follows, and answered once. The
// challenge is remembered for the origin it came from: later requests there send
// Authorization at once, each with the next nonce count. Challenges of origins that
// a redirect led to are not answered, unless Policy.CrossOriginDigest says so.
//
// A Digest is an [Option] and safe for concurrent use. Make one with [DigestAuth].
type Digest struct {
	// ClientNonce makes the client's nonce, 64 random bits in hexadecimal if nil.
	// It is there for tests, and must be safe for concurrent use.
	ClientNonce func() string

	user, password string

	mu     sync.Mutex
	spaces map[string]*digestSpace
}

// digestSpace is what is known of one protection space: an origin or a proxy.
type digestSpace struct {
	challenge *digestChallenge
	counts    map[string]uint64 // how often each nonce has been used
}

// anySpace is where the challenge is kept that Requests would use for every host.
const anySpace = ""

// Bounds on what servers can make a Digest remember.
const (
	maxDigestSpaces = 256
	maxDigestNonces = 64
)

// DigestAuth answers digest challenges for user with password.
func DigestAuth(user, password string) *Digest { return &Digest{user: user, password: password} }

// Apply makes d the auth of r.
func (d *Digest) Apply(r *Request) error {
	r.Auth = d
	return nil
}

// String never shows the password.
func (d *Digest) String() string { return "Digest(" + d.user + ")" }

// GoString keeps the password out of %#v.
func (d *Digest) GoString() string { return d.String() }

// Authenticate sets the Authorization header where the origin's challenge is
// known, and adds a hook that answers the challenge of the reply.
func (d *Digest) Authenticate(p *PreparedRequest) error {
	p.Hooks = append(p.Hooks, d.Answer)
	_, err := d.authorize(originOf(p.URL), p)
	return err
}

// Answer is the [Hook] that [Digest.Authenticate] adds: it answers a challenge with
// a second request over the same adapter and returns the reply to that, whatever
// it is. Any other reply is left as it is.
func (d *Digest) Answer(ctx context.Context, r *Response) (*Response, error) {
	if r.StatusCode < 400 || r.StatusCode >= 500 || r.Request == nil || !r.MayAnswer() {
		return r, nil
	}
	space := originOf(r.Request.URL)
	if r.Policy().CrossOriginDigest {
		space = anySpace
	}
	if !d.Challenge(space, r, "WWW-Authenticate") {
		return r, nil
	}
	return r.Answer(ctx, func(p *PreparedRequest) error {
		done, err := d.authorize(space, p)
		if err == nil && !done && !r.Policy().ChallengesAsRequests {
			err = fail(ErrUnrewindableBody, "the server wants auth-int for a body that cannot be read twice")
		}
		return err
	})
}

// Challenge remembers the digest challenge in the header field of r, which is
// WWW-Authenticate or Proxy-Authenticate, for a protection space: an origin as
// [PreparedRequest.Origin] names it, or the URL of a proxy. Of several challenges
// it takes the first that it can answer, and reports whether there is one.
func (d *Digest) Challenge(space string, r *Response, field string) bool {
	c := findDigestChallenge(r.Headers.Values(field), r.Policy().ChallengesAsRequests)
	if c == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.spaces[space]
	if s == nil {
		d.makeRoom()
		s = &digestSpace{counts: map[string]uint64{}}
		d.spaces[space] = s
	}
	s.challenge = c
	return true
}

func (d *Digest) makeRoom() {
	if d.spaces == nil {
		d.spaces = map[string]*digestSpace{}
	}
	for name := range d.spaces {
		if len(d.spaces) < maxDigestSpaces {
			return
		}
		delete(d.spaces, name)
	}
}

// Credentials returns the value of Authorization or Proxy-Authorization for p in a
// protection space whose challenge is known, and "" elsewhere. Each call uses up a
// nonce count. The target is that of the request line, "" for the one of p's URL.
func (d *Digest) Credentials(space string, p *PreparedRequest, target string) (string, error) {
	turn := d.take(space)
	if turn == nil {
		return "", nil
	}
	if target == "" {
		target = turn.target(p.URL)
	}
	return turn.header(digestRequest{d.user, d.password, p.Method, target, &p.body})
}

// authorize puts the credentials on p and reports whether there were any.
func (d *Digest) authorize(space string, p *PreparedRequest) (bool, error) {
	header, err := d.Credentials(space, p, "")
	switch {
	case err != nil:
		return false, err
	case header != "":
		p.Headers.Set("Authorization", header)
	case d.knows(space):
		p.Headers.Del("Authorization")
	}
	return header != "", nil
}

func (d *Digest) knows(space string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.find(space) != nil
}

// find returns what is known of a space, nil for nothing.
func (d *Digest) find(space string) *digestSpace {
	if s := d.spaces[space]; s != nil {
		return s
	}
	return d.spaces[anySpace]
}

// digestTurn is one use of a challenge: no two have nonce and count in common.
type digestTurn struct {
	*digestChallenge
	count  uint64
	cnonce string
}

// take counts one use of the challenge of a space, nil if there is none.
func (d *Digest) take(space string) *digestTurn {
	turn := d.count(space)
	if turn == nil {
		return nil
	}
	if d.ClientNonce != nil {
		turn.cnonce = d.ClientNonce()
		return turn
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	turn.cnonce = hex.EncodeToString(random[:])
	return turn
}

func (d *Digest) count(space string) *digestTurn {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.find(space)
	if s == nil {
		return nil
	}
	nonce := s.challenge.nonce
	if _, known := s.counts[nonce]; !known && len(s.counts) >= maxDigestNonces {
		clear(s.counts)
	}
	s.counts[nonce]++
	return &digestTurn{digestChallenge: s.challenge, count: s.counts[nonce]}
}

// target is the uri of the credentials: the request line's.
func (c *digestChallenge) target(url string) string {
	if c.asRequests {
		return withoutParams(uri.PathURL(url))
	}
	return uri.RequestTarget(url)
}

// nc is the nonce count as it is written.
func (t *digestTurn) nc() string { return fmt.Sprintf("%08x", t.count) }
