package toolbelt_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

const (
	digestChallenge = `Digest realm="r", nonce="n", qop="auth"`
	basicChallenge  = `Basic realm="r"`
)

func newSession(t *testing.T) *requests.Session {
	s := requests.NewSession()
	s.TrustEnv = false
	s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
	t.Cleanup(func() { s.Close() })
	return s
}

// refuses answers with a challenge until a field is there.
func refuses(status int, challengeField, field string, challenges ...string) func(*wiretest.Request) wiretest.Reply {
	return func(r *wiretest.Request) wiretest.Reply {
		if r.Get(field) != "" {
			if r.Method == "CONNECT" {
				return wiretest.Send("HTTP/1.1 200 Connection established\r\n\r\n")
			}
			return wiretest.Text(200, "ok")
		}
		var fields [][2]string
		for _, c := range challenges {
			fields = append(fields, [2]string{challengeField, c})
		}
		return wiretest.Text(status, "no", fields...)
	}
}

// schemes lists the scheme of a field in each request a server got.
func schemes(server *wiretest.Server, field string) []string {
	var got []string
	for _, r := range server.Requests() {
		scheme, _, _ := strings.Cut(r.Get(field), " ")
		got = append(got, r.Method+" "+scheme)
	}
	return got
}

func TestAuthHandler(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "ok"))
	h := toolbelt.NewAuthHandler(
		toolbelt.Strategy{Domain: server.URL("/?q#f"), Auth: requests.BasicAuth("u", "p")},
		toolbelt.Strategy{Domain: "http://" + server.Host("localhost"), Auth: requests.BearerAuth("token")},
	)
	s := newSession(t)
	s.Auth = h
	get := func(host string) {
		t.Helper()
		if _, err := s.Get(t.Context(), "http://"+host+"/"); err != nil {
			t.Fatal(err)
		}
	}
	get(server.Addr())
	get(server.Host("localhost"))
	get(server.Host("LOCALHOST"))
	get(wiretest.Origin(t, wiretest.Text(200, "another port")).Addr())
	h.RemoveStrategy(server.URL(""))
	get(server.Addr())
	h.AddStrategy(server.URL(""), nil)
	get(server.Addr())
	want := []string{"GET Basic", "GET Bearer", "GET Bearer", "GET ", "GET "}
	if diff := cmp.Diff(want, schemes(server, "Authorization")); diff != "" {
		t.Errorf("Authorization (-want +got):\n%s", diff)
	}
}

// A strategy with a path is for that path and what is below it; the longest wins.
func TestAuthHandlerPaths(t *testing.T) {
	h := toolbelt.NewAuthHandler(
		toolbelt.Strategy{Domain: "https://h.test/api", Auth: requests.BearerAuth("api")},
		toolbelt.Strategy{Domain: "HTTPS://H.test/api/v2/?q#f", Auth: requests.BearerAuth("v2")},
		toolbelt.Strategy{Domain: "https://other.test", Auth: requests.BearerAuth("other")},
		toolbelt.Strategy{Domain: "https://other.test/private", Auth: nil},
	)
	if diff := cmp.Diff([]string{"https://h.test/api", "https://h.test/api/v2/", "https://other.test", "https://other.test/private"}, h.Domains()); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	for url, want := range map[string]string{
		"https://h.test":                    "",
		"https://h.test/":                   "",
		"https://h.test/other":              "",
		"https://h.test/apis":               "",
		"https://h.test/API":                "",
		"https://h.test/api":                "api",
		"https://H.TEST/api?x=/api/v2/":     "api",
		"https://h.test/api/users":          "api",
		"https://h.test/api/v2":             "api",
		"https://h.test/api/v2/":            "v2",
		"https://h.test/api/v2/x#y":         "v2",
		"https://h.test/api/../other":       "",
		"https://h.test/api/v2/%2E%2e/x":    "api",
		"https://h.test/api/v2/./x":         "v2",
		"https://h.test/api/..%2Fother":     "",
		"https://h.test/api/..%5cother":     "",
		`https://h.test/api/..\other`:       "",
		"https://h.test/api/..;/other":      "",
		"https://h.test/api/..;x=1/other":   "",
		"https://h.test/api/%2e%2e%3B/o":    "",
		"https://h.test/api/%252e%252e/o":   "",
		"https://h.test/api/.%25252E%2fo":   "",
		"https://h.test/api/%%32e%%32%65/o": "",
		"https://h.test/api/v2/..%2f..%2fo": "",
		"https://h.test/api/v2/..%2fx":      "api",
		"https://h.test/api/a%2Fb;v=1/%zz":  "api",
		"https://h.test/api/%":              "api",
		"https://h.test:443/api":            "",
		"http://h.test/api":                 "",
		"https://h.test.evil.test/api":      "",
		"https://h.test/x//h.test/api":      "",
		"https://other.test/":               "other",
		"https://other.test/private/x":      "",
		"https://other.test/public/private": "other",
	} {
		p := &requests.PreparedRequest{URL: url}
		if err := h.Authenticate(p); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(p.Headers.Get("Authorization"), "Bearer "); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

// Rule 50: an Authorization that somebody wrote is not replaced, at once or after a
// challenge.
func TestRule50WrittenAuthorizationStays(t *testing.T) {
	refuse := false
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		if refuse || r.Get("Authorization") == "" {
			return wiretest.Text(401, "", [2]string{"WWW-Authenticate", basicChallenge + ", " + digestChallenge})
		}
		return wiretest.Text(200, "ok")
	}})
	guess, proxy := toolbelt.GuessAuth("u", "p"), toolbelt.GuessProxyAuth("u", "p", "pu", "pp")
	handler := toolbelt.NewAuthHandler(toolbelt.Strategy{Domain: server.URL(""), Auth: guess})
	basic := toolbelt.NewAuthHandler(toolbelt.Strategy{Domain: server.URL(""), Auth: requests.BasicAuth("u", "p")})
	for name, auth := range map[string]requests.Auth{"guess": guess, "guess proxy": proxy, "handler": handler, "basic": basic} {
		s := newSession(t)
		s.Auth = auth
		refuse = false
		if r, err := s.Get(t.Context(), server.URL("/")); err != nil || !r.OK() { // it has learned the scheme
			t.Fatal(name, r, err)
		}
		before := len(server.Requests())
		refuse = true
		written := requests.Headers{{"authorization", "Bearer written"}}
		calls := []func() error{
			func() error { _, err := s.Get(t.Context(), server.URL("/"), written); return err },
			func() error {
				s.Headers.Set("Authorization", "Bearer written")
				_, err := s.Get(t.Context(), server.URL("/"))
				s.Headers.Del("Authorization")
				return err
			},
			func() error {
				req, _ := http.NewRequest("GET", server.URL("/"), nil)
				req.Header.Set("Authorization", "Bearer written")
				resp, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
				if err == nil {
					resp.Body.Close()
				}
				return err
			},
		}
		for _, call := range calls {
			if err := call(); err != nil {
				t.Fatal(name, err)
			}
		}
		if diff := cmp.Diff([]string{"GET Bearer", "GET Bearer", "GET Bearer"}, schemes(server, "Authorization")[before:]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAuthHandlerConcurrently(t *testing.T) {
	h := toolbelt.NewAuthHandler()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			domain := fmt.Sprintf("http://h%d.test", i%4)
			h.AddStrategy(domain, requests.BasicAuth("u", "p"))
			h.StrategyFor(domain + "/x")
			h.Domains()
			h.RemoveStrategy(domain)
		})
	}
	wg.Wait()
	if got := h.Domains(); len(got) != 0 {
		t.Errorf("left over: %v", got)
	}
}

