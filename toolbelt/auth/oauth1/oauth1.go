// Package oauth1 signs requests by OAuth 1.0a (RFC 5849), as requests-oauthlib does.
//
//	auth, err := oauth1.New(oauth1.Config{
//		ConsumerKey: "key", ConsumerSecret: "secret", Token: "token", TokenSecret: "token secret",
//	})
//	r, err := s.Get(ctx, url, requests.Authenticate(auth))
//
// The signature covers the method, the URL with its query and the fields of a form. A redirect within
// the origin is signed anew; one to another origin is followed without credentials, with the form that
// the caller gave. The Request of a response that redirects has what goes on from there. What is
// InQuery is not touched: the URL of a redirect is the server's. Behind adapters.Authenticate each hop
// that reaches the mount is signed, wherever the parameters go.
package oauth1

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// SignatureMethod is how a request is signed (RFC 5849 section 3.4).
type SignatureMethod string

// The methods. Those with SHA-256 are not of the RFC, and known to many servers.
const (
	HMACSHA1   SignatureMethod = "HMAC-SHA1" // the default
	HMACSHA256 SignatureMethod = "HMAC-SHA256"
	RSASHA1    SignatureMethod = "RSA-SHA1"
	RSASHA256  SignatureMethod = "RSA-SHA256"
	Plaintext  SignatureMethod = "PLAINTEXT" // the secrets themselves; over https only
)

// Placement is where the parameters go (RFC 5849 section 3.5).
type Placement uint8

// The placements.
const (
	InHeader Placement = iota // Authorization, the default
	InQuery
	InBody // of a form
)

// Config is what requests are signed with.
type Config struct {
	ConsumerKey    string
	ConsumerSecret requests.Secret
	Token          string // "" while there is none
	TokenSecret    requests.Secret

	Method    SignatureMethod
	Key       *rsa.PrivateKey // of the RSA methods
	Placement Placement

	Realm    string // of Authorization; not signed
	Callback string // oauth_callback, to get temporary credentials
	Verifier string // oauth_verifier, to get a token

	Nonce func() string    // random text if nil; must be safe for concurrent use
	Now   func() time.Time // time.Now if nil
}

// Format writes the consumer's key, and no secret.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "<oauth1.Config ["+c.ConsumerKey+"]>")
}

// LogValue returns what Format writes.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Auth signs requests. It is safe for concurrent use.
type Auth struct{ config Config }

// New returns an Auth; a Config that cannot sign is [requests.ErrInvalidArgument].
func New(c Config) (*Auth, error) {
	if c.Method == "" {
		c.Method = HMACSHA1
	}
	if c.Nonce == nil {
		c.Nonce = rand.Text
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	switch c.Method {
	case HMACSHA1, HMACSHA256, Plaintext:
	case RSASHA1, RSASHA256:
		if c.Key == nil {
			return nil, fail(requests.ErrInvalidArgument, "Config.Key is missing: %s needs one", c.Method)
		}
	default:
		return nil, fail(requests.ErrInvalidArgument, "Config.Method %q is not known", c.Method)
	}
	if c.ConsumerKey == "" || c.Placement > InBody {
		return nil, fail(requests.ErrInvalidArgument, "Config.ConsumerKey is missing, or Config.Placement is not known")
	}
	return &Auth{c}, nil
}

func fail(kind requests.Kind, format string, args ...any) error {
	return &requests.Error{Kind: kind, Detail: "oauth1: " + fmt.Sprintf(format, args...)}
}

// Format writes the type's name and the consumer's key.
func (a Auth) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.shown()) }

// LogValue returns what Format writes.
func (a Auth) LogValue() slog.Value { return slog.StringValue(a.shown()) }

func (a Auth) shown() string { return "<oauth1.Auth [" + a.config.ConsumerKey + "]>" }

