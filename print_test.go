package requests_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

const secret = "hunter2"

// TestRule39Printing prints every exported type with a secret inside, with each verb that a log might use.
func TestRule39Printing(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "ok", [2]string{"Set-Cookie", "sid=" + secret}))
	s := secretSession()
	defer s.Close()
	r, err := s.Get(context.Background(), server.URL("/?token="+secret), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	adapter, err := s.Adapter("http://")
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{}
	values := secretValues(t, s, r, adapter)
	everyType(t, values)
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if text := fmt.Sprintf(verb, v); holdsSecret(text) {
				shown = append(shown, name+" with "+verb+": "+text)
			}
		}
	}
	if diff := cmp.Diff([]string{}, shown); diff != "" {
		t.Errorf("secrets are shown (-want +got)\n%s", diff)
	}
}

// withoutSecrets are the exported types that hold none.
var withoutSecrets = map[string]bool{
	"Challenge": true, "File": true, "CookieFileOption": true, "Files": true, "HTTP2Mode": true, "Kind": true,
	"Limits": true, "Link": true, "Policy": true, "PoolKeyStats": true, "ProxySource": true, "ResponseError": true, "RetryCount": true, "SocketOption": true,
	"SocketOptionList": true, "Timeouts": true, "Toggle": true, "Verification": true,
}

// everyType fails for an exported type that is neither printed here nor known to hold no secret. What is an interface or
// a function has nothing to print.
func everyType(t *testing.T, values map[string]any) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^type ([A-Z]\w*) (.*)$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			name, is := m[1], m[2]
			if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(is, "func(") || strings.HasPrefix(is, "interface") || is == "= dial.Resolver" {
				continue
			}
			if _, printed := values[name]; !printed && !withoutSecrets[name] {
				t.Errorf("%s: nobody knows whether %s prints secrets", file, name)
			}
		}
	}
}

// holdsSecret finds the secret as it is, in hexadecimal, and in what Basic makes of "ada:" and the secret.
func holdsSecret(text string) bool {
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), "OmxhbjpodW50ZXIy", "YWRhOmh1bnRlcjI"} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

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
			Cert:    requests.CertPKCS12("id.p12", secret),
		},
	}
}

func secretValues(t *testing.T, s *requests.Session, r *requests.Response, a requests.Adapter) map[string]any {
	request := secretRequest()
	p, err := s.Prepare(request)
	if err != nil {
		t.Fatal(err)
	}
	opts, err := s.MergeEnvironment(p.URL, request.Send)
	if err != nil {
		t.Fatal(err)
	}
	config, err := requests.NewHTTPAdapter().Plan(p, requests.SendOptions{Proxies: request.Send.Proxies})
	if err != nil {
		t.Fatal(err)
	}
	socks, err := requests.NewHTTPAdapter().Plan(p, requests.SendOptions{Proxies: requests.Proxies{"all": "socks5://ada:" + secret + "@p.test"}})
	if err != nil {
		t.Fatal(err)
	}
	decision, err := s.ExplainProxy("https://ada:" + secret + "@h.test/")
	if err != nil {
		t.Fatal(err)
	}
	forProxy, err := requests.NewProxyFields(requests.Headers{{"X-Proxy-Token", secret}})
	if err != nil {
		t.Fatal(err)
	}
	try := requests.Attempt{Method: "GET", URL: request.URL, Err: errors.New("no")}
	failure := &requests.Error{Kind: requests.ErrSSL, Request: p, Response: r, Err: io.EOF, Op: "connect"}
	cookie, err := s.Cookies.Find("sid", "", "")
	if err != nil && !errors.Is(err, requests.ErrCookieConflict) {
		t.Fatal(err)
	}
	return map[string]any{
		"Session": s, "Request": request, "Request value": *request, "PreparedRequest": p, "PreparedRequest value": *p,
		"Response": r, "Response value": *r, "AuthExchange": r.Auth(), "SendOptions": opts, "SendOptions pointer": &opts,
		"Headers": p.Headers, "response's Headers": r.Headers, "Params": request.Params, "Form": request.Form, "Cookies": request.Cookies,
		"Proxies": request.Send.Proxies, "ProxyDecision": decision, "ConnConfig": config, "ConnConfig of SOCKS": socks,
		"ProxyConfig": config.Proxy, "ProxyConfig of SOCKS": &socks.Proxy, "TLSConfig": requests.TLSConfig{Cert: s.Cert},
		"Certificate": s.Cert, "PKCS 12": request.Send.Cert, "CertTLS": requests.CertTLS(tls.Certificate{Certificate: [][]byte{{1}}}),
		"CookieJar": s.Cookies, "response's CookieJar": r.Cookies, "Cookie": requests.Cookie{Name: "sid", Value: secret}, "found Cookie": cookie,
		"Attempt": try, "Retry": requests.Retry{Total: 3}, "RetryState": requests.RetryState{History: []requests.Attempt{try}},
		"MaxRetryError": &requests.MaxRetryError{Reason: failure, History: []requests.Attempt{try}}, "Error": failure,
		"Basic": requests.BasicAuth("ada", secret), "Basic value": requests.Basic{Username: "ada", Password: secret},
		"Bearer": requests.BearerAuth(secret), "ProxyBasic": requests.ProxyBasicAuth("ada", secret), "Digest": requests.DigestAuth("ada", secret),
		"Refresh":     refreshed(t, secret),
		"ProxyFields": forProxy, "HTTPAdapter": a, "PoolStats": a.(*requests.HTTPAdapter).Stats(),
		"RoundTripper": s.RoundTripper(), "AdapterTransport": requests.AdapterTransport(a), "http.Client": &http.Client{Transport: s.RoundTripper()},
		"options": []requests.Option{requests.Authenticate(request.Auth), request.Headers, request.Send.Proxies, requests.JSON(secret), requests.Body(secret)},
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
