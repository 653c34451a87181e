package parity

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

var _ = register(map[string]vectorFunc{
	"toolbelt_auth_handler":     authHandlerOps,
	"toolbelt_bearer":           bearerText,
	"toolbelt_guess_auth":       guessAuth401,
	"toolbelt_guess_proxy_auth": guessProxy407,
	"toolbelt_proxy_digest":     proxyDigest407,
})

func init() {
	guessAuth = func(user, password string) requests.Auth {
		g := toolbelt.GuessAuth(user, password)
		g.Digest.ClientNonce = recordedNonce
		return g
	}
	ownCount := func(tree any) any {
		if o, ok := tree.(map[string]any); ok {
			delete(o, "stale_rejects") // Python's own counter: here each request is answered once
			delete(o, "returned")      // a hook of ours always returns the response
		}
		return tree
	}
	normalisers["toolbelt_proxy_digest"] = ownCount
	normalisers["toolbelt_guess_auth"] = ownCount
}

// authHandlerOps shows a strategy by the credentials it puts on a request.
func authHandlerOps(t *testing.T, in input) (any, error) {
	h := toolbelt.NewAuthHandler()
	for _, v := range in.list("strategies") {
		pair := v.([]any)
		auth, err := basicPair(pair[1])
		if err != nil {
			return nil, err
		}
		h.AddStrategy(pair[0].(string), auth)
	}
	out := []any{}
	for _, v := range in.list("ops") {
		op := v.([]any)
		result, err := authHandlerOp(h, op)
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	return out, nil
}

func authHandlerOp(h *toolbelt.AuthHandler, op []any) (any, error) {
	switch op[0] {
	case "keys":
		return h.Domains(), nil
	case "add":
		auth, err := basicPair(op[2])
		h.AddStrategy(op[1].(string), auth)
		return nil, err
	case "remove":
		h.RemoveStrategy(op[1].(string))
		return nil, nil
	}
	basic, ok := h.StrategyFor(op[1].(string)).(*requests.Basic)
	if !ok {
		return "null", nil
	}
	return []string{basic.Username, basic.Password}, nil
}

func basicPair(v any) (requests.Auth, error) {
	pair, _ := v.([]any)
	if len(pair) != 2 {
		return nil, cannot("credentials of %d parts", len(pair))
	}
	return requests.BasicAuth(pair[0].(string), pair[1].(string)), nil
}

func bearerText(t *testing.T, in input) (any, error) {
	token, ok := in.typed(t, "token").(string)
	if !ok {
		return nil, cannot("a token that is no text")
	}
	p := &requests.PreparedRequest{}
	err := requests.BearerAuth(token).Authenticate(p)
	return p.Headers.Get("Authorization"), err
}

// challenges sends two requests to a stub that challenges the first, and returns what each try carried of a field.
type challenges struct {
	field string // Authorization or Proxy-Authorization
	tried []any
}

func (c *challenges) note(p *requests.PreparedRequest) error {
	if c.field == "Authorization" {
		c.tried = append(c.tried, credentialsOf(p, c.field))
		return nil
	}
	value, err := p.ProxyAuthorization("")
	if err != nil || value == "" {
		c.tried = append(c.tried, nil)
		return err
	}
	c.tried = append(c.tried, value)
	return nil
}

// run returns the reply to the first request, whether it was sent twice, and what the later one carried.
func (c *challenges) run(t *testing.T, req *requests.Request, next string, status int, headers requests.Headers) (resent bool, answer, later any, err error) {
	s := newSession(t)
	s.TrustEnv = false
	stub := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if err := c.note(p); err != nil {
			return nil, err
		}
		return answers(status, headers)(len(c.tried), p), nil
	})
	s.Mount("http://", stub)
	req.Send.Redirects = requests.Off
	if _, err := s.Do(t.Context(), req); err != nil {
		return false, nil, nil, err
	}
	sent := len(c.tried)
	if sent > 1 {
		answer = c.tried[1]
	}
	_, err = s.Get(t.Context(), next, requests.Authenticate(req.Auth))
	return sent > 1, answer, c.tried[sent], err
}

func guessAuth401(t *testing.T, in input) (any, error) {
	headers := optionalHeader(in, "www_authenticate", "WWW-Authenticate")
	url, status := in.textOr("url", "http://h.test/a"), in.intOr("status", 401)
	guess := toolbelt.GuessAuth("user", "passwd")
	guess.Digest.ClientNonce = func() string { return in.textOr("cnonce", recordedNonce()) }
	c := challenges{field: "Authorization"}
	resent, answer, later, err := c.run(t, &requests.Request{URL: url, Auth: guess}, url, status, headers)
	if err != nil {
		return nil, err
	}
	choice := wordOf(headers.Get("WWW-Authenticate"))
	if choice == "digest" && !resent && status/100 == 4 {
		return nil, errors.New("a challenge without realm or nonce was left alone")
	}
	return map[string]any{"choice": choice, "resent": resent, "authorization": answer, "later": later}, nil
}

// wordOf is the choice as Python makes it, for what cannot be seen on the wire.
func wordOf(value string) any {
	value = strings.ToLower(value)
	switch {
	case strings.Contains(value, "basic"):
		return "basic"
	case strings.Contains(value, "digest"):
		return "digest"
	}
	return nil
}

func optionalHeader(in input, key, name string) requests.Headers {
	if !in.present(key) {
		return nil
	}
	return requests.Headers{{name, unlatin1(in.text(key))}}
}

func guessProxy407(t *testing.T, in input) (any, error) {
	headers := optionalHeader(in, "proxy_authenticate", "Proxy-Authenticate")
	guess := toolbelt.GuessProxyAuth("user", "passwd", "pu", "pp")
	guess.Origin.Digest.ClientNonce, guess.Digest.Digest.ClientNonce = recordedNonce, recordedNonce
	p := &requests.PreparedRequest{URL: "http://h.test/a"}
	if err := guess.Authenticate(p); err != nil {
		return nil, err
	}
	c := challenges{field: "Proxy-Authorization"}
	resent, answer, _, err := c.run(t, &requests.Request{URL: p.URL, Auth: guess}, p.URL, in.intOr("status", 407), headers)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"choice": wordOf(headers.Get("Proxy-Authenticate")), "resent": resent, "proxy_authorization": answer, "hooks": len(p.Hooks),
	}, nil
}

func proxyDigest407(t *testing.T, in input) (any, error) {
	headers := optionalHeader(in, "proxy_authenticate", "Proxy-Authenticate")
	if in.int("stale_rejects") > 1 {
		return nil, cannot("a limit on what is rejected as stale: here each request is answered once")
	}
	req := &requests.Request{URL: "http://h.test/a?b=c"}
	if in.bool("sent_auth") {
		req.Headers = requests.Headers{{"Proxy-Authorization", "Digest old"}}
		if strings.HasSuffix(headers.Get("Proxy-Authenticate"), ", stale") {
			return nil, cannot("a parameter that is None")
		}
	}
	auth := toolbelt.HTTPProxyDigestAuth("u", "p")
	auth.Digest.ClientNonce = recordedNonce
	req.Auth = auth
	c := challenges{field: "Proxy-Authorization"}
	resent, answer, later, err := c.run(t, req, "http://h.test/next", in.intOr("status", 407), headers)
	return map[string]any{"resent": resent, "proxy_authorization": answer, "later": later}, err
}
