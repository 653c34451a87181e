package wiretest

import (
	"io"
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/mountable/requests/internal/h1"
)

// SOCKS5 is the configuration of a SOCKS5 server (RFC 1928) for CONNECT.
type SOCKS5 struct {
	// User and Password, where one is set, are required (RFC 1929). Else they are taken when offered, and recorded.
	User, Password string
	// Route gives the address behind the target.
	Route func(target string) string
	// Refuse, if not 0, is the reply code every request is answered with.
	Refuse byte
}

// The SOCKS5 methods, and the ways to write an address.
const (
	socksVersion   = 5
	methodNone     = 0
	methodPassword = 2
	methodRefused  = 0xff

	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4
)

// StartSOCKS5 runs a SOCKS5 server until the test ends. Each request is recorded with Method "SOCKS5", Target the
// destination as "host:port", Raw "SOCKS5 host:port" and " user:password" where given, and Body the same two alone.
func StartSOCKS5(t testing.TB, config SOCKS5) *Server {
	t.Helper()
	var s *Server
	ready := make(chan struct{})
	s = Start(t, Config{Conn: func(c net.Conn) {
		<-ready
		k := socksConn{Conn: c, config: config, server: s}
		k.serve()
	}})
	close(ready)
	return s
}

type socksConn struct {
	net.Conn
	config SOCKS5
	server *Server
	login  string // user:password
}

func (k *socksConn) serve() {
	if !k.authenticate() {
		return
	}
	target, ok := k.readRequest()
	if !ok {
		return
	}
	k.record(target)
	if _, err := k.Write([]byte{socksVersion, k.config.Refuse, 0, addressIPv4, 0, 0, 0, 0, 0, 0}); err != nil || k.config.Refuse != 0 {
		return
	}
	relay(k.Conn, h1.NewReader(k.Conn), k.server, k.config.Route(target))
}

func (k *socksConn) record(target string) {
	r := Request{Method: "SOCKS5", Target: target, Raw: "SOCKS5 " + target, Body: k.login}
	if k.login != "" {
		r.Raw += " " + k.login
	}
	s := k.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.talking++
	r.Conn = s.talking
	s.requests = append(s.requests, r)
}

// authenticate agrees on a method: the password wherever it is offered.
func (k *socksConn) authenticate() bool {
	if version := k.read(1); version == nil || version[0] != socksVersion {
		return false
	}
	offered := k.readCounted()
	required := k.config.User != "" || k.config.Password != ""
	switch {
	case slices.Contains(offered, methodPassword):
		k.Write([]byte{socksVersion, methodPassword})
		return k.checkPassword(required)
	case required || !slices.Contains(offered, methodNone):
		k.Write([]byte{socksVersion, methodRefused})
		return false
	default:
		k.Write([]byte{socksVersion, methodNone})
		return true
	}
}

func (k *socksConn) checkPassword(required bool) bool {
	const good, bad = 0, 1
	if version := k.read(1); version == nil || version[0] != 1 {
		return false
	}
	user, password := string(k.readCounted()), string(k.readCounted())
	k.login = user + ":" + password
	if required && (user != k.config.User || password != k.config.Password) {
		k.Write([]byte{1, bad})
		return false
	}
	k.Write([]byte{1, good})
	return true
}

// readRequest returns the target of a CONNECT request as host:port.
func (k *socksConn) readRequest() (target string, ok bool) {
	head := k.read(4)
	if head == nil || head[1] != 1 {
		return "", false
	}
	var host string
	switch head[3] {
	case addressName:
		host = string(k.readCounted())
	case addressIPv4:
		host = net.IP(k.read(net.IPv4len)).String()
	case addressIPv6:
		host = net.IP(k.read(net.IPv6len)).String()
	}
	port := k.read(2)
	if port == nil {
		return "", false
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port[0])<<8|int(port[1]))), true
}

// read reads n bytes, nil where they do not come.
func (k *socksConn) read(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(k.Conn, b); err != nil {
		return nil
	}
	return b
}

// readCounted reads a byte and as many more as it says.
func (k *socksConn) readCounted() []byte {
	if n := k.read(1); n != nil {
		return k.read(int(n[0]))
	}
	return nil
}
