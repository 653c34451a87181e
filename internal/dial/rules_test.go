package dial

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRule05 keeps the proxy's credentials from the origin behind it.
func TestRule05(t *testing.T) {
	heard := make(chan string, 1)
	origin := serve(t, func(c net.Conn) {
		line, _ := bufio.NewReader(c).ReadString('\n')
		heard <- line
		io.WriteString(c, line)
	})
	for name, hop := range hops(t, testCA().pool()) {
		p, check := hop(t, origin)
		c, err := Dial(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		io.WriteString(c, "mine\n")
		if diff := cmp.Diff("mine\n", <-heard); diff != "" {
			t.Errorf("%s: the origin heard (-want +got)\n%s", name, diff)
		}
		c.Close()
		check(t)
	}
}

// TestRule06 shows each proxy its own credentials only, in whatever order plans are used.
func TestRule06(t *testing.T) {
	origin := echo(t)
	var a, b wire
	plans := []*Plan{}
	for i, w := range []*wire{&a, &b} {
		port := portOf(connectProxy(t, origin, nil, w))
		header := [][2]string{{"Proxy-Authorization", string(rune('A' + i))}}
		plans = append(plans, &Plan{Host: "good.test", Port: 443, Proxy: &Proxy{Scheme: "http", Host: "127.0.0.1", Port: port, Tunnel: true, Header: header}})
	}
	bare := *plans[1]
	bare.Proxy = &Proxy{Scheme: "http", Host: "127.0.0.1", Port: plans[1].Proxy.Port, Tunnel: true}
	for _, p := range []*Plan{plans[0], plans[1], &bare, plans[0]} {
		if _, err := talk(t, p); err != nil {
			t.Fatal(err)
		}
	}
	const connect = "CONNECT good.test:443 auth="
	want := [2]string{connect + "A\n" + connect + "A", connect + "B\n" + connect}
	if diff := cmp.Diff(want, [2]string{a.all(), b.all()}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRule17 resumes sessions, and checks the certificate again where it does: a session made without
// verification serves nobody who verifies, even if a cache were shared by mistake.
func TestRule17(t *testing.T) {
	cert := testCA().issue(t, "good.test")
	sum := sha256.Sum256(cert.Certificate[0])
	ln := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	shared := tls.NewLRUClientSessionCache(4)
	wrong := sha256.Sum256(nil)
	for _, c := range []struct {
		name    string
		tls     TLS
		resumed bool
		phase   string
	}{
		{"first", TLS{InsecureSkipVerify: true}, false, ""},
		{"again", TLS{InsecureSkipVerify: true}, true, ""},
		{"verified", TLS{Roots: testCA().pool()}, true, ""},
		{"verified, fingerprint", TLS{Roots: testCA().pool(), Fingerprint: sum[:]}, true, ""},
		{"other roots", TLS{Roots: otherCA().pool()}, true, "TLS"},
		{"other name", TLS{Roots: testCA().pool(), VerifyName: "bad.test"}, true, "TLS"},
		{"other fingerprint", TLS{InsecureSkipVerify: true, Fingerprint: wrong[:]}, true, "TLS"},
	} {
		p := plan(ln)
		c.tls.ServerName, c.tls.SessionCache, p.TLS = "good.test", shared, &c.tls
		conn, err := Dial(t.Context(), p)
		if diff := cmp.Diff(c.phase, phaseOf(err)); diff != "" {
			t.Fatalf("%s (-want +got)\n%s%v", c.name, diff, err)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(c.resumed, conn.TLS.DidResume); diff != "" {
			t.Errorf("%s: resumed (-want +got)\n%s", c.name, diff)
		}
		io.WriteString(conn, "x")
		io.ReadFull(conn, make([]byte, 1)) // takes the tickets in
		conn.Close()
	}
}

// TestRule24 leaves the zone of an address out of every name that others read.
func TestRule24(t *testing.T) {
	s := &script{replies: [][]byte{[]byte("HTTP/1.1 200 OK\r\n\r\n")}}
	if _, err := Tunnel(s, "fe80::1%eth0", 443, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("CONNECT [fe80::1]:443 HTTP/1.1\r\nHost: [fe80::1]:443\r\n\r\n", string(s.sent[0])); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for in, want := range map[string]string{"fe80::1%25.example.com": "fe80::1", "[::1%lo]": "::1", "::1": "::1", "good.test.": "good.test"} {
		if diff := cmp.Diff(want, tlsName(in)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", in, diff)
		}
	}
}

// TestRule25 connects to the host that was named: text that others read as an address is a name here.
func TestRule25(t *testing.T) {
	ln := echo(t)
	for _, host := range []string{"0x7f.1", "127.1", "2130706433", "0177.0.0.1", "127.0.0.1:80", "127.0.0.1 ", "[127.0.0.1"} {
		_, err := Dial(t.Context(), &Plan{Host: host, Port: portOf(ln), Resolver: table{}})
		if diff := cmp.Diff("resolve", phaseOf(err)); diff != "" {
			t.Errorf("%s (-want +got)\n%s%v", host, diff, err)
		}
	}
}

// TestServerNameIndication sends names without their dot, and never an address (RFC 6066 3).
func TestServerNameIndication(t *testing.T) {
	names := make(chan string, 1)
	cert := testCA().issue(t, "good.test")
	ln := echoTLS(t, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		names <- h.ServerName
		return &tls.Config{Certificates: []tls.Certificate{cert}}, nil
	}})
	for _, c := range [][3]string{
		{"good.test", "", "good.test"}, {"good.test.", "", "good.test"}, {"127.0.0.1", "", ""}, {"::1", "", ""},
		{"good.test", "other.test", "other.test"}, {"127.0.0.1", "other.test", "other.test"}, {"fe80::1%eth0", "", ""},
	} {
		p := &Plan{Host: c[0], Port: portOf(ln), Address: "127.0.0.1", TLS: &TLS{ServerName: c[1], InsecureSkipVerify: true}}
		if _, err := talk(t, p); err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if diff := cmp.Diff(c[2], <-names); diff != "" {
			t.Errorf("%v (-want +got)\n%s", c, diff)
		}
	}
}

// TestErrorsKeepSecrets looks for every secret of a plan in the texts of its failures.
func TestErrorsKeepSecrets(t *testing.T) {
	refuses := refuser(t, "HTTP/1.1 407 No\r\nX-Echo: swordfish\r\n\r\nswordfish")
	for _, scheme := range []string{"http", "https", "socks4", "socks5h"} {
		p := &Plan{Host: "10.0.0.1", Port: 443, ReadTimeout: 2 * time.Second, Proxy: &Proxy{Scheme: scheme, Host: "127.0.0.1",
			Port: portOf(refuses), Tunnel: true, User: "swordfish", Password: "swordfish", Header: [][2]string{{"Proxy-Authorization", "swordfish"}}}}
		_, err := Dial(t.Context(), p)
		if err == nil || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: %v", scheme, err)
		}
		p.Proxy.Header[0][1] = "swordfish\r\n"
		if _, err = Dial(t.Context(), p); err == nil || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: %v", scheme, err)
		}
	}
	var e *Error
	_, err := Dial(t.Context(), &Plan{Host: "swordfish\r\nX", Port: 80})
	if !errors.As(err, &e) || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("control characters in %q", err)
	}
}