func TestGuessAuth(t *testing.T) {
	for _, tt := range []struct {
		name       string
		status     int
		challenges []string
		want       []string // of the first request, its answer and the next request
	}{
		{"basic", 401, []string{basicChallenge}, []string{"GET ", "GET Basic", "GET Basic"}},
		{"digest", 401, []string{digestChallenge}, []string{"GET ", "GET Digest", "GET Digest"}},
		{"digest before basic", 401, []string{basicChallenge, digestChallenge}, []string{"GET ", "GET Digest", "GET Digest"}},
		{"a digest nobody knows", 401, []string{`Digest realm="r", nonce="n", algorithm=X, Basic realm="r"`}, []string{"GET ", "GET Basic", "GET Basic"}},
		{"words in a realm", 401, []string{`Bearer realm="basic digest"`}, []string{"GET ", "GET "}},
		{"success", 200, []string{basicChallenge}, []string{"GET ", "GET "}},
		{"none", 401, nil, []string{"GET ", "GET "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := wiretest.Start(t, wiretest.Config{Handler: refuses(tt.status, "WWW-Authenticate", "Authorization", tt.challenges...)})
			s := newSession(t)
			s.Auth = toolbelt.GuessAuth("u", "p")
			for range 2 {
				if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, schemes(server, "Authorization")); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
		})
	}
}

// A body is sent again with the answer, from where it stood.
func TestGuessAuthSendsTheBodyAgain(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: refuses(401, "WWW-Authenticate", "Authorization", basicChallenge)})
	body := strings.NewReader("-body")
	if _, err := body.Seek(1, 0); err != nil {
		t.Fatal(err)
	}
	r, err := newSession(t).Post(t.Context(), server.URL("/"), requests.Body(body), requests.Authenticate(toolbelt.GuessAuth("u", "p")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range server.Requests() {
		got = append(got, r.Body)
	}
	if diff := cmp.Diff([]string{"body", "body"}, got); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
	if len(r.History) != 1 || r.History[0].StatusCode != 401 {
		t.Errorf("history %v", r.History)
	}
}

// One object for many goroutines.
func TestGuessConcurrently(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: refuses(401, "WWW-Authenticate", "Authorization", digestChallenge)})
	s := newSession(t)
	s.Auth = toolbelt.GuessProxyAuth("u", "p", "pu", "pp")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 4 {
				if r, err := s.Get(t.Context(), server.URL("/")); err != nil || !r.OK() {
					t.Error(r, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAuthShowsNoPassword(t *testing.T) {
	for _, auth := range []requests.Auth{
		toolbelt.GuessAuth("u", "secret"), toolbelt.GuessProxyAuth("u", "secret", "pu", "secret"),
		toolbelt.HTTPProxyDigestAuth("u", "secret"), requests.BearerAuth("secret"),
		toolbelt.NewAuthHandler(toolbelt.Strategy{Domain: "http://u:secret@h", Auth: requests.DigestAuth("u", "secret")}),
		requests.DigestAuth("u", "secret"), requests.BasicAuth("u", "secret"), requests.ProxyBasicAuth("u", "secret"),
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(format, auth); strings.Contains(text, "secret") {
				t.Errorf("%s of %T: %s", format, auth, text)
			}
		}
	}
}
