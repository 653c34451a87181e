// Package wiretest has the other side for tests: servers on real sockets that answer from a script and record every
// byte they were sent, TLS with a certificate authority of its own, a CONNECT proxy, a SOCKS5 server, and a leak check.
//
// Everything listens on 127.0.0.1 with a free port, belongs to one test and is gone when that test ends: no goroutine
// and no socket is left. Only test files may import it.
package wiretest

import (
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests/internal/h1"
)

// Config is a server. The zero value is a plain HTTP origin that answers 200 "ok" for ever.
type Config struct {
	// Replies are sent in order, over all connections; the last one repeats.
	Replies []Reply
	// Handler, if set, decides instead of Replies. It is called by one goroutine for each connection.
	Handler func(*Request) Reply
	// TLS makes it a TLS server: see CA for ready ones.
	TLS *tls.Config
	// Route makes it a proxy for CONNECT, too: it gives the address that stands behind the target. What is then
	// relayed is not recorded. A CONNECT without reply in the script is answered with 200.
	Route func(target string) string
	// Conn, if set, has each connection for itself, before TLS: nothing is read, and it is closed at its return.
	Conn func(net.Conn)
}

// To is a Route to one server, whatever the target.
func To(s *Server) func(string) string { return func(string) string { return s.Addr() } }

// Direct is a Route to the target itself.
func Direct(target string) string { return target }

// Server is a running server. Its methods may be called at any time, by any goroutine.
type Server struct {
	config   Config
	listener net.Listener
	done     chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex
	requests []Request
	conns    []net.Conn // all of them, to be closed
	accepted int        // how many of them came in
	open     int        // and are still open
	talking  int        // how many of them have sent a request
	replied  int        // how many replies of the script were taken
}

// Start runs a server until the test ends.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{config: config, listener: l, done: make(chan struct{})}
	s.running.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// Origin starts a plain HTTP server with these replies.
func Origin(t testing.TB, replies ...Reply) *Server {
	t.Helper()
	return Start(t, Config{Replies: replies})
}

// Close ends the server and all its connections, and waits for them. The end of the test does it as well.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	conns := slices.Clone(s.conns)
	s.mu.Unlock()
	s.listener.Close()
	for _, c := range conns {
		c.Close()
	}
	s.running.Wait()
}

// Addr returns "127.0.0.1:port".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port returns the port.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Host returns the server's port under another name, as "localhost:port".
func (s *Server) Host(name string) string { return net.JoinHostPort(name, strconv.Itoa(s.Port())) }

// URL returns the address of a path: http, or https with TLS.
func (s *Server) URL(path string) string {
	if s.config.TLS != nil {
		return "https://" + s.Addr() + path
	}
	return "http://" + s.Addr() + path
}

// Requests returns the requests so far, in the order in which they were complete. Each is recorded before its reply.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Raw returns the exact bytes of each request.
func (s *Server) Raw() []string {
	var raw []string
	for _, r := range s.Requests() {
		raw = append(raw, r.Raw)
	}
	return raw
}

// Accepted returns how many connections there have been, with or without a request.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// WaitOpen waits until n connections are open and reports whether that came to be within thirty seconds.
func (s *Server) WaitOpen(n int) bool {
	for range 3000 {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		if open == n {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.track(c)
		s.count(1)
		s.running.Go(func() {
			Lag()
			s.serve(c)
			Lag()
			c.Close()
			s.count(-1)
		})
	}
}

// track leaves c to Close, or closes it at once where that has run.
func (s *Server) track(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
	select {
	case <-s.done:
		c.Close()
	default:
	}
}

func (s *Server) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted += max(n, 0)
	s.open += n
}

func (s *Server) serve(raw net.Conn) {
	if s.config.Conn != nil {
		s.config.Conn(raw)
		return
	}
	c := &conn{Conn: raw, raw: raw, server: s}
	if s.config.TLS != nil {
		t := tls.Server(raw, s.config.TLS)
		if t.Handshake() != nil {
			return
		}
		c.Conn, c.state = t, t.ConnectionState()
	}
	c.reader = h1.NewReader(&c.sent)
	c.sent.src = c.Conn
	for c.exchange() {
	}
}

// next takes the next reply of the script.
func (s *Server) next(r *Request) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.config.Replies) == 0 {
		if r.Method == "CONNECT" {
			return Send("HTTP/1.1 200 Connection established\r\n\r\n")
		}
		return Text(200, "ok")
	}
	i := min(s.replied, len(s.config.Replies)-1)
	s.replied++
	return s.config.Replies[i]
}

// sleep waits, and reports whether the server still runs.
func (s *Server) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.done:
		return false
	case <-timer.C:
		return true
	}
}
