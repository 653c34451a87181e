package wiretest

import (
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/h1"
)

// Request is a recorded request.
type Request struct {
	Conn           int    // number of its connection, from 1, in the order of their first requests
	Raw            string // exactly what was sent
	Method, Target string
	Fields         [][2]string
	Body           string // without its transfer coding
	Trailers       [][2]string
	Err            error // what was wrong with the body, if anything

	ServerName string // asked for in TLS
	ClientCert string // common name of the client's certificate
}

// Get returns the first value of a field, in any case.
func (r *Request) Get(name string) string {
	for _, f := range r.Fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// conn is one connection of a Server.
type conn struct {
	net.Conn          // TLS, where that is spoken
	raw      net.Conn // below TLS
	state    tls.ConnectionState
	server   *Server
	number   int
	sent     recorder
	reader   *h1.Reader
}

// recorder keeps what is read through it.
type recorder struct {
	src  io.Reader
	data []byte
	off  bool
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if !r.off {
		r.data = append(r.data, p[:n]...)
	}
	return n, err
}

// exchange serves one request and reports whether there may be another.
func (c *conn) exchange() bool {
	start := len(c.sent.data) - c.reader.Buffered()
	var head h1.RequestHead
	if c.reader.ReadRequestHead(&head, nil) != nil {
		return false
	}
	req := &Request{Method: head.Method, Target: head.Target, Fields: head.Fields}
	var reply Reply
	if c.server.config.Handler == nil {
		reply = c.server.next(req)
	}
	if !c.send(reply.Parts[:reply.Early]) {
		return false
	}
	c.readBody(req, &head)
	c.record(req, start)
	if c.server.config.Handler != nil {
		reply = c.server.config.Handler(req)
	}
	if !c.send(reply.Parts[reply.Early:]) || !c.end(reply) || req.Err != nil {
		return false
	}
	if req.Method == "CONNECT" && c.server.config.Route != nil && reply.establishes() {
		c.sent.off = true
		relay(c.Conn, c.reader, c.server, c.server.config.Route(req.Target))
		return false
	}
	return true
}

func (c *conn) readBody(req *Request, head *h1.RequestHead) {
	framing, n, err := h1.RequestFraming(head)
	if err != nil {
		req.Err = err
		return
	}
	var body h1.Body
	body.Init(c.reader, framing, n, nil)
	data, err := io.ReadAll(&body)
	req.Body, req.Trailers, req.Err = string(data), body.Trailers(), err
}

func (c *conn) record(req *Request, start int) {
	req.Raw = string(c.sent.data[start : len(c.sent.data)-c.reader.Buffered()])
	req.ServerName = c.state.ServerName
	if certs := c.state.PeerCertificates; len(certs) > 0 {
		req.ClientCert = certs[0].Subject.CommonName
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.number == 0 {
		s.talking++
		c.number = s.talking
	}
	req.Conn = c.number
	s.requests = append(s.requests, *req)
}

// send reports whether all went out.
func (c *conn) send(parts []Part) bool {
	for _, p := range parts {
		Lag()
		if !c.server.sleep(p.After) {
			return false
		}
		if _, err := io.WriteString(c, p.Send); err != nil {
			return false
		}
	}
	return true
}

// end ends the connection as the reply wants, and reports whether it goes on.
func (c *conn) end(r Reply) bool {
	if r.Reset || r.Cut || r.Close {
		Lag()
	}
	switch {
	case r.Reset:
		if tcp, ok := c.raw.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		c.raw.Close()
	case r.Cut:
		c.raw.Close()
	case r.Close:
		c.Close()
	default:
		return true
	}
	return false
}

// establishes reports whether the reply opens a tunnel: whether its last head is a 2xx.
func (r Reply) establishes() bool {
	var sent strings.Builder
	for _, p := range r.Parts {
		sent.WriteString(p.Send)
	}
	head := sent.String()
	i := strings.LastIndex(head, "HTTP/1.")
	return i >= 0 && len(head) > i+9 && head[i+8:i+10] == " 2"
}

// relay joins the client to the server at addr until one of them ends. What the client sent is read from r.
func relay(client net.Conn, r *h1.Reader, s *Server, addr string) {
	target, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	s.track(target)
	var up h1.Body
	up.Init(r, h1.UntilClose, -1, nil)
	var both sync.WaitGroup
	both.Go(func() {
		up.WriteTo(target)
		closeWrite(target)
	})
	both.Go(func() {
		io.Copy(client, target)
		closeWrite(client)
	})
	both.Wait()
	target.Close()
}

// closeWrite ends one direction, so that the peer sees the end but may still send.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

var lag, _ = time.ParseDuration(os.Getenv("WIRETEST_LAG"))

func Lag() {
	if lag > 0 {
		time.Sleep(rand.N(lag))
	}
}
