package toolbelt

import (
	"context"
	"sync"

	"github.com/mountable/requests"
)

// GuessProxy is a [Guess] for the origin and for the proxy in front of it. What is
// learned of a proxy is used for that proxy only, for CONNECT too.
//
// It is a [requests.Auth], safe for concurrent use. Make one with
// [GuessProxyAuth].
type GuessProxy struct {
	Origin *Guess       // what is sent to the origin
	Digest *ProxyDigest // what answers the proxy with Digest; settings of both may be changed before the first use

	basic *requests.ProxyBasic

	// mu protects the fields below.
	mu     sync.Mutex
	chosen map[string]scheme // by proxy
}

// GuessProxyAuth authenticates with user and password to the origin, and with those
// of the proxy to the proxy: with Digest or Basic, whichever each asks for.
func GuessProxyAuth(user, password, proxyUser, proxyPassword string) *GuessProxy {
	return &GuessProxy{
		Origin: GuessAuth(user, password),
		basic:  requests.ProxyBasicAuth(proxyUser, proxyPassword),
		Digest: HTTPProxyDigestAuth(proxyUser, proxyPassword),
		chosen: map[string]scheme{},
	}
}

// Authenticate adds hooks that answer the challenges of the proxy and of the origin,
// or credentials where these are known.
func (g *GuessProxy) Authenticate(p *requests.PreparedRequest) error {
	p.SetProxyCredentials(guessCredentials{g})
	p.Hooks = append(p.Hooks, g.answerProxy)
	return g.Origin.Authenticate(p)
}

// answerProxy is the hook that Authenticate adds for the proxy's 407.
func (g *GuessProxy) answerProxy(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	return answerProxy(ctx, r, guessCredentials{g})
}

// guessCredentials are what g has for proxies.
type guessCredentials struct{ *GuessProxy }

// ProxyChallenge chooses a scheme for the proxy.
func (g guessCredentials) ProxyChallenge(proxy string, r *requests.Response) (bool, error) {
	chosen := guess(r, "Proxy-Authenticate", r.StatusCode == 407)
	switch {
	case chosen == schemeNone:
		return false, nil
	case chosen == schemeBasic && r.Auth().SentProxyAuthorization():
		if r.Auth().Policy().ChallengesAsRequests {
			return false, nil
		}
		return false, refusedByProxy(r)
	}
	g.choose(proxy, chosen)
	if chosen == schemeDigest {
		return digestCredentials{g.Digest}.ProxyChallenge(proxy, r)
	}
	return true, nil
}

// ProxyAuthorization returns credentials where the proxy's scheme is known.
func (g guessCredentials) ProxyAuthorization(proxy string, p *requests.PreparedRequest, target string) (string, error) {
	g.mu.Lock()
	chosen := g.chosen[proxy]
	g.mu.Unlock()
	switch chosen {
	case schemeBasic:
		header := &requests.PreparedRequest{}
		err := g.basic.Authenticate(header)
		return header.Headers.Get("Proxy-Authorization"), err
	case schemeDigest:
		return digestCredentials{g.Digest}.ProxyAuthorization(proxy, p, target)
	}
	return "", nil
}

func (g *GuessProxy) choose(proxy string, chosen scheme) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.chosen) >= maxGuesses {
		clear(g.chosen)
	}
	g.chosen[proxy] = chosen
}

// maxAnswers bounds the answers to one proxy for one request, whatever its credentials
// make of the challenges.
const maxAnswers = 16

// answerProxy answers the challenge of the proxy that r came through for as long as c
// has an answer: once, and again where it says that the nonce was stale.
func answerProxy(ctx context.Context, r *requests.Response, c requests.ProxyCredentials) (*requests.Response, error) {
	proxy := r.Auth().ForwardedBy()
	if r.Request == nil || proxy == "" && !r.Auth().Policy().CrossOriginDigest {
		return r, nil // no proxy said this: its credentials are not for the origin
	}
	for range maxAnswers {
		again, err := c.ProxyChallenge(proxy, r)
		if err != nil || !again {
			return r, err
		}
		r, err = r.Auth().Answer(ctx, func(p *requests.PreparedRequest) error {
			p.Headers.Del("Proxy-Authorization") // what was refused; the adapter asks for the new one
			return nil
		})
		if err != nil || r.StatusCode != 407 || r.Auth().Policy().ChallengesAsRequests {
			return r, err
		}
	}
	return r, nil
}
