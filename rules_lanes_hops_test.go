package requests_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// TestRule08Lanes: a cookie that the program has put into the session's jar, without a
// domain, is for the origin that was asked, and not for one that a redirect leads to.
func TestRule08Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		for _, policy := range []requests.Policy{{}, {NetscapeCookies: true}} {
			s := l.session(t)
			s.Policy = policy
			if err := s.Cookies.Set(requests.Cookie{Name: "sid", Value: "1"}); err != nil {
				t.Fatal(err)
			}
			away := "-"
			if policy.NetscapeCookies {
				away = "sid=1"
			}
			port := ":8080"
			if l.scheme == "https" {
				port = ":8443"
			}
			for _, stranger := range []string{"other.test", "sub.example.com", "example.com" + port} {
				if _, err := l.send(t.Context(), s, "GET", l.redirected(307, "example.com", stranger, "example.com"), nil, nil); err != nil {
					t.Fatal(err)
				}
				l.want(t, "Cookie", l.site.took(), "sid=1", away, "sid=1")
			}
		}
	})
}

// TestRule03Challenges: whoever is redirected to may lead back, to a URL of its choice. A
// challenge there is not answered: the credentials were dropped on the way. Those of a mount
// are for every URL of the mount.
func TestRule03Challenges(t *testing.T) {
	auths := map[string]requests.Auth{
		"Digest": requests.DigestAuth("ada", "secret"), "Guess": toolbelt.GuessAuth("ada", "secret"),
		"Refresh": requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) { return requests.BearerAuth("new"), nil })),
	}
	eachLane(t, func(t *testing.T, l lane) {
		l.site.answering(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Digest") {
				w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		for name, auth := range auths {
			s := l.session(t)
			s.Auth = auth
			if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test", "example.com"), nil, nil); err != nil {
				t.Fatal(name, err)
			}
			l.want(t, "Authorization", l.site.took()[1:], "-", "-")
		}
		if l.caller == "http.Client" {
			return // its redirects carry no credentials at all
		}
		s := l.session(t)
		mounted, err := s.Adapter(l.at("example.com", "/"))
		if err != nil {
			t.Fatal(err)
		}
		s.Mount(l.at("example.com", "/"), adapters.Authenticate(requests.DigestAuth("ada", "secret"))(mounted))
		if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test", "example.com"), nil, nil); err != nil {
			t.Fatal(err)
		}
		if hops := l.site.took(); !strings.HasPrefix(hops[len(hops)-1].header.Get("Authorization"), "Digest ") {
			t.Errorf("the mount's credentials were not sent: %v", hops)
		}
	})
}

// optionsSeen is an adapter that redirects along its hosts, and notes what it gets.
type optionsSeen struct {
	hosts []string
	sent  []string
}

func (o *optionsSeen) Close() error { return nil }

func (o *optionsSeen) Send(_ context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	cert, _ := opts.Cert.Files()
	o.sent = append(o.sent, p.Method+" "+p.URL+" "+cert)
	if len(o.sent) < len(o.hosts) {
		return requests.NewResponse(p, 307, requests.Headers{{"Location", o.hosts[len(o.sent)]}}, nil), nil
	}
	return requests.NewResponse(p, 200, nil, nil), nil
}

