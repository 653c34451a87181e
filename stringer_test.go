package requests_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

const secret = "hunter2"

// secretSession has a secret wherever one can be put.
func secretSession() *requests.Session {
	s := requests.NewSession()
	s.TrustEnv = false
	s.Headers.Set("X-Api-Key", secret)
	s.Params = requests.Params{{"access_token", secret}}
	s.Auth = requests.BasicAuth("ada", secret)
	s.Proxies = requests.Proxies{"https": "http://ada:" + secret + "@p.test:1"}
	s.Cert = requests.CertPEM([]byte("certificate"), []byte(secret)).WithPassword(secret)
	s.Cookies.Set(requests.Cookie{Name: "sid", Value: secret})
	return s
}

func secretRequest() *requests.Request {
	return &requests.Request{
		Method: "POST", URL: "https://ada:" + secret + "@h.test/?token=" + secret,
		Headers: requests.Headers{{"Authorization", "Bearer " + secret}, {"Proxy-Authorization", secret}, {"X-Session-Token", secret}},
		Params:  requests.Params{{"api_key", secret}}, Form: requests.Form{{"password", secret}},
		Cookies: requests.Cookies{{"sid", secret}}, Auth: requests.BearerAuth(secret),
		Send: requests.SendOptions{
			Proxies: requests.Proxies{"all": "http://ada:" + secret + "@p.test"},
			Cert:    requests.CertFile("id.p12").WithPassword(secret),
		},
	}
}

// TestRule39Errors brings errors about that have to do with secrets, and looks into their text and that of their causes.
func TestRule39Errors(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		if r.Method == "CONNECT" {
			return wiretest.Text(407, secret, [2]string{"Proxy-Authenticate", "Basic"})
		}
		return wiretest.Send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n" + secret).ThenClose()
	}})
	bg, shown := context.Background(), []string{}
	for name, call := range map[string]func(s *requests.Session) error{
		"refused":    func(s *requests.Session) error { _, err := s.Get(bg, secretURL(wiretest.Closed(t))); return err },
		"cut":        func(s *requests.Session) error { _, err := s.Get(bg, secretURL(server.Addr())); return err },
		"no host":    func(s *requests.Session) error { _, err := s.Get(bg, secretURL("")); return err },
		"bad host":   func(s *requests.Session) error { _, err := s.Get(bg, secretURL("a b")); return err },
		"bad scheme": func(s *requests.Session) error { _, err := s.Get(bg, "x"+secretURL("h.test")); return err },
		"no scheme":  func(s *requests.Session) error { _, err := s.Get(bg, "ada:"+secret+"@h.test"); return err },
		"tunnel": func(s *requests.Session) error {
			_, err := s.Get(bg, "https://h.test/", requests.Proxies{"https": secretURL(server.Addr())})
			return err
		},
		"bad proxy": func(s *requests.Session) error {
			_, err := s.Get(bg, "https://h.test/", requests.Proxies{"https": secretURL("p.test:x")})
			return err
		},
		"SOCKS": func(s *requests.Session) error {
			_, err := s.Get(bg, "https://h.test/", requests.Proxies{"https": "socks5" + strings.TrimPrefix(secretURL(server.Addr()), "http")})
			return err
		},
		"status": func(s *requests.Session) error {
			r, err := s.Get(bg, secretURL(server.Addr()), requests.Stream(true))
			if err != nil {
				return err
			}
			defer r.Close()
			return r.RaiseForStatus()
		},
	} {
		s := secretSession()
		err := call(s)
		s.Close()
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		for _, text := range texts(err) {
			if holdsSecret(text) {
				shown = append(shown, name+": "+text)
			}
		}
	}
	if diff := cmp.Diff([]string{}, shown); diff != "" {
		t.Errorf("secrets are shown (-want +got)\n%s", diff)
	}
}

func secretURL(host string) string {
	u := url.URL{Scheme: "http", User: url.UserPassword("ada", secret), Host: "HOST", Path: "/", RawQuery: "token=" + secret}
	return strings.Replace(u.String(), "HOST", host, 1)
}

// texts are those of an error and of all it wraps.
func texts(err error) []string {
	if err == nil {
		return nil
	}
	all := []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, texts(inner)...)
		}
	case interface{ Unwrap() error }:
		all = append(all, texts(e.Unwrap())...)
	}
	return all
}

// refreshed is an auth that holds a token.
func refreshed(t *testing.T, token string) *requests.Refresh {
	a := requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) { return requests.BearerAuth(token), nil }))
	if err := a.Authenticate(&requests.PreparedRequest{}); err != nil {
		t.Fatal(err)
	}
	return a
}
