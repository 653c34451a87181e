package dial

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wire notes what a proxy was told.
type wire struct {
	mu    sync.Mutex
	notes []string
}

func (w *wire) note(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, s)
}

func (w *wire) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.notes, "\n")
}

// connectProxy serves CONNECT, always to the given origin, over TLS where cfg is not nil.
func connectProxy(t *testing.T, origin net.Listener, cfg *tls.Config, w *wire) net.Listener {
	return serve(t, func(c net.Conn) {
		if cfg != nil {
			c = tls.Server(c, cfg)
		}
		in := bufio.NewReader(c)
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		w.note(req.Method + " " + req.RequestURI + " auth=" + req.Header.Get("Proxy-Authorization"))
		io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		relay(c, in, origin)
	})
}

// socksProxy serves SOCKS 5 with optional credentials, always to the given origin.
func socksProxy(t *testing.T, origin net.Listener, w *wire) net.Listener {
	return serve(t, func(c net.Conn) {
		if err := acceptSocks5(c, w); err == nil {
			relay(c, c, origin)
		}
	})
}

func acceptSocks5(c net.Conn, w *wire) error {
	b := make([]byte, 512)
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return err
	}
	io.ReadFull(c, b[2:2+b[1]])
	c.Write([]byte{5, 0})
	io.ReadFull(c, b[:5])
	var host string
	switch b[3] {
	case addressIPv4:
		io.ReadFull(c, b[5:8])
		host = net.IP(b[4:8]).String()
	case addressName:
		n := int(b[4])
		io.ReadFull(c, b[:n])
		host = string(b[:n])
	}
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return err
	}
	w.note(fmt.Sprintf("socks %s %d", host, binary.BigEndian.Uint16(b)))
	_, err := c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return err
}

func relay(c net.Conn, in io.Reader, origin net.Listener) {
	o, err := net.Dial("tcp", origin.Addr().String())
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(o, in)
		o.Close()
	}()
	io.Copy(onlyWriter{c}, onlyReader{o})
	c.Close()
	<-done
}

// TestMatrix runs every check of the origin over every way to reach it.
func TestMatrix(t *testing.T) {
	leaf := testCA().issue(t, "good.test")
	client := testCA().issue(t, "client")
	sum, wrong := sha256.Sum256(leaf.Certificate[0]), sha256.Sum256(nil)
	roots := testCA().pool()
	origin := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
	strict := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{leaf}, MaxVersion: tls.VersionTLS12,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots})
	checks := []struct {
		name   string
		origin net.Listener
		tls    TLS
		phase  string
	}{
		{"verified", origin, TLS{Roots: roots}, ""},
		{"unknown authority", origin, TLS{Roots: otherCA().pool()}, "TLS"},
		{"not verified", origin, TLS{InsecureSkipVerify: true}, ""},
		{"wrong name", origin, TLS{Roots: roots, VerifyName: "bad.test"}, "TLS"},
		{"fingerprint", origin, TLS{Roots: roots, VerifyName: "bad.test", Fingerprint: sum[:]}, ""},
		{"fingerprint, unknown authority", origin, TLS{Roots: otherCA().pool(), Fingerprint: sum[:]}, "TLS"},
		{"wrong fingerprint", origin, TLS{InsecureSkipVerify: true, Fingerprint: wrong[:]}, "TLS"},
		{"client certificate", strict, TLS{Roots: roots, Certificates: []tls.Certificate{client}}, ""},
		{"client certificate missing", strict, TLS{Roots: roots}, "TLS"},
	}
	for name, hop := range hops(t, roots) {
		for _, c := range checks {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				p, want := hop(t, c.origin)
				p.TLS = &c.tls
				_, err := talk(t, p)
				if diff := cmp.Diff(c.phase, phaseOf(err)); diff != "" {
					t.Errorf("(-want +got)\n%s%v", diff, err)
				}
				want(t)
			})
		}
	}
}

// refuser answers the first request with a fixed reply.
func refuser(t *testing.T, reply string) net.Listener {
	return serve(t, func(c net.Conn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, reply)
		io.Copy(io.Discard, c)
	})
}

func viaHTTP(ln net.Listener) *Plan {
	return &Plan{Host: "good.test", Port: 443, ReadTimeout: 3 * time.Second,
		Proxy: &Proxy{Scheme: "http", Host: "127.0.0.1", Port: portOf(ln), Tunnel: true}}
}

