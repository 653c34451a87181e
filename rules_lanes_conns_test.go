package requests_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// hasTLS reports whether anything on the lane speaks TLS with the client.
func (l lane) hasTLS() bool { return l.scheme == "https" || l.hop == "https proxy" }

// TestRule14Lanes: rules 14 and 15: netrc has nothing for redirects and for other users than
// the URL's, and an empty entry is not an auth, nor does it make way for the default.
func TestRule14Lanes(t *testing.T) {
	const file = "machine example.com login ada password s\nmachine other.test login bob password t\nmachine sub.example.com login \"\" password \"\"\ndefault login d password e\n"
	t.Setenv("NETRC", wiretest.File(t, "netrc", []byte(file)))
	const ada, byDefault = "Basic YWRhOnM=", "Basic ZDpl"
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		s.TrustEnv = true
		if l.hop == "direct" {
			s.Proxies = requests.Proxies{"all": ""}
		}
		stranger := "-"
		if l.caller == "http.Client" {
			stranger = "Basic ZXZlOg==" // net/http's own doing
		}
		for _, c := range []struct {
			defaults bool
			url      string
			want     []string
		}{
			{false, l.redirected(302, "example.com", "other.test"), []string{ada, "-"}},
			{false, l.at("eve@example.com", "/"), []string{stranger}},
			{false, l.at("localhost", "/"), []string{"-"}},
			{true, l.at("localhost", "/"), []string{byDefault}},
			{true, l.at("sub.example.com", "/"), []string{"-"}},
		} {
			s.Policy.NetrcDefault = c.defaults
			if _, err := l.send(t.Context(), s, "GET", c.url, nil, nil); err != nil {
				t.Fatal(c.url, err)
			}
			l.want(t, "Authorization", l.site.took(), c.want...)
		}
	})
}

// TestRule16Lanes: each setting of a connection has connections of its own, and a request that
// does not trust a server is not sent over one that another request trusted.
func TestRule16Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		var edit func(*requests.ConnConfig)
		s := l.session(t, requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
			if edit != nil {
				edit(c)
			}
			return nil
		}))
		trusted := s.Verify
		settings := map[string]func(){
			"as it is": func() {},
			"address":  func() { edit = func(c *requests.ConnConfig) { c.LocalAddr = netip.MustParseAddrPort("127.0.0.1:0") } },
		}
		if l.hop != "direct" {
			settings["the proxy's user"] = func() { s.Proxies = l.proxies("ada:" + secret + "@") }
			settings["another password"] = func() { s.Proxies = l.proxies("ada:other@") }
		}
		if l.hasTLS() {
			settings["no check"] = func() { s.Verify = requests.Verify(false) }
			settings["more authorities"] = func() {
				s.Verify = requests.CABundlePEM(append(wiretest.TestCA().PEM(), wiretest.OtherCA().PEM()...))
			}
		}
		if l.scheme == "https" {
			settings["certificate"] = func() { s.Cert = requests.CertPEM(wiretest.PEM(wiretest.TestCA().Client("ada"))) }
			settings["version"] = func() { edit = func(c *requests.ConnConfig) { c.TLS.MinVersion = tls.VersionTLS13 } }
			settings["SNI"] = func() { edit = func(c *requests.ConnConfig) { c.TLS.ServerName = "localhost" } }
		}
		for name, set := range settings {
			s.Verify, s.Cert, s.Proxies, edit = trusted, requests.Certificate{}, l.proxies(""), nil
			set()
			var opened []int
			for range 2 {
				before := l.connections()
				if _, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil); err != nil {
					t.Fatal(name, err)
				}
				opened = append(opened, l.connections()-before)
			}
			if diff := cmp.Diff([]int{1, 0}, opened); diff != "" {
				t.Errorf("%s: connections opened (-want +got)\n%s", name, diff)
			}
		}
		edit, s.Verify = nil, requests.CABundlePEM(wiretest.OtherCA().PEM())
		l.site.forget()
		_, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil)
		if refused := err != nil && len(l.site.took()) == 0; refused != l.hasTLS() {
			t.Errorf("other authorities: %v", err)
		}
	})
}

// TestRule20Lanes: a kept connection that is plain never serves https, nor the other way round.
func TestRule20Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		a, err := s.Adapter(l.at("example.com", "/"))
		if err != nil {
			t.Fatal(err)
		}
		s.Mount("http://", a) // one pool
		s.Mount("https://", a)
		host, other := "example.com:8080", "https"
		if l.scheme == "https" {
			host, other = "example.com:8443", "http"
		}
		if _, err := l.send(t.Context(), s, "GET", l.at(host, "/"), nil, nil); err != nil {
			t.Fatal(err)
		}
		// A server may wait for the end of a line that a handshake does not have.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		text, err := l.send(ctx, s, "GET", other+"://"+host+"/", nil, nil)
		if hops := l.site.took(); len(hops) != 1 || err == nil && text == "ok" {
			t.Errorf("%s was served: %q, %v, %v", other, text, err, hops)
		}
	})
}

