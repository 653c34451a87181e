package http3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/http3"
	"github.com/mountable/requests/internal/wiretest"
)

// origin is a server over TCP that sends the Alt-Svc fields it is given, and shows what it has got.
func origin(t *testing.T, says func() string) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if field := says(); field != "" {
			w.Header().Set("Alt-Svc", field)
		}
		echo(w, r)
	}))
	server.TLS = wiretest.TestCA().Server()
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s%v", r.Proto, body, err)
}

// upgrading is a session whose requests are upgraded.
func upgrading(t *testing.T, options ...requests.AdapterOption) *requests.Session {
	t.Helper()
	s := requests.NewSession()
	s.TrustEnv, s.Verify = false, requests.CABundlePEM(wiretest.TestCA().PEM())
	h3 := opened(t, options...)
	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(), http3.Upgrade(h3)))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func port(url string) string { return url[strings.LastIndexByte(url, ':'):] }

// TestUpgrade: a server is spoken to over HTTP/3 once it has said so, until it takes that back.
func TestUpgrade(t *testing.T) {
	says := ""
	quic := served(t, wiretest.TestCA().Server(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/clear" {
			w.Header().Set("Alt-Svc", "clear")
		}
		if r.URL.Path == "/misdirected" {
			w.WriteHeader(421)
		}
		echo(w, r)
	}))
	here := fmt.Sprintf("h2=\":1\", h3=%q; ma=60", port(quic))
	url := origin(t, func() string { return says })
	s := upgrading(t)
	var got []string
	for _, step := range []struct{ says, path string }{
		{"", "/"}, {"", "/"}, {here, "/"}, {"", "/"}, {"", "/clear"}, {here, "/"}, {"", "/misdirected"}, {"", "/"},
		{fmt.Sprintf("h3=%q; ma=0", port(quic)), "/"}, {here, "/"}, {"", "/"},
	} {
		says = step.says
		r, err := s.Post(t.Context(), url+step.path, requests.Body("body"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Text()
		got = append(got, fmt.Sprint(r.StatusCode, " ", text, " ", err))
	}
	tcp, udp := "200 HTTP/1.1 body<nil> <nil>", "200 HTTP/3.0 body<nil> <nil>"
	if diff := cmp.Diff([]string{tcp, tcp, tcp, udp, udp, tcp, tcp, tcp, tcp, tcp, udp}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUpgradeFallsBack: where there is no HTTP/3 after all, everything goes as before, and whole.
func TestUpgradeFallsBack(t *testing.T) {
	ca := wiretest.TestCA()
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	reached := http.HandlerFunc(echo)
	good := port(served(t, ca.Server(), reached))
	for name, c := range map[string]struct {
		port   string
		verify bool
		option requests.AdapterOption
	}{
		"nobody answers":                  {port("udp://" + silent.LocalAddr().String()), true, nil},
		"the certificate of another host": {port(served(t, ca.WrongHost(), reached)), true, nil},
		"a guard denies the address":      {good, true, adapters.DenyPrivate()},
		"nothing is verified":             {good, false, nil},
	} {
		url := origin(t, func() string { return fmt.Sprintf("h3=%q", c.port) })
		s := upgrading(t, c.option)
		if !c.verify {
			s.Verify = requests.Verify(false)
		}
		for range 3 {
			began := time.Now()
			r, err := s.Post(t.Context(), url, requests.Body(io.MultiReader(strings.NewReader("once"))), requests.Timeouts{Connect: 10 * time.Second})
			if err != nil {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
				continue
			}
			if text, err := r.Text(); text != "HTTP/1.1 once<nil>" || err != nil {
				t.Errorf("%s: %q, %v", name, text, err)
			}
		}
	}
}

// TestUpgradeApart: what a call has learned counts for calls that verify and prove themselves alike.
func TestUpgradeApart(t *testing.T) {
	ca := wiretest.TestCA()
	here := port(served(t, ca.Server(), http.HandlerFunc(echo)))
	url := origin(t, func() string { return fmt.Sprintf("h3=%q", here) })
	s := upgrading(t)
	own := requests.CertTLS(ca.Client("ada"))
	var got []string
	for _, call := range []struct {
		name   string
		option requests.Option
	}{
		{"nothing verified", requests.Verify(false)}, {"nothing verified again", requests.Verify(false)},
		{"verified", nil}, {"verified again", nil}, {"nothing verified after that", requests.Verify(false)},
		{"a certificate", own}, {"the same", own}, {"another authority", requests.CABundlePEM(wiretest.NewCA("another").PEM())}, {"verified at last", nil},
	} {
		r, err := s.Get(t.Context(), url, requests.JoinOptions(call.option))
		if err != nil {
			got = append(got, call.name+": an error")
			continue
		}
		got = append(got, call.name+": "+r.Proto)
	}
	want := []string{
		"nothing verified: HTTP/1.1", "nothing verified again: HTTP/1.1", "verified: HTTP/1.1", "verified again: HTTP/3.0",
		"nothing verified after that: HTTP/1.1", "a certificate: HTTP/1.1", "the same: HTTP/3.0", "another authority: an error", "verified at last: HTTP/3.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUpgradeOfAnotherName: a certificate that the other adapter takes, for a name that is not the
// origin's, does not speak for the origin.
func TestUpgradeOfAnotherName(t *testing.T) {
	ca := wiretest.TestCA()
	here := port(served(t, ca.Server(), http.HandlerFunc(echo)))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Alt-Svc", fmt.Sprintf("h3=%q", here))
		echo(w, r)
	}))
	server.TLS = ca.WrongHost()
	server.StartTLS()
	t.Cleanup(server.Close)
	s := requests.NewSession()
	s.TrustEnv, s.Verify = false, requests.CABundlePEM(ca.PEM())
	lenient := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.TLS.VerifyName = "wrong.test"
		return nil
	})
	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(lenient), http3.Upgrade(opened(t))))
	t.Cleanup(func() { _ = s.Close() })
	for range 2 {
		if r, err := s.Get(t.Context(), server.URL); err != nil || r.Proto != "HTTP/1.1" {
			t.Errorf("%v, %v", r, err)
		}
	}
}