func TestTunnelRefused(t *testing.T) {
	const chunked = "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
	for _, c := range []struct {
		reply string
		text  string
		want  ProxyReply
	}{
		{"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=p\r\nContent-Length: 2\r\n\r\nno",
			"Tunnel connection failed: 407 Proxy Authentication Required",
			ProxyReply{407, "Proxy Authentication Required", [][2]string{{"Proxy-Authenticate", "Basic realm=p"}, {"Content-Length", "2"}}, []byte("no")}},
		{"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\nxy", "Tunnel connection failed: 302 Found",
			ProxyReply{302, "Found", [][2]string{{"Location", "/"}}, []byte("xy")}},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "Tunnel connection failed: 403 No",
			ProxyReply{403, "No", [][2]string{{"Content-Length", "0"}}, nil}},
		{"HTTP/1.0 502\r\n\r\n", "Tunnel connection failed: 502", ProxyReply{Status: 502, Body: []byte{}}},
		{chunked, "Tunnel connection failed: 503 No", ProxyReply{503, "No", [][2]string{{"Transfer-Encoding", "chunked"}}, []byte("no")}},
	} {
		_, err := Dial(t.Context(), viaHTTP(refuser(t, c.reply)))
		var e *Error
		if !errors.As(err, &e) || e.Op != PhaseTunnel || e.Reply == nil {
			t.Fatalf("%q: %v", c.reply, err)
		}
		if diff := cmp.Diff(c.want, *e.Reply, cmp.Transformer("body", func(b []byte) string { return string(b) })); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.reply, diff)
		}
		if diff := cmp.Diff("proxy tunnel good.test:443: "+c.text, err.Error()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestTunnelOpened: interim responses are skipped, and any 2xx opens the tunnel, wherever what the proxy sends is cut.
func TestTunnelOpened(t *testing.T) {
	const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 299\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		for _, reply := range []string{head, interim + head, "HTTP/1.1 199 x\r\n\r\n" + head} {
			for cut := range len(reply) {
				rest := &script{replies: [][]byte{[]byte(reply[:cut])}}
				rw := struct {
					io.Reader
					io.Writer
				}{io.MultiReader(rest, strings.NewReader(reply[cut:])), rest}
				if refused, err := Tunnel(rw, "a.test", 443, nil); refused != nil || err != nil {
					t.Fatalf("%q cut at %d: %v, %v", reply, cut, refused, err)
				}
			}
		}
	}
}

func TestTunnelRepliesThatAreErrors(t *testing.T) {
	for name, reply := range map[string]string{
		"bytes after the head":  "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"a body after the head": "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx",
		"another protocol":      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"endless interim":       strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 2000),
		"garbage":               "garbage\r\n\r\n",
		"endless head":          "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 70<<10),
		"many fields":           "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: a\r\n", 300) + "\r\n",
	} {
		_, err := Dial(t.Context(), viaHTTP(refuser(t, reply)))
		var e *Error
		if !errors.As(err, &e) || e.Op != PhaseTunnel || e.Timeout() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTunnelBounds: a proxy's head has 64 KiB and 200 fields at most.
func TestTunnelBounds(t *testing.T) {
	const head, field, end = "HTTP/1.1 200 OK\r\n", "X: \r\n", "\r\n"
	for _, b := range []struct {
		name  string
		most  int
		reply func(n int) string
	}{
		{"bytes", 64 << 10, func(n int) string {
			return head + "X: " + strings.Repeat("a", n-len(head+field+end)) + "\r\n" + end
		}},
		{"fields", 200, func(n int) string { return head + strings.Repeat(field, n) + end }},
	} {
		for _, n := range []int{b.most - 1, b.most, b.most + 1} {
			if _, err := Tunnel(&script{replies: [][]byte{[]byte(b.reply(n))}}, "a.test", 443, nil); (err == nil) != (n <= b.most) {
				t.Errorf("%s: %d of %d: %v", b.name, n, b.most, err)
			}
		}
	}
}

// TestRule22 keeps control characters out of what is said to a proxy.
func TestRule22(t *testing.T) {
	ln := refuser(t, "HTTP/1.1 200 OK\r\n\r\n")
	for _, scheme := range []string{"http", "socks5h", "socks4a"} {
		for _, host := range []string{"a\r\nX: y", "a b", "a\x00b", "a\tb", ""} {
			p := viaHTTP(ln)
			p.Host, p.Proxy.Scheme = host, scheme
			if _, err := Dial(t.Context(), p); err == nil {
				t.Errorf("%s: host %q passed", scheme, host)
			}
		}
	}
	p := viaHTTP(ln)
	p.Proxy.Header = [][2]string{{"X", "a\r\nY: b"}}
	if _, err := Dial(t.Context(), p); err == nil {
		t.Error("header with a line end passed")
	}
	s := &script{}
	err := Socks(s, &SocksRequest{Scheme: "socks4", Host: "1.2.3.4", Port: 80, User: "a\x00b"})
	if err == nil || len(s.sent) > 0 {
		t.Error("user with NUL passed")
	}
}

// TestRule18 checks the name and the authority of an https proxy, apart from the origin's.
func TestRule18(t *testing.T) {
	origin := echoTLS(t, &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "good.test")}})
	wrongName := &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "other.test")}}
	rightName := &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "127.0.0.1")}}
	for _, c := range []struct {
		name  string
		cfg   *tls.Config
		tls   *TLS
		phase string
	}{
		{"right", rightName, &TLS{Roots: testCA().pool()}, ""},
		{"wrong name", wrongName, &TLS{Roots: testCA().pool()}, "proxy TLS"},
		{"unknown authority", rightName, &TLS{Roots: otherCA().pool()}, "proxy TLS"},
		{"system roots by default", rightName, nil, "proxy TLS"},
		{"not verified", wrongName, &TLS{InsecureSkipVerify: true}, ""},
	} {
		var w wire
		p := &Plan{Host: "good.test", Port: 443, TLS: &TLS{Roots: testCA().pool()},
			Proxy: &Proxy{Scheme: "https", Host: "127.0.0.1", Port: portOf(connectProxy(t, origin, c.cfg, &w)), Tunnel: true, TLS: c.tls,
				Header: [][2]string{{"Proxy-Authorization", "secret"}}}}
		_, err := talk(t, p)
		if diff := cmp.Diff(c.phase, phaseOf(err)); diff != "" {
			t.Errorf("%s (-want +got)\n%s%v", c.name, diff, err)
		}
		if c.phase != "" && w.all() != "" {
			t.Errorf("%s: an unverified proxy heard %q", c.name, w.all())
		}
	}
}