// Authenticate implements [requests.Auth]. A form that is not in memory or in a content coding, as that of
// [requests.Compress], InBody without a form, InQuery with [requests.AsIs] or of an http.Request over
// [requests.Session.RoundTripper], whose URLs stay, and Plaintext over http are [requests.ErrInvalidArgument].
func (a *Auth) Authenticate(p *requests.PreparedRequest) error {
	if a.config.Method == Plaintext && !strings.HasPrefix(p.URL, "https:") {
		return fail(requests.ErrInvalidArgument, "PLAINTEXT sends the secrets, and %s is not https", p.Origin())
	}
	form, isForm, err := formOf(p)
	if err != nil {
		return err
	}
	own := a.parameters()
	base, err := baseString(p, append(form, own...))
	if err != nil {
		return err
	}
	signature, err := a.sign(base)
	if err != nil {
		return err
	}
	own = append(own, [2]string{"oauth_signature", signature})
	plain, _ := p.Body()
	p.Hooks = append(p.Hooks, a.redirected(plain))
	return a.place(p, own, isForm)
}

// parameters are those of the protocol, but for the signature (section 3.1).
func (a *Auth) parameters() [][2]string {
	c := a.config
	list := [][2]string{{"oauth_consumer_key", c.ConsumerKey}, {"oauth_signature_method", string(c.Method)}}
	if c.Method != Plaintext {
		list = append(list, [2]string{"oauth_timestamp", strconv.FormatInt(c.Now().Unix(), 10)}, [2]string{"oauth_nonce", c.Nonce()})
	}
	for _, optional := range [][2]string{{"oauth_token", c.Token}, {"oauth_callback", c.Callback}, {"oauth_verifier", c.Verifier}} {
		if optional[1] != "" {
			list = append(list, optional)
		}
	}
	return list
}

const formType = "application/x-www-form-urlencoded"

// formOf returns the fields of a form that is the body, which are signed (section 3.4.1.3.1).
func formOf(p *requests.PreparedRequest) (fields [][2]string, isForm bool, err error) {
	kind, _, _ := strings.Cut(p.Headers.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), formType) {
		return nil, false, nil
	}
	if coding := p.Headers.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, false, fail(requests.ErrInvalidArgument, "a form in the content coding %q cannot be signed", coding)
	}
	body, inMemory := p.Body()
	if !inMemory {
		return nil, false, fail(requests.ErrInvalidArgument, "a form has to be in memory to be signed")
	}
	fields, err = decode(string(body))
	return fields, true, err
}

// place puts the parameters where they are to go.
func (a *Auth) place(p *requests.PreparedRequest, list [][2]string, isForm bool) error {
	switch a.config.Placement {
	case InQuery:
		address, fragment, cut := strings.Cut(p.URL, "#")
		if cut {
			fragment = "#" + fragment
		}
		target := p.Target()
		p.URL = address + separator(address) + encode(list) + fragment
		if p.Target() != target+separator(target)+encode(list) {
			return fail(requests.ErrInvalidArgument, "InQuery cannot change the URL of AsIs or of an http.Request; InHeader can sign it")
		}
	case InBody:
		if !isForm {
			return fail(requests.ErrInvalidArgument, "InBody needs a form: the Content-Type is not %s", formType)
		}
		body, _ := p.Body()
		text := string(body)
		if text != "" {
			text += "&"
		}
		p.SetBody([]byte(text + encode(list)))
	default:
		p.Headers.Set("Authorization", a.header(list))
	}
	return nil
}

func separator(address string) string {
	switch {
	case !strings.Contains(address, "?"):
		return "?"
	case strings.HasSuffix(address, "?"):
		return ""
	}
	return "&"
}

// scheme is how the value of Authorization begins.
const scheme = "OAuth "

// header is the value of Authorization (section 3.5.1).
func (a *Auth) header(list [][2]string) string {
	var parts []string
	if a.config.Realm != "" {
		parts = append(parts, `realm="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.config.Realm)+`"`)
	}
	for _, kv := range list {
		parts = append(parts, escape(kv[0])+`="`+escape(kv[1])+`"`)
	}
	return scheme + strings.Join(parts, ", ")
}

// decode reads a form or a query, whose order is kept.
func decode(text string) ([][2]string, error) {
	var list [][2]string
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		plainName, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fail(requests.ErrInvalidArgument, "%v", err)
		}
		plainValue, err := url.QueryUnescape(value)
		if err != nil {
			return nil, fail(requests.ErrInvalidArgument, "the value of %s: %v", plainName, err)
		}
		list = append(list, [2]string{plainName, plainValue})
	}
	return list, nil
}

func encode(list [][2]string) string {
	parts := make([]string, len(list))
	for i, kv := range list {
		parts[i] = escape(kv[0]) + "=" + escape(kv[1])
	}
	return strings.Join(parts, "&")
}
