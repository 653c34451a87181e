package parity

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serverSpec is a server of a scenario; its replies are read once all ports are known.
type serverSpec struct {
	Kind       string          `json:"kind"`
	TLS        bool            `json:"tls"`
	Cert       string          `json:"cert"`
	ClientAuth bool            `json:"client_auth"`
	To         string          `json:"to"`
	Replies    json.RawMessage `json:"replies"`
}

// reply is one scripted answer.
type reply struct {
	Send  wireText `json:"send"`
	Parts []struct {
		Send    wireText `json:"send"`
		DelayMS int      `json:"delay_ms"`
	} `json:"parts"`
	Close bool `json:"close"`
	Drop  bool `json:"drop"`
	Reset bool `json:"reset"`
}

// wireText is bytes in JSON: one character a byte, or {"b64": ..}.
type wireText []byte

func (w *wireText) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		*w = wireText(unlatin1(text))
		return nil
	}
	var wrapped struct {
		B64 []byte `json:"b64"`
	}
	err := json.Unmarshal(raw, &wrapped)
	*w = wrapped.B64
	return err
}

// seen is one request a server has read.
type seen struct {
	Conn       int    `json:"conn"`
	Raw        string `json:"raw"`
	ClientCert string `json:"client_cert,omitempty"`
}

// server is one scripted server on a port of its own.
type server struct {
	spec    serverSpec
	addr    string // 127.0.0.1:PORT
	ln      net.Listener
	forward string // address of the server named by To
	hold    int    // the bound descriptor of a closed port

	mu      sync.Mutex
	replies []reply
	next    int
	wire    []seen
	conns   int // connections which have sent a request
	open    map[net.Conn]bool
	stopped bool
	wg      sync.WaitGroup
}

// listen takes a port; serving starts with start, when every port and thus every reply is known.
func listen(spec serverSpec) (*server, error) {
	s := &server{spec: spec, open: map[net.Conn]bool{}, hold: -1}
	if spec.Kind == "closed" {
		return s, s.holdPort()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.ln, s.addr = ln, ln.Addr().String()
	return s, nil
}

// holdPort binds a port without listening on it: connections are refused, and nobody else gets the port.
func (s *server) holdPort() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	s.hold = fd
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return err
	}
	s.addr = fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	return nil
}

func (s *server) port() string {
	_, port, _ := net.SplitHostPort(s.addr)
	return port
}

func (s *server) start(t *testing.T, replies []reply) {
	s.replies = replies
	if s.ln == nil {
		return
	}
	pki, err := testPKI()
	if err != nil {
		t.Fatal(err)
	}
	s.wg.Go(func() { s.accept(pki) })
}

func (s *server) accept(pki *pki) {
	for {
		raw, err := s.ln.Accept()
		if err != nil {
			return
		}
		if !s.track(raw) {
			raw.Close()
			return
		}
		s.wg.Go(func() {
			defer s.untrack(raw)
			s.serve(raw, pki)
		})
	}
}

func (s *server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = true
	return !s.stopped
}

func (s *server) untrack(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	c.Close()
}

// stop closes every connection and waits for the goroutines; what was seen stays readable.
func (s *server) stop() {
	if s.hold >= 0 {
		syscall.Close(s.hold)
		s.hold = -1 // a second close would hit whoever has the number by then
	}
	if s.ln != nil {
		s.ln.Close()
	}
	s.mu.Lock()
	s.stopped = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *server) serve(raw net.Conn, pki *pki) {
	conn, peer := raw, ""
	if s.spec.TLS {
		tc := tls.Server(raw, pki.serverConfig(s.spec.Cert, s.spec.ClientAuth))
		if tc.Handshake() != nil {
			return
		}
		if certs := tc.ConnectionState().PeerCertificates; len(certs) > 0 {
			peer = certs[0].Subject.CommonName
		}
		conn = tc
	}
	if s.spec.Kind == "socks5" {
		s.serveSOCKS(conn)
		return
	}
	s.serveHTTP(conn, raw, peer)
}

// serveHTTP reads requests and sends the next reply to each.
func (s *server) serveHTTP(conn, raw net.Conn, peer string) {
	r := newRequestReader(conn)
	number := 0
	for {
		request := r.read()
		if len(request) == 0 {
			return
		}
		var answer reply
		number, answer = s.record(number, request, peer)
		if done := s.answer(conn, raw, answer); done {
			return
		}
		if s.spec.Kind == "tunnel" && bytes.HasPrefix(request, []byte("CONNECT ")) && grants(answer.Send) {
			relay(conn, r.rest(), s.forward)
			return
		}
	}
}

// record keeps a request and takes the reply to it. A connection gets its number with its first request.
func (s *server) record(number int, request []byte, peer string) (int, reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number == 0 {
		s.conns++
		number = s.conns
	}
	s.wire = append(s.wire, seen{Conn: number, Raw: latin1(request), ClientCert: peer})
	answer := s.defaultReply()
	if len(s.replies) > 0 {
		answer = s.replies[min(s.next, len(s.replies)-1)]
		s.next++
	}
	return number, answer
}

func (s *server) defaultReply() reply {
	if s.spec.Kind == "tunnel" {
		return reply{Send: wireText("HTTP/1.1 200 Connection established\r\n\r\n")}
	}
	return reply{Send: wireText("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}
}

// answer plays one reply and tells whether the connection is over.
func (s *server) answer(conn, raw net.Conn, r reply) bool {
	if r.Reset {
		raw.(*net.TCPConn).SetLinger(0)
		raw.Close()
		return true
	}
	if r.Drop {
		return true
	}
	if len(r.Send) > 0 {
		if _, err := conn.Write(r.Send); err != nil {
			return true
		}
	}
	for _, part := range r.Parts {
		time.Sleep(time.Duration(part.DelayMS) * time.Millisecond)
		if _, err := conn.Write(part.Send); err != nil {
			return true
		}
	}
	if r.Close && conn != raw {
		conn.Close() // with close_notify
	}
	return r.Close
}

// seen returns the requests so far.
func (s *server) seen() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen{}, s.wire...)
}

// grants tells whether a proxy's reply opens the tunnel.
func grants(send []byte) bool {
	_, status, ok := strings.Cut(string(send), " ")
	return ok && strings.HasPrefix(string(send), "HTTP/1.") && strings.HasPrefix(status, "200")
}
