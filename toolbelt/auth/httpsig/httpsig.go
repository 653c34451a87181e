// Package httpsig signs requests by RFC 9421, HTTP Message Signatures.
//
//	auth, err := httpsig.New(httpsig.Config{KeyID: "mine", Key: privateKey})
//	r, err := s.Post(ctx, url, requests.JSON(v), requests.Authenticate(auth))
//
// The signature covers the method, the whole URL and, by a Content-Digest field (RFC 9530), the body,
// unless Config names other components. It is made for each call; a redirect is followed without, and
// the Request of the response that redirects has none. Behind adapters.Authenticate each hop that
// reaches the mount is signed.
package httpsig

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// Config is what requests are signed with.
type Config struct {
	// Key is an ed25519.PrivateKey, an *ecdsa.PrivateKey on P-256 or P-384, an
	// *rsa.PrivateKey, or a []byte of at least 16 bytes for HMAC; another [crypto.Signer]
	// with one of these public keys, in hardware perhaps, as well.
	Key any
	// KeyID tells the server which key that is; left out if "".
	KeyID string
	// RSAv15 signs with rsa-v1_5-sha256 instead of rsa-pss-sha512.
	RSAv15 bool

	// Components are what is covered, in order: names of fields, and "@method", "@target-uri",
	// "@authority", "@scheme", "@request-target", "@path", "@query" and
	// `@query-param;name="id"` (RFC 9421 section 2). Upper case in a name means lower case, but
	// in that of a parameter, which is written as section 2.2.8 encodes it. By default "@method" and
	// "@target-uri" and, where there is a body, "content-digest", which is added to the
	// request. A field that a request does not have is [requests.ErrInvalidArgument].
	Components []string

	Label   string        // of the signature; "sig1" if empty
	Tag     string        // the application's name for this use; left out if ""
	Alg     bool          // whether the algorithm is named
	Expires time.Duration // after which the signature is not to be taken; never if 0
	Nonce   func() string // nil for none; must be safe for concurrent use

	Now func() time.Time // time.Now if nil
}

// Auth signs requests. It is safe for concurrent use.
type Auth struct {
	config Config
	alg    algorithm
}

// New returns an Auth; a Config that cannot sign is [requests.ErrInvalidArgument].
func New(c Config) (*Auth, error) {
	alg, err := algorithmOf(c)
	if err != nil {
		return nil, err
	}
	c.Label = cmp.Or(c.Label, "sig1")
	c.Components = named(c.Components)
	if c.Now == nil {
		c.Now = time.Now
	}
	if !isKey(c.Label) {
		return nil, fail("Config.Label %q is not a key: letters in lower case, digits, and _-.* after a letter or *", c.Label)
	}
	for i, component := range c.Components {
		if component == "" || slices.Contains(c.Components[:i], component) {
			return nil, fail("Config.Components has %q twice, or an empty one", component)
		}
	}
	for _, text := range []string{c.KeyID, c.Tag} {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, fail("Config.KeyID and Config.Tag have to be printable ASCII")
		}
	}
	return &Auth{c, alg}, nil
}

// named are components whose names are in lower case (RFC 9421 section 2).
func named(components []string) []string {
	list := slices.Clone(components)
	for i, component := range list {
		name, _, _ := strings.Cut(component, ";")
		list[i] = strings.ToLower(name) + component[len(name):]
	}
	return list
}

func fail(format string, args ...any) error {
	return &requests.Error{Kind: requests.ErrInvalidArgument, Detail: "httpsig: " + fmt.Sprintf(format, args...)}
}

// isKey reports whether s is a key of a dictionary (RFC 9651 section 3.1.2).
func isKey(s string) bool {
	const first, more = "abcdefghijklmnopqrstuvwxyz*", "0123456789_-."
	return s != "" && strings.Contains(first, s[:1]) && strings.Trim(s, first+more) == ""
}

// Format writes the type's name and the key's.
func (a Auth) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.shown()) }

// LogValue returns what Format writes.
func (a Auth) LogValue() slog.Value { return slog.StringValue(a.shown()) }

