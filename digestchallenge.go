package requests

import (
	"slices"
	"strings"

	"github.com/mountable/requests/internal/fieldvalue"
)

// digestChallenge is a digest challenge. It is immutable.
type digestChallenge struct {
	realm, nonce, opaque string
	algorithm            string // as received
	qop                  string // as received
	hasAlgorithm         bool
	userhash, utf8       bool
	asRequests           bool // Policy.ChallengesAsRequests
}

// findDigestChallenge returns the first challenge of the fields that can be
// answered, nil if there is none. As Requests does it, one with an unknown
// algorithm or qop is found too, and its answer is a request without credentials.
func findDigestChallenge(fields []string, asRequests bool) *digestChallenge {
	if asRequests {
		return requestsChallenge(strings.Join(fields, ", "))
	}
	for _, field := range fields {
		for _, c := range fieldvalue.ParseChallenges(field) {
			if !strings.EqualFold(c.Scheme, "Digest") {
				continue
			}
			if d, ok := newDigestChallenge(c.Param); ok && d.answerable() {
				return d
			}
		}
	}
	return nil
}

// DigestAnswers reports whether a challenge is one that [Digest] has an answer to.
func DigestAnswers(c Challenge) bool {
	d, ok := newDigestChallenge(c.Param)
	return ok && strings.EqualFold(c.Scheme, "Digest") && d.answerable()
}

// newDigestChallenge reads the parameters; without realm and nonce it is none.
func newDigestChallenge(param func(name string) (string, bool)) (*digestChallenge, bool) {
	c := &digestChallenge{}
	var hasRealm, hasNonce bool
	c.realm, hasRealm = param("realm")
	c.nonce, hasNonce = param("nonce")
	c.opaque, _ = param("opaque")
	c.qop, _ = param("qop")
	c.algorithm, c.hasAlgorithm = param("algorithm")
	userhash, _ := param("userhash")
	charset, _ := param("charset")
	c.userhash, c.utf8 = strings.EqualFold(userhash, "true"), strings.EqualFold(charset, "UTF-8")
	return c, hasRealm && hasNonce
}

// requestsChallenge reads the joined fields as Requests does: the first "digest "
// goes, the rest is one list of pairs whatever challenges it was made of.
func requestsChallenge(value string) *digestChallenge {
	lower := asciiLower(value)
	if !strings.Contains(lower, "digest") {
		return nil
	}
	if i := strings.Index(lower, "digest "); i >= 0 {
		value = value[:i] + value[i+len("digest "):]
	}
	pairs := fieldvalue.ParseDict(value)
	c, ok := newDigestChallenge(func(name string) (string, bool) {
		i := slices.IndexFunc(pairs, func(p fieldvalue.Pair) bool { return p.Name == name && p.HasValue })
		if i < 0 {
			return "", false
		}
		return pairs[i].Value, true
	})
	if !ok {
		return nil
	}
	c.asRequests, c.userhash, c.utf8 = true, false, false
	return c
}

// asciiLower keeps every byte in its place, which strings.ToLower does not.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// answerable reports whether algorithm and qop are known.
func (c *digestChallenge) answerable() bool {
	_, known := c.hash()
	return known && (c.qop == "" || c.offers("auth") || c.offers("auth-int"))
}

// offers reports whether qop is in the list of the challenge. Requests wants it
// in lower case and without blanks.
func (c *digestChallenge) offers(qop string) bool {
	if c.asRequests {
		return qop == "auth" && slices.Contains(strings.Split(c.qop, ","), qop)
	}
	for item := range strings.SplitSeq(c.qop, ",") {
		if strings.EqualFold(strings.TrimSpace(item), qop) {
			return true
		}
	}
	return false
}