// TestCertAcrossOrigins: a client certificate of the call or the session is shown to the
// origin that was asked, and to nobody a redirect leads to, on the way back either; nor is
// the session's to others than the origin of its BaseURL.
func TestCertAcrossOrigins(t *testing.T) {
	const a, a2, b, sub, port = "https://a.test/", "https://a.test/2", "https://b.test/", "https://x.a.test/", "https://a.test:444/"
	mine := requests.CertFile("mine")
	get := func(options ...requests.Option) func(t *testing.T, s *requests.Session) error {
		return func(t *testing.T, s *requests.Session) error {
			_, err := s.Get(t.Context(), s.Headers.Get("X-Start"), options...)
			return err
		}
	}
	byClient := func(t *testing.T, s *requests.Session) error {
		_, err := (&http.Client{Transport: s.RoundTripper()}).Get(s.Headers.Get("X-Start"))
		return err
	}
	byNext := func(t *testing.T, s *requests.Session) error {
		r, err := s.Get(t.Context(), s.Headers.Get("X-Start"), requests.AllowRedirects(false))
		for err == nil && r.Next != nil {
			r, err = s.Send(t.Context(), r.Next, requests.SendOptions{Redirects: requests.Off})
		}
		return err
	}
	session := func(s *requests.Session) { s.Cert = mine }
	based := func(s *requests.Session) { s.Cert, s.BaseURL = mine, a }
	asRequests := func(s *requests.Session) { s.Cert, s.Policy = mine, requests.PolicyRequests() }
	basedAsRequests := func(s *requests.Session) { based(s); s.Policy.SettingsBeyondBase = true }
	cases := []struct {
		name  string
		set   func(s *requests.Session)
		walk  func(t *testing.T, s *requests.Session) error
		hosts []string
		want  string // those that have seen it
	}{
		{"of the call", func(*requests.Session) {}, get(mine), []string{a, a2, b, a}, "yes yes no no"},
		{"of the session", session, get(), []string{a, sub, a}, "yes no no"},
		{"another port", session, get(), []string{a, port, port}, "yes no no"},
		{"to its https side", session, get(), []string{"http://a.test/", a, b}, "yes yes no"},
		{"http.Client", session, byClient, []string{a, a2, b, a}, "yes yes no no"},
		{"http.Client, https side", session, byClient, []string{"http://a.test/", a, b}, "yes yes no"},
		{"by hand", session, byNext, []string{a, a2, b, a}, "yes yes no no"},
		{"beyond BaseURL", based, get(), []string{b, b}, "no no"},
		{"beyond BaseURL and back", based, get(), []string{b, a}, "no no"},
		{"beyond BaseURL, of the call", based, get(mine), []string{b, b, a}, "yes yes no"},
		{"beyond BaseURL, http.Client", based, byClient, []string{b, a}, "no no"},
		{"beyond BaseURL, as toolbelt", basedAsRequests, get(), []string{b}, "yes"},
		{"within BaseURL", based, get(), []string{a, a2}, "yes yes"},
		{"as Requests", asRequests, get(), []string{a, b, a}, "yes yes yes"},
		{"as Requests, http.Client", asRequests, byClient, []string{a, b, a}, "yes yes yes"},
	}
	for _, c := range cases {
		s, seen := newSession(t), &optionsSeen{hosts: c.hosts}
		c.set(s)
		s.Headers.Set("X-Start", c.hosts[0])
		s.Mount("http://", seen)
		s.Mount("https://", seen)
		if err := c.walk(t, s); err != nil {
			t.Fatal(c.name, err)
		}
		var want []string
		for i, word := range strings.Fields(c.want) {
			want = append(want, "GET "+c.hosts[i]+" "+map[string]string{"yes": "mine"}[word])
		}
		if diff := cmp.Diff(want, seen.sent); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

// TestRule10Trailers: trailers go with the body they follow, and are, like headers that
// nobody knows, for one origin alone.
func TestRule10Trailers(t *testing.T) {
	cases := []struct {
		status int
		to     string
		keep   bool
		want   []string
	}{
		{307, "http://a.test/2", false, []string{"POST X-Sig", "POST X-Sig"}},
		{308, "http://b.test/", false, []string{"POST X-Sig", "POST -"}},
		{307, "http://a.test:81/", false, []string{"POST X-Sig", "POST -"}},
		{307, "http://b.test/", true, []string{"POST X-Sig", "POST X-Sig"}},
		{303, "http://a.test/2", false, []string{"POST X-Sig", "GET -"}},
		{302, "http://b.test/", true, []string{"POST X-Sig", "GET -"}},
	}
	for _, c := range cases {
		for _, caller := range []string{"Session", "toolbelt"} {
			s := newSession(t)
			s.Policy.KeepCrossOriginHeaders = c.keep
			var got []string
			s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				names := "-"
				if p.Trailers != nil {
					names = p.Trailers()[0][0]
				}
				if got = append(got, p.Method+" "+names); len(got) == 1 {
					return requests.NewResponse(p, c.status, requests.Headers{{"Location", c.to}}, nil), nil
				}
				return requests.NewResponse(p, 200, nil, nil), nil
			}))
			r := &requests.Request{Method: "POST", URL: "http://a.test/", Body: []byte("data"),
				Trailers: func() requests.Headers { return requests.Headers{{"X-Sig", "secret"}} }}
			var err error
			if caller == "Session" {
				_, err = s.Do(t.Context(), r)
			} else {
				_, err = sendByPool(t.Context(), s, r)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, %d to %s (-want +got)\n%s", caller, c.status, c.to, diff)
			}
		}
	}
}

