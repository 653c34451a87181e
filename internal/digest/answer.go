package digest

import (
	"fmt"
	"io"
	"strings"
)

// Turn is one use of a challenge. No two turns may have nonce and count in common.
type Turn struct {
	*Challenge
	Count  uint64 // of the nonce, from 1
	CNonce string // the client's nonce
}

// Request is what the credentials of one request are made of.
type Request struct {
	User, Password string // as UTF-8, which is what is hashed
	WrittenUser    string // the user in the field's bytes, unless the server wants it hashed or as UTF-8
	Method, URI    string

	// Body writes the body for qop=auth-int and leaves it ready to be sent. It is nil
	// for one that can be read only once.
	Body func(io.Writer) error
}

// Credentials returns the value of Authorization or Proxy-Authorization (RFC 7616
// section 3.4), its parameters in the order of Requests. It is "" for a challenge that
// cannot be answered with this request. An error is that of Body.
func (t *Turn) Credentials(r Request) (string, error) {
	h, known := t.hash()
	if !known {
		return "", nil
	}
	qop, a2, err := t.protection(h, r)
	if err != nil || a2 == "" {
		return "", err
	}
	key := h.of(r.User, t.Realm, r.Password)
	if h.sess {
		key = h.of(key, t.Nonce, t.CNonce)
	}
	w := fieldWriter{asRequests: t.asRequests}
	w.text.WriteString("Digest ")
	w.quoted("username", t.username(h, r))
	w.quoted("realm", t.Realm)
	w.quoted("nonce", t.Nonce)
	w.quoted("uri", r.URI)
	if qop == "" {
		w.quoted("response", h.of(key, t.Nonce, h.of(a2)))
	} else {
		w.quoted("response", h.of(key, t.Nonce, t.nc(), t.CNonce, qop, h.of(a2)))
	}
	if t.Opaque != "" {
		w.quoted("opaque", t.Opaque)
	}
	if t.algorithm != "" {
		w.token("algorithm", t.algorithm)
	}
	t.writeNonces(&w, qop, h.sess)
	if t.userhash {
		w.plain("userhash", "true")
	}
	return w.text.String(), nil
}

// protection chooses the qop, auth before auth-int, and returns A2 for it, "" if
// neither can be had.
func (t *Turn) protection(h algorithm, r Request) (qop, a2 string, err error) {
	a2 = r.Method + ":" + r.URI
	switch {
	case t.qop == "":
		return "", a2, nil
	case t.offers("auth"):
		return "auth", a2, nil
	case t.offers("auth-int") && r.Body != nil:
		hashed, err := h.ofBody(r.Body)
		if err != nil {
			return "", "", err
		}
		return "auth-int", a2 + ":" + hashed, nil
	}
	return "", "", nil
}

// username is the name as it is written: hashed, or as UTF-8 where the server says
// so (RFC 7616 section 4).
func (t *Turn) username(h algorithm, r Request) string {
	switch {
	case t.userhash:
		return h.of(r.User, t.Realm)
	case t.utf8:
		return r.User
	}
	return r.WrittenUser
}

// writeNonces writes what the server needs to know besides: without qop only the
// client's nonce, and that only where the key was made with it.
func (t *Turn) writeNonces(w *fieldWriter, qop string, sess bool) {
	switch {
	case qop != "":
		w.token("qop", qop)
		w.plain("nc", t.nc())
		w.quoted("cnonce", t.CNonce)
	case sess && !t.asRequests:
		w.quoted("cnonce", t.CNonce)
	}
}

// nc is the nonce count as it is written. Eight digits are the least, not the most:
// the count never starts again.
func (t *Turn) nc() string { return fmt.Sprintf("%08x", t.Count) }

// fieldWriter writes the parameters of a field.
type fieldWriter struct {
	text       strings.Builder
	more       bool
	asRequests bool // Requests escapes nothing
}

func (w *fieldWriter) plain(name, value string) {
	if w.more {
		w.text.WriteString(", ")
	}
	w.more = true
	w.text.WriteString(name + "=" + value)
}

// token writes algorithm and qop, which RFC 7616 section 3.4 wants without quotes:
// cameras and printers refuse them otherwise. Requests quotes them.
func (w *fieldWriter) token(name, value string) {
	if w.asRequests {
		value = `"` + value + `"`
	}
	w.plain(name, value)
}

var quotedString = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (w *fieldWriter) quoted(name, value string) {
	if !w.asRequests {
		value = quotedString.Replace(value)
	}
	w.plain(name, `"`+value+`"`)
}
