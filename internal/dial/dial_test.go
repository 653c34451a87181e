package dial

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// talk dials, sends a line and returns what comes back, or the phase and error.
func talk(t *testing.T, p *Plan) (string, error) {
	t.Helper()
	c, err := Dial(t.Context(), p)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "hello"); err != nil {
		return "", err
	}
	b := make([]byte, 5)
	_, err = io.ReadFull(c, b)
	return string(b), err
}

func phaseOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Op.String()
	}
	if err != nil {
		return "not a dial error: " + err.Error()
	}
	return ""
}

func TestDirect(t *testing.T) {
	ln := echo(t)
	got, err := talk(t, plan(ln))
	if diff := cmp.Diff("hello", got); diff != "" || err != nil {
		t.Fatalf("(-want +got)\n%s%v", diff, err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no Unix sockets here: ", err)
	}
	serveOn(t, ln, func(c net.Conn) { io.Copy(onlyWriter{c}, onlyReader{c}) })
	nodelay := SocketOption{Level: syscall.IPPROTO_TCP, Name: syscall.TCP_NODELAY, Int: 1}
	got, err := talk(t, &Plan{Network: "unix", Address: path, Host: "ignored", SocketOptions: []SocketOption{nodelay}})
	if diff := cmp.Diff("hello", got); diff != "" || err != nil {
		t.Fatalf("(-want +got)\n%s%v", diff, err)
	}
}

func TestTLSChecks(t *testing.T) {
	leaf := testCA().issue(t, "good.test", "127.0.0.1")
	named := testCA().issue(t, "good.test")
	sum := sha256.Sum256(named.Certificate[0])
	wrong := sha256.Sum256([]byte("another"))
	byIP := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
	byName := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{named}})
	roots := testCA().pool()
	for _, c := range []struct {
		name  string
		ln    net.Listener
		tls   TLS
		phase string
	}{
		{"address in the certificate", byIP, TLS{Roots: roots}, ""},
		{"system roots do not know it", byIP, TLS{}, "TLS"},
		{"given roots replace", byIP, TLS{Roots: otherCA().pool()}, "TLS"},
		{"no verification", byIP, TLS{InsecureSkipVerify: true}, ""},
		{"address not in the certificate", byName, TLS{Roots: roots}, "TLS"},
		{"server name is checked", byName, TLS{Roots: roots, ServerName: "good.test"}, ""},
		{"server name with a dot", byName, TLS{Roots: roots, ServerName: "good.test."}, ""},
		{"server name does not match", byName, TLS{Roots: roots, ServerName: "bad.test"}, "TLS"},
		{"name apart from SNI", byName, TLS{Roots: roots, ServerName: "sni.test", VerifyName: "good.test"}, ""},
		{"wrong name apart from SNI", byName, TLS{Roots: roots, ServerName: "good.test", VerifyName: "bad.test"}, "TLS"},
		{"host header with a port never matches", byName, TLS{Roots: roots, VerifyName: "good.test:443"}, "TLS"},
		{"name skipped", byName, TLS{Roots: roots, SkipName: true}, ""},
		{"name skipped, chain not", byName, TLS{Roots: otherCA().pool(), SkipName: true}, "TLS"},
		{"fingerprint replaces the name", byName, TLS{Roots: roots, Fingerprint: sum[:]}, ""},
		{"fingerprint does not replace the chain", byName, TLS{Roots: otherCA().pool(), Fingerprint: sum[:]}, "TLS"},
		{"fingerprint, no verification", byName, TLS{InsecureSkipVerify: true, Fingerprint: sum[:]}, ""},
		{"wrong fingerprint", byName, TLS{Roots: roots, ServerName: "good.test", Fingerprint: wrong[:]}, "TLS"},
		{"wrong fingerprint, no verification", byName, TLS{InsecureSkipVerify: true, Fingerprint: wrong[:]}, "TLS"},
		{"empty fingerprint is none", byName, TLS{Roots: roots, Fingerprint: []byte{}}, "TLS"},
		{"fingerprint of no known length", byName, TLS{InsecureSkipVerify: true, Fingerprint: []byte{1}}, "TLS"},
		{"version", byIP, TLS{Roots: roots, MaxVersion: tls.VersionTLS12}, ""},
		{"version refused", byIP, TLS{Roots: roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, "TLS"},
		{"impossible versions", byIP, TLS{Roots: roots, MaxVersion: tls.VersionTLS11}, "TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan(c.ln)
			p.TLS = &c.tls
			_, err := talk(t, p)
			if diff := cmp.Diff(c.phase, phaseOf(err)); diff != "" {
				t.Errorf("(-want +got)\n%s%v", diff, err)
			}
			var e *Error
			if errors.As(err, &e) && !e.SecurityFault() {
				t.Errorf("not a security fault: %v", err)
			}
		})
	}
}

func TestVerificationErrorIsReachable(t *testing.T) {
	ln := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "good.test")}})
	p := plan(ln)
	p.TLS = &TLS{Roots: testCA().pool()}
	_, err := talk(t, p)
	var verification *tls.CertificateVerificationError
	var host x509.HostnameError
	if !errors.As(err, &verification) || !errors.As(err, &host) {
		t.Fatalf("causes hidden: %#v", err)
	}
}