func (a Auth) shown() string { return "<httpsig.Auth [" + a.config.KeyID + "]>" }

// Format writes the key's name, and not the key.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "<httpsig.Config ["+c.KeyID+"]>")
}

// LogValue returns what Format writes.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Authenticate implements [requests.Auth]. A body whose digest is covered and that cannot be read
// twice is [requests.ErrUnrewindableBody].
func (a *Auth) Authenticate(p *requests.PreparedRequest) error {
	before, components := fieldsOf(p), a.config.Components
	if components == nil {
		if components = []string{"@method", "@target-uri"}; p.ContentLength() != 0 {
			components = append(components, "content-digest")
		}
	}
	if slices.Contains(components, "content-digest") && !p.Headers.Has("Content-Digest") {
		if err := addDigest(p); err != nil {
			return err
		}
	}
	base, params, err := a.base(p, components)
	if err != nil {
		return err
	}
	signature, err := a.alg.sign([]byte(base))
	if err != nil {
		return &requests.Error{Kind: requests.ErrInvalidArgument, Err: err, Detail: "httpsig: Config.Key cannot sign"}
	}
	add(p, "Signature-Input", a.config.Label+"="+params)
	add(p, "Signature", a.config.Label+"=:"+base64.StdEncoding.EncodeToString(signature)+":")
	p.Hooks = append(p.Hooks, redirected(before, p.Headers.Get("Signature")))
	return nil
}

var ownFields = []string{"Signature-Input", "Signature", "Content-Digest"}

// fieldsOf are the values that p has of what is set here.
func fieldsOf(p *requests.PreparedRequest) (values [3][]string) {
	for i, name := range ownFields {
		values[i] = p.Headers.Values(name)
	}
	return values
}

// redirected returns the hook that takes the signature off what a redirect goes on from: it is of
// another URL, and the digest may be of a body that a GET does not have.
func redirected(before [3][]string, signature string) requests.Hook {
	return func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		if r.Request == nil || !r.IsRedirect() || !strings.HasPrefix(r.Request.Headers.Get("Signature"), signature) {
			return nil, nil
		}
		next := r.Request.Clone()
		for i, name := range ownFields {
			next.Headers.Del(name)
			for _, value := range before[i] {
				next.Headers.Add(name, value)
			}
		}
		r.Request = next
		return nil, nil
	}
}

// add puts a member behind those of other signatures.
func add(p *requests.PreparedRequest, name, member string) {
	if old := p.Headers.Get(name); old != "" {
		member = old + ", " + member
	}
	p.Headers.Set(name, member)
}

// addDigest sets Content-Digest (RFC 9530 section 2).
func addDigest(p *requests.PreparedRequest) error {
	body, inMemory := p.Body()
	sum := sha256.Sum256(body)
	if !inMemory {
		if !p.Replayable() {
			return &requests.Error{Kind: requests.ErrUnrewindableBody, Detail: "httpsig: the body cannot be read for its digest and then be sent"}
		}
		h, r := sha256.New(), p.OpenBody()
		_, err := io.Copy(h, r)
		_ = r.Close()
		if err == nil {
			err = p.Rewind()
		}
		if err != nil {
			return err
		}
		h.Sum(sum[:0])
	}
	p.Headers.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
	return nil
}

// params are those of the signature, with the covered components (section 2.3), in the order of the
// examples there.
func (a *Auth) params(identifiers []string) string {
	c := a.config
	now := c.Now()
	text := "(" + strings.Join(identifiers, " ") + ");created=" + strconv.FormatInt(now.Unix(), 10)
	if c.Expires > 0 {
		text += ";expires=" + strconv.FormatInt(now.Add(c.Expires).Unix(), 10)
	}
	if c.KeyID != "" {
		text += ";keyid=" + quoted(c.KeyID)
	}
	if c.Nonce != nil {
		text += ";nonce=" + quoted(c.Nonce())
	}
	if c.Alg {
		text += ";alg=" + quoted(a.alg.name)
	}
	if c.Tag != "" {
		text += ";tag=" + quoted(c.Tag)
	}
	return text
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
