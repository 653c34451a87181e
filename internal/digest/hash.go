package digest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"strings"
)

// algorithm is an algorithm of a challenge.
type algorithm struct {
	new  func() hash.Hash
	sess bool // the key is bound to the nonces
}

// algorithms are the known ones by their name in upper case. SHA and SHA-512 are in
// no RFC; Requests has them.
var algorithms = map[string]algorithm{
	"MD5":              {md5.New, false},
	"MD5-SESS":         {md5.New, true},
	"SHA":              {sha1.New, false},
	"SHA-256":          {sha256.New, false},
	"SHA-256-SESS":     {sha256.New, true},
	"SHA-512":          {sha512.New, false},
	"SHA-512-SESS":     {sha512.New, true},
	"SHA-512-256":      {sha512.New512_256, false},
	"SHA-512-256-SESS": {sha512.New512_256, true},
}

// requestsHas are the algorithms that Requests knows.
var requestsHas = map[string]bool{"MD5": true, "MD5-SESS": true, "SHA": true, "SHA-256": true, "SHA-512": true}

// hash returns the algorithm of the challenge, MD5 if it names none.
func (c *Challenge) hash() (a algorithm, known bool) {
	if !c.hasAlgorithm {
		return algorithms["MD5"], true
	}
	name := strings.ToUpper(c.algorithm)
	if c.asRequests && !requestsHas[name] {
		return algorithm{}, false
	}
	a, known = algorithms[name]
	return a, known
}

// of hashes the parts, joined by colons.
func (a algorithm) of(parts ...string) string {
	sum := a.new()
	_, _ = io.WriteString(sum, strings.Join(parts, ":"))
	return hex.EncodeToString(sum.Sum(nil))
}

// ofBody hashes what body writes.
func (a algorithm) ofBody(body func(io.Writer) error) (string, error) {
	sum := a.new()
	if err := body(sum); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