// TestRule30Lanes: a final status instead of 100 leaves no connection on which the next
// request would be taken for the body.
func TestRule30Lanes(t *testing.T) {
	body := strings.Repeat("GET /evil HTTP/1.1\r\nHost: example.com\r\n\r\n", 1000)
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		for range 3 {
			_, _ = l.send(t.Context(), s, "POST", l.at("example.com", "/?early"), requests.Headers{{"Expect", "100-continue"}}, body)
			if text, err := l.send(t.Context(), s, "PUT", l.at("example.com", "/"), requests.Headers{{"Expect", "100-continue"}}, "data"); text != "ok" || err != nil {
				t.Errorf("the next request: %q, %v", text, err)
			}
		}
		for _, r := range l.site.took() {
			if diff := cmp.Diff([]string{"PUT", l.at("example.com", "/"), "data"}, []string{r.method, r.at, r.body}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
	})
}

// TestRule32Lanes: with requests of several at once, of which some are sent again, each gets
// the response to its own body.
func TestRule32Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		var n atomic.Int64
		l.site.answering(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if n.Add(1)%5 == 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = w.Write(body)
				return
			}
			fmt.Fprintf(w, "%x", sha256.Sum256(body))
		})
		s := l.session(t, requests.PoolMaxSize(3), requests.Retries(requests.Retry{
			Total: requests.RetryTimes(50), AllowedMethods: []string{"PUT"}, StatusForcelist: []int{503}, RetryBody: true,
		}))
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for i := range 5 {
					body := strings.Repeat(fmt.Sprintf("%d/%d.", worker, i), 1+i*2000)
					got, err := l.send(t.Context(), s, "PUT", l.at("example.com", "/"), nil, body)
					if want := fmt.Sprintf("%x", sha256.Sum256([]byte(body))); got != want || err != nil {
						t.Errorf("%.8s: %.80q, %v, want %s", body, got, err, want)
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestRule41Lanes: what may be a header of a CGI request leads nothing through a proxy.
func TestRule41Lanes(t *testing.T) {
	evil := wiretest.Origin(t)
	t.Setenv("REQUEST_METHOD", "GET")
	t.Setenv("HTTP_PROXY", evil.URL(""))
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		s.TrustEnv = true
		if _, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil); err != nil || len(l.site.took()) != 1 {
			t.Error(err)
		}
	})
	if n := evil.Accepted(); n > 0 {
		t.Errorf("%d connections to HTTP_PROXY", n)
	}
}

// TestRule44Lanes: nobody is trusted but the system's authorities where the program names none.
func TestRule44Lanes(t *testing.T) {
	eachLaneOf(t, lane.hasTLS, func(t *testing.T, l lane) {
		s := l.session(t)
		for _, v := range []requests.Verification{{}, requests.Verify(true)} {
			s.Verify = v
			_, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil)
			_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
			if hops := l.site.took(); len(hops) > 0 || !untrusted {
				t.Errorf("%v: %v, %d requests", v, err, len(hops))
			}
		}
	})
}

// TestRule47Lanes: the session's proxies, or that there is to be none, come before the
// environment's.
func TestRule47Lanes(t *testing.T) {
	environs := wiretest.Origin(t)
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, environs.URL(""))
	}
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		s.TrustEnv = true
		if l.hop == "direct" {
			s.Proxies = requests.Proxies{"all": ""}
		}
		if _, err := l.send(t.Context(), s, "GET", l.redirected(302, "example.com", "other.test"), nil, nil); err != nil || len(l.site.took()) != 2 {
			t.Error(err)
		}
	})
	if n := environs.Accepted(); n > 0 {
		t.Errorf("%d connections to the environment's proxy", n)
	}
}

// TestRule48Lanes: rules 48 and 49: the session's authorities come before the environment's,
// and the environment's before the system's, whichever way a request is sent.
func TestRule48Lanes(t *testing.T) {
	right, wrong := wiretest.File(t, "right.pem", wiretest.TestCA().PEM()), wiretest.File(t, "wrong.pem", wiretest.OtherCA().PEM())
	eachLaneOf(t, lane.hasTLS, func(t *testing.T, l lane) {
		for _, c := range []struct {
			environment string
			session     requests.Verification
			good        bool
		}{
			{right, requests.Verification{}, true},
			{wrong, requests.Verification{}, false},
			{wrong, requests.CABundle(right), true},
			{right, requests.CABundle(wrong), false},
			{wrong, requests.Verify(false), true},
		} {
			t.Setenv("REQUESTS_CA_BUNDLE", c.environment)
			s := l.session(t)
			s.TrustEnv, s.Verify = true, c.session
			_, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil)
			errs := []error{err}
			if l.caller == "Session" {
				errs = append(errs, sendPrepared(t, s, l.at("example.com", "/")))
			}
			for _, err := range errs {
				if (err == nil) != c.good {
					t.Errorf("environment %s, session %v: %v", c.environment, c.session, err)
				}
			}
		}
	})
}

func sendPrepared(t *testing.T, s *requests.Session, url string) error {
	p, err := s.Prepare(&requests.Request{URL: url})
	if err != nil {
		return err
	}
	_, err = s.Send(t.Context(), p, requests.SendOptions{})
	return err
}
