package toolbelt

import (
	"context"
	"strings"

	"github.com/mountable/requests"
)

// ProxyDigest is HTTP Digest authentication towards proxies: for requests they pass
// forward and, beyond requests-toolbelt, for CONNECT. The proxy's 407 is answered once a
// request, and Digest.StaleRejects times more where it says stale=true; later requests
// through the same proxy carry credentials at once. A 407 without a challenge, or to an
// answer, is [requests.ErrProxy], over http as over https, and the error has the response.
//
// It is a [requests.Auth], safe for concurrent use. Make one with
// [HTTPProxyDigestAuth].
type ProxyDigest struct {
	// Digest is what computes the credentials.
	Digest *requests.Digest
}

// HTTPProxyDigestAuth answers digest challenges of proxies for user.
func HTTPProxyDigestAuth(user, password string) *ProxyDigest {
	return &ProxyDigest{Digest: requests.DigestAuth(user, password)}
}

// Authenticate makes adapters ask d for credentials, and adds a hook that answers a
// 407.
func (d *ProxyDigest) Authenticate(p *requests.PreparedRequest) error {
	p.SetProxyCredentials(digestCredentials{d})
	p.Hooks = append(p.Hooks, d.answerProxy)
	return nil
}

// answerProxy is the hook that Authenticate adds.
func (d *ProxyDigest) answerProxy(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	return answerProxy(ctx, r, digestCredentials{d})
}

// digestCredentials are what d has for proxies.
type digestCredentials struct{ *ProxyDigest }

// ProxyAuthorization returns credentials where the proxy's challenge is known.
func (d digestCredentials) ProxyAuthorization(proxy string, p *requests.PreparedRequest, target string) (string, error) {
	return d.Digest.Proxy().ProxyAuthorization(proxy, p, target)
}

// ProxyChallenge remembers the challenge, and reports whether it can be answered.
func (d digestCredentials) ProxyChallenge(proxy string, r *requests.Response) (bool, error) {
	const field = "Proxy-Authenticate"
	if r.StatusCode != 407 {
		return false, nil
	}
	if !r.Headers.Has(field) {
		return false, r.Auth().Fail(requests.ErrProxy, "the proxy sent a 407 without Proxy-Authenticate (RFC 9110 section 15.5.8)")
	}
	asRequests := r.Auth().Policy().ChallengesAsRequests
	if asRequests && !strings.HasPrefix(strings.ToLower(r.Headers.Get(field)), "digest ") {
		return false, nil
	}
	if r.Auth().SentProxyAuthorization() {
		said, answers := stale(r.Auth().Challenges(field)), answered(r)
		if said == "false" || !asRequests && answers > 0 && (said != "true" || answers > d.Digest.StaleRejects) {
			return false, refusedByProxy(r)
		}
	}
	return d.Digest.Proxy().ProxyChallenge(proxy, r)
}

// answered is how often the proxy has been given an answer for this request.
func answered(r *requests.Response) int {
	n := 0
	for _, earlier := range r.History {
		if earlier.StatusCode == 407 {
			n++
		}
	}
	return n
}

// stale returns what the digest challenge says of the nonce that was used.
func stale(challenges []requests.Challenge) string {
	for _, c := range challenges {
		if value, ok := c.Param("stale"); ok && strings.EqualFold(c.Scheme, "Digest") {
			return strings.ToLower(value)
		}
	}
	return ""
}

func refusedByProxy(r *requests.Response) error {
	return r.Auth().Fail(requests.ErrProxy, "the proxy refuses user or password")
}
