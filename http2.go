package requests

import (
	"errors"

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
		HeadBytes: a.limits.HeadBytes, Fields: a.limits.Fields, Interim: a.limits.Interim, TrailerBytes: a.limits.TrailerBytes,
		Quiet: nc.Quiet(), Settled: func() { a.pool.Settled(lease) },
	}
}

// shared is one request and its response on a connection that carries others as well.
type shared struct {
	http2.Stream
	adapter *HTTPAdapter
	conn    *conn
	lease   connLease
}

// Done gives the connection back.
func (x *shared) Done() { closeAll(x.adapter.pool.Put(x.lease, x.conn)) }

// refusals counts how often HTTP/2 servers have refused a request unseen.
type refusals struct{ all, vain int }

// How often a request that was refused is sent again: a few times where the connection
// served nobody, as it may go on like that for ever, and more often where it did, as a
// server that closes each connection after a number of requests has many to refuse when
// many come at once.
const (
	maxVain     = 3
	maxRefusals = 50
)

// again reports whether a request may be sent again, whatever its method: the server
// ended the connection, or had too much to do, and says that it has not looked at it.
func (n *refusals) again(err error) bool {
	e, ok := err.(*Error)
	if !ok || !e.unprocessed {
		return false
	}
	n.all++
	if gone, ok := errors.AsType[*http2.GoAwayError](e.Err); !ok || gone.Last == 0 {
		n.vain++
	}
	return n.vain <= maxVain && n.all <= maxRefusals
}
