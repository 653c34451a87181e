package requests

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"github.com/mountable/requests/internal/body"
)

// digestHash is an algorithm of a challenge.
type digestHash struct {
	new  func() hash.Hash
	sess bool // the key is bound to the nonces
}

// digestHashes are the algorithms by their name in upper case.
var digestHashes = map[string]digestHash{
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

// requestsHashes are those that Requests knows.
var requestsHashes = map[string]bool{"MD5": true, "MD5-SESS": true, "SHA": true, "SHA-256": true, "SHA-512": true}

// hash returns the algorithm of the challenge, MD5 if it names none.
func (c *digestChallenge) hash() (h digestHash, known bool) {
	if !c.hasAlgorithm {
		return digestHashes["MD5"], true
	}
	name := strings.ToUpper(c.algorithm)
	if c.asRequests && !requestsHashes[name] {
		return digestHash{}, false
	}
	h, known = digestHashes[name]
	return h, known
}

func (h digestHash) of(parts ...string) string {
	sum := h.new()
	_, _ = io.WriteString(sum, strings.Join(parts, ":"))
	return hex.EncodeToString(sum.Sum(nil))
}

// ofBody hashes a body and leaves it ready to be sent. ok is false for one that
// can be read only once.
func (h digestHash) ofBody(b *body.Body) (digest string, ok bool, err error) {
	if !b.Replayable() {
		return "", false, nil
	}
	sum := h.new()
	if data, ok := b.Bytes(); ok {
		sum.Write(data)
		return hex.EncodeToString(sum.Sum(nil)), true, nil
	}
	if err := b.Restart(); err != nil {
		return "", false, bodyFault(err)
	}
	if _, err := io.Copy(sum, b.Reader()); err != nil {
		return "", false, wrap(ErrInvalidBody, err, "the body cannot be read for auth-int")
	}
	return hex.EncodeToString(sum.Sum(nil)), true, bodyFault(b.Restart())
}

// digestRequest is what the credentials of one request are made of.
type digestRequest struct {
	user, password, method, uri string
	body                        *body.Body
}

// header returns the credentials of RFC 7616 section 3.4 in the words and the
// order of Requests, "" for a challenge that cannot be answered.
func (t *digestTurn) header(r digestRequest) (string, error) {
	h, known := t.hash()
	if !known {
		return "", nil
	}
	qop, a2, err := t.protection(h, r)
	if err != nil || a2 == "" {
		return "", err
	}
	key := h.of(r.user, t.realm, r.password)
	if h.sess {
		key = h.of(key, t.nonce, t.cnonce)
	}
	w := fieldWriter{raw: t.asRequests}
	w.text.WriteString("Digest ")
	w.quoted("username", t.username(h, r.user))
	w.quoted("realm", t.realm)
	w.quoted("nonce", t.nonce)
	w.quoted("uri", r.uri)
	if qop == "" {
		w.quoted("response", h.of(key, t.nonce, h.of(a2)))
	} else {
		w.quoted("response", h.of(key, t.nonce, t.nc(), t.cnonce, qop, h.of(a2)))
	}
	if t.opaque != "" {
		w.quoted("opaque", t.opaque)
	}
	if t.algorithm != "" {
		w.quoted("algorithm", t.algorithm)
	}
	t.writeNonces(&w, qop, h.sess)
	if t.userhash {
		w.plain("userhash", "true")
	}
	return w.text.String(), nil
}

// protection chooses the qop, auth before auth-int, and returns A2 for it, "" if
// neither can be had.
func (t *digestTurn) protection(h digestHash, r digestRequest) (qop, a2 string, err error) {
	a2 = r.method + ":" + r.uri
	switch {
	case t.qop == "":
		return "", a2, nil
	case t.offers("auth"):
		return "auth", a2, nil
	case t.offers("auth-int"):
		digest, ok, err := h.ofBody(r.body)
		if err != nil || !ok {
			return "", "", err
		}
		return "auth-int", a2 + ":" + digest, nil
	}
	return "", "", nil
}

// username is the name as it is written: hashed, as UTF-8 where the server says so
// (RFC 7616 section 4), and otherwise like a header of Requests, as Latin-1 if it
// fits.
func (t *digestTurn) username(h digestHash, user string) string {
	switch {
	case t.userhash:
		return h.of(user, t.realm)
	case t.utf8:
		return user
	}
	return string(latin1(user))
}

// writeNonces writes what the server needs to know besides: without qop only the
// client's nonce, and that only where the key was made with it.
func (t *digestTurn) writeNonces(w *fieldWriter, qop string, sess bool) {
	switch {
	case qop != "":
		w.quoted("qop", qop)
		w.plain("nc", t.nc())
		w.quoted("cnonce", t.cnonce)
	case sess && !t.asRequests:
		w.quoted("cnonce", t.cnonce)
	}
}

// fieldWriter writes parameters of a field.
type fieldWriter struct {
	text strings.Builder
	more bool
	raw  bool // Requests escapes nothing
}

func (w *fieldWriter) plain(name, value string) {
	if w.more {
		w.text.WriteString(", ")
	}
	w.more = true
	w.text.WriteString(name + "=" + value)
}

var quotedString = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (w *fieldWriter) quoted(name, value string) {
	if !w.raw {
		value = quotedString.Replace(value)
	}
	w.plain(name, `"`+value+`"`)
}

// withoutParams cuts the parameters of the last path segment off a target, which
// Python's urlparse keeps apart and Requests forgets.
func withoutParams(target string) string {
	path, query, hasQuery := strings.Cut(target, "?")
	last := strings.LastIndexByte(path, '/') + 1
	if i := strings.IndexByte(path[last:], ';'); i >= 0 {
		path = path[:last+i]
	}
	if hasQuery {
		return path + "?" + query
	}
	return path
}
