package parity

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/netrc"
	"github.com/mountable/requests/internal/uri"
)

var _ = register(map[string]vectorFunc{
	"get_netrc_auth":     netrcAuth,
	"digest_auth_header": digestHeaderOf,
	"digest_401":         digest401,
	"digest_sequence":    digestSequence,
})

// netrcAuth asks for the credentials that a request to the URL is sent with.
func netrcAuth(t *testing.T, in input) (any, error) {
	if err := setNetrcFile(t, in); err != nil {
		return nil, err
	}
	s, sent := recording(t, answers(200, nil))
	s.TrustEnv = true
	if _, err := s.Get(t.Context(), in.text("url")); errors.Is(err, requests.ErrMissingSchema) {
		return nil, cannot("a URL without a scheme")
	} else if err != nil {
		return nil, err
	}
	encoded, ok := strings.CutPrefix((*sent)[0].Headers.Get("Authorization"), "Basic ")
	credentials, err := base64.StdEncoding.DecodeString(encoded)
	user, password, _ := strings.Cut(latin1(credentials), ":")
	switch {
	case !ok && in.bool("raise_errors"):
		return nil, netrcError(in) // a session does not raise it
	case !ok || err != nil || ownCredentials(in.text("url"), user, password):
		return nil, nil // none, or those of the URL itself
	}
	return []string{user, password}, nil
}

// netrcError is what is wrong with the file.
func netrcError(in input) error {
	text, _, _ := in.textOrBytes("netrc")
	_, err := netrc.ParsePython(text)
	return err
}

// ownCredentials tells whether user and password stand in the URL.
func ownCredentials(url, user, password string) bool {
	urlUser, urlPassword, ok := uri.SplitAuth(url)
	return ok && urlUser == user && urlPassword == password
}

func setNetrcFile(t *testing.T, in input) error {
	path := filepath.Join(t.TempDir(), "netrc")
	t.Setenv("NETRC", path)
	if in.bool("missing") {
		return nil
	}
	text, _, _ := in.textOrBytes("netrc")
	return os.WriteFile(path, text, 0o600)
}

// recording is a session whose requests all go to a stub; sent gets each of them.
func recording(t *testing.T, reply func(n int, p *requests.PreparedRequest) *requests.Response) (s *requests.Session, sent *[]*requests.PreparedRequest) {
	s, sent = newSession(t), new([]*requests.PreparedRequest)
	s.TrustEnv = false
	stub := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		*sent = append(*sent, p)
		return reply(len(*sent), p), nil
	})
	s.Mount("http://", stub)
	s.Mount("https://", stub)
	return s, sent
}

// answers gives the first request a reply and every later one 200.
func answers(status int, headers requests.Headers) func(int, *requests.PreparedRequest) *requests.Response {
	return func(n int, p *requests.PreparedRequest) *requests.Response {
		if n > 1 {
			return requests.NewResponse(p, 200, nil, nil)
		}
		return requests.NewResponse(p, status, headers, nil)
	}
}

// recordedNonce is the client's nonce of all recordings that do not name theirs.
func recordedNonce() string { return "0a4f113bcafebabe" }

// testDigest is a digest whose client nonce is the recorded one.
func testDigest(in input, user, password string) *requests.Digest {
	d := requests.DigestAuth(user, password)
	d.ClientNonce = func() string { return in.textOr("cnonce", recordedNonce()) }
	return d
}

// tooManyTurns is more than a nonce count can be brought to by counting.
const tooManyTurns = 1 << 16