func TestAddressReplacesHostForTheSocketOnly(t *testing.T) {
	ln := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "good.test")}})
	for _, address := range []string{"127.0.0.1", ln.Addr().String(), "localhost"} {
		p := &Plan{Host: "good.test", Port: portOf(ln), Address: address, TLS: &TLS{Roots: testCA().pool()}}
		got, err := talk(t, p)
		if diff := cmp.Diff("hello", got); diff != "" || err != nil {
			t.Errorf("%s: (-want +got)\n%s%v", address, diff, err)
		}
	}
}

func TestALPN(t *testing.T) {
	cert := testCA().issue(t, "127.0.0.1")
	ln := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}})
	p := plan(ln)
	p.TLS = &TLS{Roots: testCA().pool(), NextProtos: []string{"h2", "http/1.1"}}
	c, err := Dial(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if diff := cmp.Diff("h2", c.Protocol()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(c.ConnectionState().VerifiedChains) != 1 {
		t.Error("no verified chain")
	}
}

func TestCancelEndsEveryWait(t *testing.T) {
	waits := make(chan struct{}, 1) // filled once Dial is in the phase that is to end
	silent := serve(t, func(c net.Conn) {
		c.Read(make([]byte, 1)) // the client's hello
		waits <- struct{}{}
		io.Copy(io.Discard, c)
	})
	blocked := &Plan{Host: "name.test", Port: 80, Resolver: resolverFunc(func(ctx context.Context, _ string) ([]string, error) {
		waits <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})}
	secured := plan(silent)
	secured.TLS = &TLS{}
	for phase, p := range map[string]*Plan{"resolve": blocked, "TLS": secured} {
		t.Run(phase, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-waits
				cancel()
			}()
			if _, err := Dial(ctx, p); !errors.Is(err, context.Canceled) || phaseOf(err) != phase {
				t.Fatal(err)
			}
		})
	}
}

func TestTimeouts(t *testing.T) {
	silent := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	blocked := resolverFunc(func(ctx context.Context, _ string) ([]string, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	secured := func(p Plan) *Plan {
		p.Host, p.Port, p.TLS = "127.0.0.1", portOf(silent), &TLS{}
		p.Dial = func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("tcp", silent.Addr().String())
		}
		return &p
	}
	const short = 30 * time.Millisecond
	for name, c := range map[string]struct {
		plan  *Plan
		whole time.Duration
	}{
		"resolve":          {&Plan{Host: "name.test", Port: 80, Resolver: blocked, ConnectTimeout: short}, 0},
		"resolve deadline": {&Plan{Host: "name.test", Port: 80, Resolver: blocked}, short},
		"TLS read":         {secured(Plan{ReadTimeout: short, ConnectTimeout: time.Minute}), 0},
		"TLS connect":      {secured(Plan{ConnectTimeout: short}), 0},
		"TLS deadline":     {secured(Plan{ReadTimeout: time.Minute}), 5 * short},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			p := c.plan
			if c.whole > 0 {
				p.Deadline = begin.Add(c.whole)
			}
			_, err := Dial(t.Context(), p)
			var e *Error
			if !errors.As(err, &e) || !e.Timeout() || e.SecurityFault() || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("not a timeout: %v", err)
			}
			if d := time.Since(begin); d > 30*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestWrongProtocol(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n": "the server speaks plain HTTP on this port: first record does not look like a TLS handshake",
		"\x00\x01\x02garbage":              "the server does not speak TLS on this port: first record does not look like a TLS handshake",
	} {
		ln := serve(t, func(c net.Conn) {
			c.Read(make([]byte, 4096))
			io.WriteString(c, answer)
			io.Copy(io.Discard, c)
		})
		p := plan(ln)
		p.TLS = &TLS{InsecureSkipVerify: true}
		_, err := Dial(t.Context(), p)
		if diff := cmp.Diff("handshake with "+p.origin()+": "+want, err.Error()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestConnectErrors(t *testing.T) {
	closed := serve(t, func(net.Conn) {})
	port := portOf(closed)
	closed.Close()
	for _, c := range []struct {
		plan  Plan
		phase string
		cause error
	}{
		{Plan{Host: "127.0.0.1", Port: port}, "connect", syscall.ECONNREFUSED},
		{Plan{Host: "127.0.0.1", Port: 70000}, "connect", nil},
		{Plan{Host: "", Port: port}, "resolve", nil},
		{Plan{Host: "a..b", Port: port}, "resolve", nil},
		{Plan{Host: "a\r\nX: y", Port: port}, "resolve", nil},
		{Plan{Host: "nowhere.test", Port: port, Resolver: table{}}, "resolve", nil},
	} {
		_, err := Dial(t.Context(), &c.plan)
		if diff := cmp.Diff(c.phase, phaseOf(err)); diff != "" || c.cause != nil && !errors.Is(err, c.cause) {
			t.Errorf("%q (-want +got)\n%s%v", c.plan.Host, diff, err)
		}
	}
}

// onlyReader hides the WriterTo of a connection from io.Copy.
type onlyReader struct{ io.Reader }
