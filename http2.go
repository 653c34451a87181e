package requests

import (
	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/http2"
)

// HTTP2 offers HTTP/2 to https servers by ALPN. A server that does not take it is
// spoken to in HTTP/1.1 as always. Header names are sent in lower case, as the protocol
// wants it, and in the order of the request. Requests share a connection up to the
// number that the server takes; the options of the pool count connections.
func HTTP2(on bool) AdapterOption {
	mode := HTTP1Only
	if on {
		mode = HTTP2Offered
	}
	return http2Mode(mode)
}

// HTTP2PriorKnowledge speaks HTTP/2 without asking, in the clear as well (RFC 9113
// section 3.3). A server that does not understand it is [ErrConnection].
func HTTP2PriorKnowledge() AdapterOption { return http2Mode(HTTP2Assumed) }

func http2Mode(mode HTTP2Mode) AdapterOption {
	return ConfigureConn(func(c *ConnConfig, _ *PreparedRequest) error {
		if c.Scheme == "https" || mode == HTTP2Assumed {
			c.HTTP2 = mode
		}
		return nil
	})
}

// http2Config is what an HTTP/2 connection opened on lease keeps to. Those who wait for
// it learn when the server has said how many requests it takes.
func (a *HTTPAdapter) http2Config(nc *dial.Conn, lease connLease) http2.Config {
	return http2.Config{
		HeadBytes: a.limits.HeadBytes, Fields: a.limits.Fields, Interim: a.limits.Interim, InterimBytes: a.limits.InterimBytes, TrailerBytes: a.limits.TrailerBytes,
		Quiet: nc.Quiet(), Layered: !nc.Plain(), Settled: func() { a.pool.Settled(lease) },
	}
}

// shared is one request and its response on a connection that carries others as well.
type shared struct {
	http2.Stream
	responseBlock
	adapter *HTTPAdapter
	conn    *conn
	lease   connLease
}

// Done gives the connection back.
func (x *shared) Done() {
	x.conn.rest.End()
	closeAll(x.adapter.pool.Put(x.lease, x.conn))
}