// digestHeaderOf writes the challenge as a header and asks for the answer to it.
func digestHeaderOf(t *testing.T, in input) (any, error) {
	user, err := digestWord(in.typed(t, "username"))
	if err != nil {
		return nil, err
	}
	password, err := digestWord(in.typed(t, "password"))
	if err != nil {
		return nil, err
	}
	if in.intOr("nc", 1) > tooManyTurns {
		return nil, cannot("a nonce count of %d", in.int("nc"))
	}
	pairs, err := notNull(in.pairs("challenge"))
	if err != nil {
		return nil, err
	}
	challenge := "Digest "
	for _, p := range pairs {
		challenge += p[0] + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p[1]) + `", `
	}
	s, sent := recording(t, answers(401, requests.Headers{{"WWW-Authenticate", strings.TrimSuffix(challenge, ", ")}}))
	s.Auth = testDigest(in, user, password)
	if _, err := s.Request(t.Context(), in.text("method"), in.text("url")); err != nil {
		return nil, err
	}
	if len(*sent) == 1 {
		return nil, errors.New("the challenge was not answered")
	}
	for range in.intOr("nc", 1) - 1 {
		if _, err := s.Request(t.Context(), in.text("method"), in.text("url")); err != nil {
			return nil, err
		}
	}
	return credentialsOf((*sent)[len(*sent)-1], "Authorization"), nil
}

// digestWord is what Python's str makes of a user or a password.
func digestWord(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return "", cannot("bytes instead of text")
	}
	return pythonText(v)
}

// credentialsOf is a header as text: UTF-8 where it is, else Latin-1; nil for none.
func credentialsOf(p *requests.PreparedRequest, name string) any {
	if !p.Headers.Has(name) {
		return nil
	}
	value := p.Headers.Get(name)
	if strings.ToValidUTF8(value, "") != value {
		return latin1([]byte(value))
	}
	return value
}

// digest401 is one reply to a request with digest auth.
func digest401(t *testing.T, in input) (any, error) {
	if in.intOr("prior_calls", 1) > 1 {
		return nil, cannot("an answered request whose reply is seen again: it is sent without hooks")
	}
	var headers requests.Headers
	if in.present("www_authenticate") {
		headers.Add("WWW-Authenticate", unlatin1(in.text("www_authenticate")))
	}
	for _, c := range in.texts("set_cookie") {
		headers.Add("Set-Cookie", unlatin1(c))
	}
	s, sent := recording(t, answers(in.intOr("status", 401), headers))
	d := testDigest(in, in.textOr("username", "u"), in.textOr("password", "p"))
	r, err := s.Request(t.Context(), in.textOr("method", "GET"), in.textOr("url", "http://h.test/x"), requests.Authenticate(d), requests.AllowRedirects(false))
	if err != nil {
		return nil, err
	}
	resent := len(*sent) > 1
	if !resent && r.StatusCode/100 == 4 && strings.Contains(strings.ToLower(headers.Get("WWW-Authenticate")), "digest") {
		return nil, errors.New("a challenge without realm or nonce was left alone")
	}
	last := (*sent)[len(*sent)-1]
	calls := 1 // what a reply that is left alone sets the count back to
	if resent {
		calls = in.intOr("prior_calls", 1) + 1
	}
	return map[string]any{
		"resent": resent, "authorization": credentialsOf(last, "Authorization"), "cookie": credentialsOf(last, "Cookie"),
		"history": len(r.History), "num_401_calls": calls,
	}, nil
}

// digestSequence sends one request after the other with one digest object.
func digestSequence(t *testing.T, in input) (any, error) {
	auth := testDigest(in, in.textOr("username", "u"), in.textOr("password", "p"))
	out := []any{}
	for _, step := range in.objects("steps") {
		status, headers := 200, requests.Headers(nil)
		if step.present("www_authenticate") {
			status, headers = 401, requests.Headers{{"WWW-Authenticate", unlatin1(step.text("www_authenticate"))}}
		}
		s, sent := recording(t, answers(status, headers))
		if _, err := s.Request(t.Context(), step.text("method"), step.text("url"), requests.Authenticate(auth)); err != nil {
			return nil, err
		}
		tries := map[string]any{"initial": credentialsOf((*sent)[0], "Authorization"), "retry": nil}
		if len(*sent) > 1 {
			tries["retry"] = credentialsOf((*sent)[1], "Authorization")
		}
		out = append(out, tries)
	}
	return out, nil
}
