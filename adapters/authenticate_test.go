package adapters_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

const (
	basicChallenge  = `Basic realm="r"`
	digestChallenge = `Digest realm="r", nonce="n", qop="auth"`
)

// asking refuses with a challenge until the field has credentials.
func asking(status int, challengeField, field, challenge string) func(*wiretest.Request) wiretest.Reply {
	return func(r *wiretest.Request) wiretest.Reply {
		switch {
		case r.Get(field) == "":
			return wiretest.Text(status, "no", [2]string{challengeField, challenge})
		case r.Method == "CONNECT":
			return wiretest.Send("HTTP/1.1 200 Connection established\r\n\r\n")
		}
		return wiretest.Text(200, "ok")
	}
}

// sentSchemes lists target and scheme of a field of each request.
func sentSchemes(server *wiretest.Server, field string) []string {
	var got []string
	for _, r := range server.Requests() {
		scheme, _, _ := strings.Cut(r.Get(field), " ")
		got = append(got, r.Target+" "+scheme)
	}
	return got
}

func mountSession(t *testing.T) *requests.Session {
	s := requests.NewSession()
	s.TrustEnv = false
	s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
	t.Cleanup(func() { s.Close() })
	return s
}

// An auth on a mount runs its whole exchange, for the mount's URLs alone.
func TestAuthenticate(t *testing.T) {
	for name, tt := range map[string]struct {
		auth      requests.Auth
		challenge string
		want      []string
	}{
		"basic":        {requests.BasicAuth("u", "p"), basicChallenge, []string{"/in/ Basic", "/in/ Basic"}},
		"bearer":       {requests.BearerAuth("t"), basicChallenge, []string{"/in/ Bearer", "/in/ Bearer"}},
		"digest":       {requests.DigestAuth("u", "p"), digestChallenge, []string{"/in/ ", "/in/ Digest", "/in/ Digest"}},
		"guess basic":  {toolbelt.GuessAuth("u", "p"), basicChallenge, []string{"/in/ ", "/in/ Basic", "/in/ Basic"}},
		"guess digest": {toolbelt.GuessAuth("u", "p"), digestChallenge, []string{"/in/ ", "/in/ Digest", "/in/ Digest"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Start(t, wiretest.Config{Handler: asking(401, "WWW-Authenticate", "Authorization", tt.challenge)})
			s := mountSession(t)
			s.Mount(server.URL("/in/"), adapters.Authenticate(tt.auth)(requests.NewHTTPAdapter()))
			for range 2 {
				if r, err := s.Post(t.Context(), server.URL("/in/"), requests.Body("body")); err != nil || !r.OK() {
					t.Fatal(r, err)
				}
			}
			if r, err := s.Get(t.Context(), server.URL("/out")); err != nil || r.StatusCode != 401 {
				t.Error(r, err)
			}
			if diff := cmp.Diff(append(tt.want, "/out "), sentSchemes(server, "Authorization")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			client := &http.Client{Transport: s.RoundTripper()}
			resp, err := client.Get(server.URL("/in/"))
			if err != nil || resp.StatusCode != 200 {
				t.Fatal(resp, err)
			}
			resp.Body.Close()
			alone := &http.Client{Transport: requests.AdapterTransport(adapters.Authenticate(tt.auth)(requests.NewHTTPAdapter()))}
			defer alone.CloseIdleConnections()
			if resp, err = alone.Get(server.URL("/in/")); err != nil || resp.StatusCode != 200 {
				t.Fatal(resp, err)
			}
			resp.Body.Close()
		})
	}
}

// So do those for proxies, for requests they forward and for tunnels.
func TestAuthenticateToProxies(t *testing.T) {
	for name, auth := range map[string]func() requests.Auth{
		"digest": func() requests.Auth { return toolbelt.HTTPProxyDigestAuth("pu", "pp") },
		"guess":  func() requests.Auth { return toolbelt.GuessProxyAuth("u", "p", "pu", "pp") },
	} {
		for _, url := range []string{"http://localhost/", "https://localhost/"} {
			t.Run(name+" "+url, func(t *testing.T) {
				origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server(), Replies: []wiretest.Reply{wiretest.Text(200, "ok")}})
				proxy := wiretest.Start(t, wiretest.Config{
					Handler: asking(407, "Proxy-Authenticate", "Proxy-Authorization", digestChallenge), Route: wiretest.To(origin),
				})
				s := mountSession(t)
				s.Proxies = requests.Proxies{"all": "http://" + proxy.Addr()}
				s.Mount(url, adapters.Authenticate(auth())(requests.NewHTTPAdapter()))
				for range 2 {
					if r, err := s.Get(t.Context(), url); err != nil || !r.OK() {
						t.Fatal(r, err)
					}
				}
				got := sentSchemes(proxy, "Proxy-Authorization")
				if len(got) > 3 || strings.HasSuffix(got[0], "Digest") || !strings.HasSuffix(got[1], "Digest") {
					t.Errorf("the proxy got %q", got)
				}
			})
		}
	}
}