// TestRule46Opaque: an opaque URL does not ask a proxy for another origin than its host,
// which credentials and guards are about.
func TestRule46Opaque(t *testing.T) {
	for _, c := range []struct{ method, host, opaque, want string }{
		{"GET", "a.test", "//a.test/x%2Fy", "GET http://a.test/x%2Fy HTTP/1.1"},
		{"GET", "a.test", "http://A.test:80/x", "GET http://A.test:80/x HTTP/1.1"},
		{"GET", "a.test", "/x", "GET http://a.test/x HTTP/1.1"},
		{"OPTIONS", "a.test", "*", "OPTIONS http://a.test HTTP/1.1"}, // RFC 9112 section 3.2.4
		{"GET", "a.test", "//internal.test/secret", ""},
		{"GET", "a.test", "http://internal.test/secret", ""},
		{"GET", "a.test", "//a.test@internal.test/", ""},
		{"GET", "a.test", "//a.test:8080/", ""},
		{"GET", "a.test", "https://a.test/", ""},
		{"GET", "a.test", "internal.test/secret", ""},
		{"GET", "a.test", "//a.test\\@internal.test/", ""},
		{"CONNECT", "a.test:80", "a.test:80", "CONNECT a.test:80 HTTP/1.1"},
		{"CONNECT", "a.test:80", "internal.test:22", ""},
	} {
		proxy := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{ok}})
		s := newSession(t)
		s.Auth, s.Proxies = requests.BearerAuth("for-a"), requests.Proxies{"http": proxy.URL("")}
		s.Mount("http://", requests.NewHTTPAdapter(adapters.AllowHosts("a.test"), adapters.AllowPorts(80)))
		req := (&http.Request{Method: c.method, URL: &url.URL{Scheme: "http", Host: c.host, Opaque: c.opaque}, Header: http.Header{}}).WithContext(t.Context())
		resp, err := s.RoundTripper().RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		got := ""
		if raw := proxy.Raw(); len(raw) > 0 {
			got, _, _ = strings.Cut(raw[0], "\r\n")
		}
		if diff := cmp.Diff(c.want, got); diff != "" || (c.want == "") != errors.Is(err, requests.ErrInvalidURL) {
			t.Errorf("%q: %v (-want +got)\n%s", c.opaque, err, diff)
		}
	}
}

// TestRule39CertificateText: what a server's certificate or reason says moves no cursor, in
// what an http.Client gets either, which is crypto/tls's own error.
func TestRule39CertificateText(t *testing.T) {
	wild := &tls.CertificateVerificationError{Err: errors.New("for a\x1b[31mred.test")}
	s := newSession(t)
	refusing := requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		return nil, &requests.Error{Kind: requests.ErrSSL, Err: wild}
	})
	s.Mount("https://", refusing)
	for name, transport := range map[string]http.RoundTripper{"Session": s.RoundTripper(), "adapter": requests.AdapterTransport(refusing)} {
		_, err := (&http.Client{Transport: transport}).Get("https://a.test/")
		_, found := errors.AsType[*tls.CertificateVerificationError](err)
		if !found || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), `a\x1b[31mred.test`) {
			t.Errorf("%s: %q", name, err)
		}
	}
	r := requests.NewResponse(nil, 500, nil, nil)
	r.Reason = "\x9b31mEvil"
	if err := r.RaiseForStatus(); err == nil || !strings.Contains(err.Error(), `\x9b31mEvil`) {
		t.Errorf("%q", err)
	}
}