// TestUpgradeToIPv6: an alternative by its address, with the origin's certificate.
func TestUpgradeToIPv6(t *testing.T) {
	socket, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		t.Skip("this machine has no IPv6: ", err)
	}
	there := servedOn(t, socket, wiretest.TestCA().Server(), http.HandlerFunc(echo))
	url := origin(t, func() string { return fmt.Sprintf("h3=%q", strings.TrimPrefix(there, "https://")) })
	s := upgrading(t)
	var got []string
	for range 2 {
		r, err := s.Get(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Proto)
	}
	if diff := cmp.Diff([]string{"HTTP/1.1", "HTTP/3.0"}, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", there, diff)
	}
}

// TestUpgradeWithinGuards: a server cannot lead requests to a port or a host that guards would refuse in a URL.
func TestUpgradeWithinGuards(t *testing.T) {
	quic := served(t, wiretest.TestCA().Server(), http.HandlerFunc(echo))
	host := ""
	url := origin(t, func() string { return fmt.Sprintf("h3=%q; ma=60", host+port(quic)) })
	own, other := number(t, url), number(t, quic)
	for name, c := range map[string]struct {
		host   string
		option requests.AdapterOption
		want   string
	}{
		"another port":              {"", adapters.AllowPorts(own), "HTTP/1.1"},
		"an allowed port":           {"", adapters.AllowPorts(own, other), "HTTP/3.0"},
		"another host":              {"localhost", adapters.AllowHosts("127.0.0.1"), "HTTP/1.1"},
		"an allowed host":           {"localhost", adapters.AllowHosts("127.0.0.1", "localhost"), "HTTP/3.0"},
		"a port, and its own check": {"", adapters.HTTPSOnly(), "HTTP/3.0"},
	} {
		host = c.host
		s := upgrading(t, c.option)
		got := ""
		for range 2 {
			r, err := s.Get(t.Context(), url+"/")
			if err != nil {
				t.Fatal(err)
			}
			got = r.Proto
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// number is the port of a URL.
func number(t *testing.T, url string) int {
	t.Helper()
	n, err := strconv.Atoi(port(url)[1:])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestUpgradeArguments: the wrapper needs an adapter, and hands on what HTTP/3 has no meaning for.
func TestUpgradeArguments(t *testing.T) {
	sent := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 204, nil, nil), nil
	})
	if _, err := http3.Upgrade(nil)(sent).Send(t.Context(), prepared(t, "GET", "https://h.test/"), requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("nil: %v", err)
	}
	for name, opts := range map[string]requests.SendOptions{"": {}, "through a proxy": {Proxies: requests.Proxies{"https": "http://127.0.0.1:1"}}} {
		for _, url := range []string{"http://h.test/", "https://h.test/"} {
			if r, err := http3.Upgrade(opened(t))(sent).Send(t.Context(), prepared(t, "GET", url), opts); err != nil || r.StatusCode != 204 {
				t.Errorf("%s %s: %v, %v", url, name, r, err)
			}
		}
	}
}