// The nearest credentials win: those of the call, then the mount's, then the session's.
func TestAuthenticatePrecedence(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "ok"))
	s := mountSession(t)
	s.Auth = requests.BasicAuth("session", "p")
	s.Mount(server.URL("/"), adapters.Authenticate(requests.BearerAuth("mount"))(requests.NewHTTPAdapter()))
	for _, option := range []requests.Option{
		nil, requests.Headers{{"authorization", "Written x"}}, requests.Authenticate(requests.DigestAuth("u", "p")), requests.Authenticate(requests.NoAuth), requests.Authenticate(requests.BasicAuth("call", "p")),
	} {
		s.Auth = requests.BasicAuth("session", "p")
		if _, written := option.(requests.Headers); written {
			s.Auth = nil
		}
		if _, err := s.Get(t.Context(), server.URL("/"), option); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"/ Bearer", "/ Written", "/ ", "/ ", "/ Basic"}
	if diff := cmp.Diff(want, sentSchemes(server, "Authorization")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Credentials of a mount do not leave it with a redirect, and wait where one leads.
func TestAuthenticateAndRedirects(t *testing.T) {
	for name, auth := range map[string]requests.Auth{"basic": requests.BasicAuth("u", "p"), "digest": requests.DigestAuth("u", "p")} {
		server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
			switch {
			case r.Target == "/start":
				return wiretest.Text(307, "", [2]string{"Location", "http://" + strings.Replace(r.Get("Host"), "127.0.0.1", "localhost", 1) + "/in/"})
			case strings.HasPrefix(r.Target, "/in/") && r.Get("Authorization") == "":
				return wiretest.Text(401, "", [2]string{"WWW-Authenticate", digestChallenge})
			case strings.HasPrefix(r.Target, "/in/"):
				return wiretest.Text(307, "", [2]string{"Location", "/out"})
			}
			return wiretest.Text(200, "ok")
		}})
		s := mountSession(t)
		s.Mount("http://"+server.Host("localhost")+"/in/", adapters.Authenticate(auth)(requests.NewHTTPAdapter()))
		r, err := s.Get(t.Context(), server.URL("/start"))
		if err != nil || !r.OK() {
			t.Fatal(name, r, err)
		}
		got := sentSchemes(server, "Authorization")
		if diff := cmp.Diff([]string{"/start ", "/out "}, []string{got[0], got[len(got)-1]}); diff != "" || got[len(got)-2] == "/in/ " {
			t.Errorf("%s: %q (-want +got):\n%s", name, got, diff)
		}
	}
}

// What goes wrong on the way is told, and nothing is sent half.
func TestAuthenticateErrors(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: asking(401, "WWW-Authenticate", "Authorization", digestChallenge)})
	own := errors.New("no token")
	for name, tt := range map[string]struct {
		auth requests.Auth
		body any
		want error
	}{
		"nil":        {nil, "x", requests.ErrInvalidArgument},
		"typed nil":  {(*requests.Digest)(nil), "x", requests.ErrInvalidArgument},
		"of an auth": {requests.AuthFunc(func(*requests.PreparedRequest) error { return own }), "x", own},
		"a stream":   {requests.DigestAuth("u", "p"), io.MultiReader(strings.NewReader("x")), requests.ErrUnrewindableBody},
	} {
		s := mountSession(t)
		s.Mount("http://", adapters.Authenticate(tt.auth)(requests.NewHTTPAdapter()))
		if _, err := s.Post(t.Context(), server.URL("/"), requests.Body(tt.body)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}
