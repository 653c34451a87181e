// Package digest reads the challenges of HTTP Digest authentication (RFC 7616) and
// computes the credentials that answer them. A Memory knows which challenge belongs to
// whom, and how often a nonce has been used.
package digest

import (
	"slices"
	"strings"

	"github.com/mountable/requests/internal/fieldvalue"
)

// Challenge is a digest challenge. It is immutable.
type Challenge struct {
	Realm, Nonce, Opaque string
	Stale                bool // only the nonce was refused, not user or password

	algorithm      string // as received
	qop            string // as received
	hasAlgorithm   bool
	userhash, utf8 bool
	asRequests     bool // read and answered with Requests' limits
}

// Find returns the first challenge of the fields that can be answered, nil if there
// is none. With asRequests the fields are read as Requests does it: then one with an
// unknown algorithm or qop is found too, and has no credentials for an answer.
func Find(fields []string, asRequests bool) *Challenge {
	if asRequests {
		return likeRequests(strings.Join(fields, ", "))
	}
	for _, field := range fields {
		for _, c := range fieldvalue.ParseChallenges(field) {
			if d := Of(c.Scheme, c.Param); d != nil {
				return d
			}
		}
	}
	return nil
}

// Of returns the challenge of a scheme with parameters, nil if it is not Digest or
// cannot be answered.
func Of(scheme string, param func(name string) (string, bool)) *Challenge {
	if !strings.EqualFold(scheme, "Digest") {
		return nil
	}
	if c := read(param); c != nil && c.answerable() {
		return c
	}
	return nil
}

// maxText bounds realm, nonce and opaque together, which clients keep and send back:
// 8 KiB, as much as servers take for one line of a head.
const maxText = 8 << 10

// read returns the challenge that has the parameters, nil without realm and nonce and
// for one beyond the bounds.
func read(param func(name string) (string, bool)) *Challenge {
	c := &Challenge{}
	var hasRealm, hasNonce bool
	c.Realm, hasRealm = param("realm")
	c.Nonce, hasNonce = param("nonce")
	if !hasRealm || !hasNonce {
		return nil
	}
	if c.Opaque, _ = param("opaque"); len(c.Realm)+len(c.Nonce)+len(c.Opaque) > maxText {
		return nil
	}
	c.qop, _ = param("qop")
	c.algorithm, c.hasAlgorithm = param("algorithm")
	c.Stale = isWord(param, "stale", "true")
	c.userhash = isWord(param, "userhash", "true")
	c.utf8 = isWord(param, "charset", "UTF-8")
	return c
}

// isWord reports whether a parameter is a word, letter case aside.
func isWord(param func(string) (string, bool), name, word string) bool {
	value, _ := param(name)
	return strings.EqualFold(value, word)
}

// likeRequests reads the joined fields as Requests does: the first "digest " goes,
// the rest is one list of pairs whatever challenges it was made of.
func likeRequests(value string) *Challenge {
	lower := asciiLower(value)
	if !strings.Contains(lower, "digest") {
		return nil
	}
	if i := strings.Index(lower, "digest "); i >= 0 {
		value = value[:i] + value[i+len("digest "):]
	}
	pairs := fieldvalue.ParseDict(value)
	c := read(func(name string) (string, bool) {
		i := slices.IndexFunc(pairs, func(p fieldvalue.Pair) bool { return p.Name == name && p.HasValue })
		if i < 0 {
			return "", false
		}
		return pairs[i].Value, true
	})
	if c != nil {
		c.asRequests, c.userhash, c.utf8 = true, false, false
	}
	return c
}

// asciiLower keeps every byte where it is, which strings.ToLower does not.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// AsRequests reports whether the challenge was read with Requests' limits.
func (c *Challenge) AsRequests() bool { return c.asRequests }

// answerable reports whether algorithm and qop are known.
func (c *Challenge) answerable() bool {
	_, known := c.hash()
	return known && (c.qop == "" || c.offers("auth") || c.offers("auth-int"))
}

// offers reports whether qop is in the list of the challenge. Requests wants it
// in lower case and without blanks.
func (c *Challenge) offers(qop string) bool {
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
