package requests_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRule16PoolKey: what one request was allowed is not what the next one gets on
// the same connection.
func TestRule16PoolKey(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	s := newTestSession(t)
	trusted := requests.CABundlePEM(wiretest.TestCA().PEM())
	if _, err := s.Get(t.Context(), server.URL("/"), requests.Verify(false)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), server.URL("/")); !errors.Is(err, requests.ErrSSL) {
		t.Errorf("verifying after not verifying: %v", err)
	}
	if _, err := s.Get(t.Context(), server.URL("/"), trusted); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), server.URL("/"), requests.CABundlePEM(wiretest.OtherCA().PEM())); !errors.Is(err, requests.ErrSSL) {
		t.Errorf("another CA set after one that trusts: %v", err)
	}
	if _, err := s.Get(t.Context(), server.URL("/"), trusted, requests.CertTLS(wiretest.TestCA().Client("a"))); err != nil {
		t.Fatal(err)
	}
	var conns []int
	for _, r := range server.Requests() {
		conns = append(conns, r.Conn)
	}
	if diff := cmp.Diff([]int{1, 2, 3}, conns); diff != "" {
		t.Errorf("connections (-want +got)\n%s", diff)
	}
}

// TestRule16Plan: every field that matters makes another key.
func TestRule16Plan(t *testing.T) {
	edits := map[string]requests.ConnEditor{
		"none":        func(*requests.ConnConfig, *requests.PreparedRequest) error { return nil },
		"SNI":         func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { c.TLS.ServerName = "x"; return nil },
		"verify name": func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { c.TLS.VerifyName = "x"; return nil },
		"min version": func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { c.TLS.MinVersion = 0x0304; return nil },
		"pin":         func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { c.TLS.Fingerprint = "x"; return nil },
		"interface":   func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { c.Interface = "lo"; return nil },
		"options": func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
			c.Options = requests.SocketOptionList{}
			return nil
		},
	}
	sends := map[string]requests.SendOptions{
		"insecure": {Verify: requests.Verify(false)}, "bundle": {Verify: requests.CABundlePEM([]byte("x"))},
		"certificate": {Cert: requests.CertPEM([]byte("c"), []byte("k"))}, "proxy": {Proxies: requests.Proxies{"https": "http://p:1"}},
		"proxy user": {Proxies: requests.Proxies{"https": "http://u:p@p:1"}}, "other user": {Proxies: requests.Proxies{"https": "http://v:p@p:1"}},
	}
	p, err := (&requests.Request{URL: "https://h/"}).Prepare()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[requests.ConnConfig]string{}
	note := func(name string, c requests.ConnConfig, err error) {
		if err != nil {
			t.Fatal(name, err)
		}
		if other, ok := seen[c]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[c] = name
	}
	for name, edit := range edits {
		c, err := requests.NewHTTPAdapter(requests.ConfigureConn(edit)).Plan(p, requests.SendOptions{})
		note(name, c, err)
	}
	for name, opts := range sends {
		c, err := requests.NewHTTPAdapter().Plan(p, opts)
		note(name, c, err)
	}
}

// TestRule19ChecksOnEveryProtocol: the certificate's name is checked on HTTP/1.1 and
// on HTTP/2, directly and through a proxy.
func TestRule19ChecksOnEveryProtocol(t *testing.T) {
	wrong := wiretest.TestCA().WrongHost()
	wrong.NextProtos = []string{"h2", "http/1.1"}
	server := wiretest.Start(t, wiretest.Config{TLS: wrong})
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(server)})
	for _, h2 := range []bool{false, true} {
		for _, through := range []string{"", proxy.URL("")} {
			s := newTestSession(t)
			s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(h2)))
			_, err := s.Get(t.Context(), server.URL("/"), requests.CABundlePEM(wiretest.TestCA().PEM()), requests.Proxies{"https": through})
			if !errors.Is(err, requests.ErrSSL) {
				t.Errorf("h2 %v, proxy %q: %v", h2, through, err)
			}
		}
	}
}

// TestRule20PlainNeverServesSecure: a pooled plain connection is not used for https
// to the same host and port.
func TestRule20PlainNeverServesSecure(t *testing.T) {
	server := wiretest.Origin(t)
	s := newTestSession(t)
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Fatal(err)
	}
	// The server waits for the end of a request line; the client for a handshake.
	_, err := s.Get(t.Context(), "https://"+server.Addr()+"/", requests.Verify(false), requests.Timeout(200*time.Millisecond))
	if err == nil || len(server.Requests()) != 1 || server.Accepted() != 2 {
		t.Errorf("got %v, %d requests, %d connections", err, len(server.Requests()), server.Accepted())
	}
}

// TestRule48VerifyPrecedence: request, then session, then environment; Policy
// restores Requests' order. TestRule49SendLikeGet: Send asks the environment as Get
// does, unless Policy says otherwise.
func TestRule48VerifyPrecedence(t *testing.T) {
	bundle := wiretest.File(t, "env.pem", wiretest.TestCA().PEM())
	t.Setenv("REQUESTS_CA_BUNDLE", bundle)
	own := requests.CABundle("own.pem")
	requestsWay := requests.PolicyRequests()
	cases := []struct {
		policy        requests.Policy
		call, session requests.Verification
		want          requests.Verification
	}{
		{requests.Policy{}, requests.Verification{}, requests.Verification{}, requests.CABundle(bundle)},
		{requests.Policy{}, requests.Verification{}, requests.Verify(false), requests.Verify(false)},
		{requests.Policy{}, requests.Verification{}, own, own},
		{requests.Policy{}, own, requests.Verify(false), own},
		{requests.Policy{}, requests.Verify(true), requests.Verify(false), requests.CABundle(bundle)},
		{requestsWay, requests.Verification{}, requests.Verify(false), requests.CABundle(bundle)},
		{requestsWay, requests.Verification{}, own, requests.CABundle(bundle)},
		{requestsWay, requests.Verify(false), own, requests.Verify(false)},
	}
	for i, c := range cases {
		s := requests.NewSession()
		s.Policy, s.Verify = c.policy, c.session
		got, err := s.MergeEnvironment("https://h/", requests.SendOptions{Verify: c.call})
		if got.Verify != c.want || err != nil {
			t.Errorf("case %d: %v, want %v, %v", i, got.Verify, c.want, err)
		}
	}
}

func TestRule49SendLikeGet(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	t.Setenv("REQUESTS_CA_BUNDLE", wiretest.File(t, "env.pem", wiretest.TestCA().PEM()))
	for policy, want := range map[requests.Policy]string{{}: "<nil>", {SendIgnoresEnvironmentCA: true}: "TLS error"} {
		s := requests.NewSession()
		s.Policy = policy
		p, err := s.Prepare(&requests.Request{URL: server.URL("/")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Send(t.Context(), p, requests.SendOptions{})
		got := fmt.Sprint(err)
		if e, ok := errors.AsType[*requests.Error](err); ok {
			got = e.Kind.Error()
		}
		if got != want {
			t.Errorf("%+v: %s, want %s", policy, got, want)
		}
		s.Close()
	}
}