func TestForwardingStopsAtTheProxy(t *testing.T) {
	ln := echo(t)
	p := &Plan{Host: "good.test", Port: 80, Proxy: &Proxy{Scheme: "http", Host: "127.0.0.1", Port: portOf(ln)}}
	got, err := talk(t, p)
	if diff := cmp.Diff("hello", got); diff != "" || err != nil {
		t.Fatalf("(-want +got)\n%s%v", diff, err)
	}
}

func TestProxyUnreachable(t *testing.T) {
	closed := serve(t, func(net.Conn) {})
	closed.Close()
	for _, scheme := range []string{"http", "https", "socks4", "socks4a", "socks5", "socks5h"} {
		p := &Plan{Host: "good.test", Port: 443, Proxy: &Proxy{Scheme: scheme, Host: "127.0.0.1", Port: portOf(closed)}}
		_, err := Dial(t.Context(), p)
		var e *Error
		if phaseOf(err) != "proxy connect" || !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &e) || e.Proxy != scheme {
			t.Errorf("%s: %v", scheme, err)
		}
		p.Proxy.Host, p.Resolver = "proxy.test", table{}
		if _, err := Dial(t.Context(), p); phaseOf(err) != "proxy connect" {
			t.Errorf("%s: %v", scheme, err)
		}
	}
	_, err := Dial(t.Context(), &Plan{Host: "a", Port: 1, Proxy: &Proxy{Scheme: "ftp", Host: "127.0.0.1", Port: portOf(echo(t))}})
	if phaseOf(err) != "proxy connect" {
		t.Errorf("unknown scheme: %v", err)
	}
}

// TestSilentProxy bounds and cancels every handshake with a proxy.
func TestSilentProxy(t *testing.T) {
	silent := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	for scheme, phase := range map[string]Phase{"http": PhaseTunnel, "https": PhaseProxyTLS, "socks4a": PhaseSocks, "socks5h": PhaseSocks} {
		t.Run(scheme, func(t *testing.T) {
			p := viaHTTP(silent)
			p.Proxy.Scheme, p.ReadTimeout = scheme, 30*time.Millisecond
			_, err := Dial(t.Context(), p)
			var e *Error
			if !errors.As(err, &e) || e.Op != phase || !e.Timeout() {
				t.Errorf("time limit: %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			p.ReadTimeout = 0
			if _, err = Dial(ctx, p); !errors.As(err, &e) || e.Op != phase || !errors.Is(err, context.Canceled) {
				t.Errorf("cancel: %v", err)
			}
		})
	}
}
