package dial

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"
)

// idle dials a server whose side of the connection the test holds.
func idle(t *testing.T, cfg *tls.Config, p func(net.Listener) *Plan) (client *Conn, server net.Conn) {
	t.Helper()
	accepted := make(chan net.Conn, 1)
	release := make(chan struct{})
	ln := serve(t, func(c net.Conn) {
		if cfg != nil {
			s := tls.Server(c, cfg)
			s.Handshake()
			c = s
		}
		accepted <- c
		<-release
	})
	t.Cleanup(func() { close(release) })
	client, err := Dial(t.Context(), p(ln))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server = <-accepted
	// One exchange, so that session tickets are read.
	io.WriteString(server, "x")
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// eventuallyDead waits for what the server did to arrive.
func eventuallyDead(c net.Conn) bool {
	for range 20_000 {
		if !Alive(c) {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

func TestAlive(t *testing.T) {
	secured := &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "127.0.0.1")}}
	overTLS := func(ln net.Listener) *Plan {
		p := plan(ln)
		p.TLS = &TLS{Roots: testCA().pool()}
		return p
	}
	for name, setup := range map[string]func() (*Conn, net.Conn){
		"plain": func() (*Conn, net.Conn) { return idle(t, nil, plan) },
		"TLS":   func() (*Conn, net.Conn) { return idle(t, secured, overTLS) },
	} {
		for what, disturb := range map[string]func(net.Conn){
			"closed":         func(c net.Conn) { c.Close() },
			"unasked bytes":  func(c net.Conn) { io.WriteString(c, "HTTP/1.1 408 Too late\r\n\r\n") },
			"half closed":    func(c net.Conn) { c.(interface{ CloseWrite() error }).CloseWrite() },
			"closed beneath": func(c net.Conn) { beneath(c).Close() },
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				client, server := setup()
				for range 3 {
					if !Alive(client) || !Alive(client.Conn) {
						t.Fatal("dead before anything happened")
					}
				}
				io.WriteString(server, "y")
				if b := make([]byte, 1); mustRead(t, client, b) != "y" {
					t.Fatal("the check disturbed the connection")
				}
				disturb(server)
				if !eventuallyDead(client) {
					t.Error("still alive")
				}
			})
		}
	}
}

func mustRead(t *testing.T, r io.Reader, b []byte) string {
	t.Helper()
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func beneath(c net.Conn) net.Conn {
	if s, ok := c.(*tls.Conn); ok {
		return s.NetConn()
	}
	return c
}

func TestAliveSeesWhatTLSHasBuffered(t *testing.T) {
	secured := &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "127.0.0.1")}}
	client, server := idle(t, secured, func(ln net.Listener) *Plan {
		p := plan(ln)
		p.TLS = &TLS{Roots: testCA().pool()}
		return p
	})
	io.WriteString(server, "answer and more")
	mustRead(t, client, make([]byte, len("answer")))
	if Alive(client) {
		t.Error("the rest of the record was not seen")
	}
}

func TestAliveWithoutPeek(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	for range 2 {
		if !Alive(client) {
			t.Error("dead before anything happened")
		}
	}
	server.Close()
	if Alive(client) {
		t.Error("still alive")
	}
}

func TestAliveOnClosed(t *testing.T) {
	c, err := Dial(t.Context(), plan(echo(t)))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if Alive(c) {
		t.Error("still alive")
	}
}

func BenchmarkAlive(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	c, err := Dial(context.Background(), plan(ln))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if !Alive(c) {
			b.Fatal("dead")
		}
	}
}
