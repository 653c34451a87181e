package toolbelt

import (
	"context"
	"strings"
	"sync"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/digest"
)

// Guess is an auth that waits for the server's challenge to learn whether to use
// Digest or Basic. The first request to an origin goes out without credentials; a
// 4xx response with a challenge is answered once, with Digest if it is offered and can
// be answered, else with Basic. Later requests to that origin use what was chosen
// at once. A request that has an Authorization field already goes out with that, and
// challenges to it are not answered. Challenges of origins that a redirect led to are
// not answered either, unless Policy.CrossOriginDigest says so.
//
// With Policy.ChallengesAsRequests it chooses as requests-toolbelt does: by the words
// "basic", then "digest" anywhere in the field, Basic with any status.
//
// It is a [requests.Auth], safe for concurrent use. Make one with [GuessAuth].
type Guess struct {
	// Digest is what answers with Digest. Its settings may be changed before the first use.
	Digest *requests.Digest

	basic *requests.Basic

	// mu protects the fields below.
	mu     sync.Mutex
	chosen map[string]requests.Auth // by origin
}

// anyOrigin is where the choice is kept that holds for every host, as in Python.
const anyOrigin = ""

// maxGuesses bounds the origins that are remembered.
const maxGuesses = 256

// GuessAuth authenticates as user with Digest or Basic, whichever the server asks
// for.
func GuessAuth(user, password string) *Guess {
	return &Guess{
		basic:  requests.BasicAuth(user, password),
		Digest: requests.DigestAuth(user, password),
		chosen: map[string]requests.Auth{},
	}
}

// Authenticate uses what was chosen for the origin, or adds a hook that chooses.
func (g *Guess) Authenticate(p *requests.PreparedRequest) error {
	if p.Headers.Has("Authorization") {
		return nil // somebody wrote it, and it is not for g to replace
	}
	if chosen := g.choice(p.Origin()); chosen != nil {
		return chosen.Authenticate(p)
	}
	p.Hooks = append(p.Hooks, g.answer)
	return nil
}

// answer is the hook that Authenticate adds.
func (g *Guess) answer(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	if r.Request == nil || !r.Auth().MayAnswer() {
		return r, nil
	}
	switch guess(r, "WWW-Authenticate", r.StatusCode/100 == 4) {
	case schemeBasic:
		g.choose(r, g.basic)
		return r.Auth().Answer(ctx, g.basic.Authenticate)
	case schemeDigest:
		g.choose(r, g.Digest)
		return g.Digest.Answer(ctx, r)
	}
	return r, nil
}

func (g *Guess) choice(origin string) requests.Auth {
	g.mu.Lock()
	defer g.mu.Unlock()
	if chosen := g.chosen[origin]; chosen != nil {
		return chosen
	}
	return g.chosen[anyOrigin]
}

// choose remembers a choice for the origin that r came from.
func (g *Guess) choose(r *requests.Response, auth requests.Auth) {
	origin := anyOrigin
	if !r.Auth().Policy().CrossOriginDigest {
		origin = (&requests.PreparedRequest{URL: r.Request.URL}).Origin()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.chosen) >= maxGuesses {
		clear(g.chosen)
	}
	g.chosen[origin] = auth
}

type scheme uint8

const (
	schemeNone scheme = iota
	schemeBasic
	schemeDigest
)

// guess chooses a scheme of the challenges in a field. refused tells whether the
// status is one that goes with a challenge; Python does not ask.
func guess(r *requests.Response, field string, refused bool) scheme {
	if r.Auth().Policy().ChallengesAsRequests {
		return guessByWords(strings.ToLower(r.Headers.Get(field)))
	}
	found := schemeNone
	for _, c := range r.Auth().Challenges(field) {
		switch {
		case !refused:
		case strings.EqualFold(c.Scheme, "Digest") && digest.Of(c.Scheme, c.Param) != nil:
			return schemeDigest
		case strings.EqualFold(c.Scheme, "Basic"):
			found = schemeBasic
		}
	}
	return found
}

func guessByWords(value string) scheme {
	switch {
	case strings.Contains(value, "basic"):
		return schemeBasic
	case strings.Contains(value, "digest"):
		return schemeDigest
	}
	return schemeNone
}
