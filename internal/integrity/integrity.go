// Package integrity reads and writes the fields of RFC 9530, Content-Digest and Repr-Digest.
package integrity

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"slices"
	"strings"
)

// algorithm is one that RFC 9530 section 5 calls active. The others do not protect, and are not
// looked at.
type algorithm struct {
	name string
	new  func() hash.Hash
}

var algorithms = []algorithm{{"sha-256", sha256.New}, {"sha-512", sha512.New}}

// Wanted is the preference of who checks, for Want-Content-Digest.
const Wanted = "sha-256=10, sha-512=5"

// Field returns the value of a Content-Digest field for what sum has been fed: a hash of New.
func Field(sum hash.Hash) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum.Sum(nil)) + ":"
}

// New is the hash of what is sent.
func New() hash.Hash { return sha256.New() }

// Digests are the sums of a field by algorithm, "sha-256" or "sha-512".
type Digests map[string][]byte

// Parse reads the values of a field, a dictionary (RFC 9651 section 3.2) of byte sequences.
// Algorithms that are not known and values that are not sums are left out; a sum of the wrong
// length stays, and is that of nothing. A field that is not a dictionary says nothing.
func Parse(values []string) Digests {
	found := Digests{}
	p := &dictionary{strings.Join(values, ", ")}
	for first := true; p.rest != ""; first = false {
		if !first && !p.comma() {
			return nil
		}
		name, sum, ok := p.member()
		if !ok {
			return nil
		}
		delete(found, name) // the last one counts
		if sum != nil && slices.ContainsFunc(algorithms, func(a algorithm) bool { return a.name == name }) {
			found[name] = sum
		}
	}
	return found
}

// Checker sums what it is fed by all algorithms that may be needed.
type Checker struct{ sums []hash.Hash }

// NewChecker returns one for what the digests have, or for all algorithms if they come later.
func NewChecker(later bool, of ...Digests) *Checker {
	c := &Checker{make([]hash.Hash, len(algorithms))}
	for i, a := range algorithms {
		if later || slices.ContainsFunc(of, func(d Digests) bool { return d[a.name] != nil }) {
			c.sums[i] = a.new()
		}
	}
	return c
}

// Write sums b. It does not fail.
func (c *Checker) Write(b []byte) (int, error) {
	for _, sum := range c.sums {
		if sum != nil {
			sum.Write(b)
		}
	}
	return len(b), nil
}

// Mismatch returns the first algorithm whose sum is not that of d, "" if there is none.
func (c *Checker) Mismatch(d Digests) string {
	for i, a := range algorithms {
		if want := d[a.name]; want != nil && c.sums[i] != nil && !bytes.Equal(want, c.sums[i].Sum(nil)) {
			return a.name
		}
	}
	return ""
}

// dictionary is what is left of the text of one.
type dictionary struct{ rest string }

// comma takes what stands between two members.
func (p *dictionary) comma() bool {
	p.rest = strings.TrimLeft(p.rest, " \t")
	after, ok := strings.CutPrefix(p.rest, ",")
	p.rest = strings.TrimLeft(after, " \t")
	return ok && p.rest != ""
}

// member takes a name, its value if that is a byte sequence, and its parameters.
func (p *dictionary) member() (name string, sum []byte, ok bool) {
	p.rest = strings.TrimLeft(p.rest, " ")
	if name, sum, ok = p.pair(); !ok {
		return "", nil, false
	}
	for strings.HasPrefix(p.rest, ";") {
		p.rest = strings.TrimLeft(p.rest[1:], " ")
		if _, _, ok = p.pair(); !ok {
			return "", nil, false
		}
	}
	p.rest = strings.TrimRight(p.rest, " ")
	return name, sum, true
}

const (
	keyFirst = "abcdefghijklmnopqrstuvwxyz*"
	keyRest  = keyFirst + "0123456789_-."
	bareRest = keyRest + "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'+^`|~:/?@"
)

// pair takes a key and, behind "=", a value.
func (p *dictionary) pair() (key string, sum []byte, ok bool) {
	if p.rest == "" || strings.IndexByte(keyFirst, p.rest[0]) < 0 {
		return "", nil, false
	}
	key = p.take(keyRest)
	after, hasValue := strings.CutPrefix(p.rest, "=")
	if !hasValue {
		return key, nil, true
	}
	p.rest = after
	sum, ok = p.value()
	return key, sum, ok
}

// value takes a byte sequence, which it returns, not nil, a string, or anything else without a blank.
func (p *dictionary) value() ([]byte, bool) {
	switch {
	case strings.HasPrefix(p.rest, ":"):
		text, after, ok := strings.Cut(p.rest[1:], ":")
		p.rest = after
		sum, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
		return sum, ok && err == nil && len(text)-len(strings.TrimRight(text, "=")) <= 2
	case strings.HasPrefix(p.rest, `"`):
		return nil, p.quoted()
	}
	return nil, p.take(bareRest) != ""
}

// quoted takes a string.
func (p *dictionary) quoted() bool {
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '"':
			p.rest = p.rest[i+1:]
			return true
		}
	}
	return false
}

// take takes as many characters of a set as there are.
func (p *dictionary) take(set string) string {
	n := 0
	for n < len(p.rest) && strings.IndexByte(set, p.rest[n]) >= 0 {
		n++
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}
