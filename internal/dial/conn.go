package dial

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"time"
)

// Conn is a ready connection: the net.Conn to speak on, and what was agreed on the
// way. Closing it closes every layer. It is as safe for concurrent use as the
// net.Conn inside.
type Conn struct {
	net.Conn
	// TLS is the state of the TLS layer with the origin, nil where there is none.
	// VerifiedChains is filled in unless verification was off.
	TLS *tls.ConnectionState

	// Took says how long the steps of opening it took.
	Took *Times

	raw   net.Conn // the socket
	probe *probe   // of that
}

// Times are how long the steps of opening a connection took, 0 for those that were not needed.
type Times struct {
	Lookup  time.Duration // of names
	Connect time.Duration // the socket
	Proxy   time.Duration // TLS, CONNECT and SOCKS with a proxy
	TLS     time.Duration // with the origin
}

func newConn(conn, raw net.Conn, state *tls.ConnectionState, took *Times) *Conn {
	return &Conn{Conn: conn, TLS: state, Took: took, raw: raw, probe: newProbe(raw)}
}

// Close closes every layer: the socket, too, where a dial function has made it and its Write panics with the last words of
// TLS.
func (c *Conn) Close() error {
	closed := false
	defer func() {
		if !closed {
			c.raw.Close()
		}
	}()
	err := c.Conn.Close()
	closed = true
	return err
}

// NetConn is the layer below: a *tls.Conn, *net.TCPConn or *net.UnixConn. It has deadlines of its own, which are not to
// be used beside those of c.
func (c *Conn) NetConn() net.Conn {
	if c.Plain() {
		return c.raw
	}
	return c.Conn
}

// Protocol is what ALPN chose, "" without TLS or without a choice.
func (c *Conn) Protocol() string {
	if c.TLS == nil {
		return ""
	}
	return c.TLS.NegotiatedProtocol
}

// ConnectionState is the state of the TLS layer, the zero value where there is none.
// HTTP/2 implementations ask a connection for it.
func (c *Conn) ConnectionState() tls.ConnectionState {
	if c.TLS == nil {
		return tls.ConnectionState{}
	}
	return *c.TLS
}

// Socket gives access to the socket beneath every layer, for options and the like; ok is false where there is
// none. Conn has no SyscallConn method on purpose: os.File and io.Copy would write past TLS through it.
func (c *Conn) Socket() (raw syscall.RawConn, ok bool) {
	if c.probe == nil {
		return nil, false
	}
	return c.probe.raw, true
}

// Queued is how much of what was given to the socket beneath every layer the other side has not acknowledged
// yet, 0 where that is not known.
func (c *Conn) Queued() (n int64) {
	if c.probe != nil {
		_ = c.probe.raw.Control(func(fd uintptr) { n = queued(fd) })
	}
	return n
}

// Plain reports whether no TLS lies between the caller and the socket, the proxy's neither: what arrives there
// is then what the other side said.
func (c *Conn) Plain() bool {
	_, layered := c.Conn.(*tls.Conn)
	return !layered
}

// ReadFrom lets io.Copy use sendfile and splice where the socket can.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	if rf, ok := c.Conn.(io.ReaderFrom); ok {
		return rf.ReadFrom(r)
	}
	return io.Copy(onlyWriter{c.Conn}, r)
}

type onlyWriter struct{ io.Writer }
