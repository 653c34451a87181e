package http1

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wire"
)

// Upgraded is a connection that has left HTTP behind: after 101, or after CONNECT. Read
// begins with what the server has sent right behind the head. It belongs to whoever has it,
// without the context and the limits of the request; Read, Write and Close may be called
// at the same time.
type Upgraded struct {
	net.Conn
	body h1.Body
}

// leavesHTTP reports whether the head of the response ends HTTP on the connection.
func (x *Exchange) leavesHTTP(err error) bool {
	if e, ok := errors.AsType[*h1.Error](err); ok && e.Code == h1.UnexpectedUpgrade {
		return x.request.upgrade
	}
	return err == nil && x.request.method == "CONNECT" && x.head.Status/100 == 2
}

// leaveHTTP gives the connection away, and ends the exchange.
func (x *Exchange) leaveHTTP() (*Upgraded, error) {
	tunnel := x.upload != nil && x.upload.framing.tunnel
	if !tunnel {
		x.responded()
	}
	if !x.unwatch() {
		return nil, context.Cause(x.ctx)
	}
	if tunnel {
		x.upload.proceed()
	} else if x.upload != nil {
		x.upload.end(false, false)
	}
	c := x.conn
	if err := c.SetWriteDeadline(time.Time{}); err != nil || !c.source.end() {
		return nil, net.ErrClosed
	}
	u := &Upgraded{Conn: c.Conn}
	u.body.Init(&c.reader, h1.UntilClose, -1, nil)
	x.mu.Lock()
	x.over = true
	x.mu.Unlock()
	x.done(Detach)
	return u, nil
}

// Read reads what the server sends.
func (u *Upgraded) Read(b []byte) (int, error) {
	n, err := u.body.Read(b)
	return n, bare(err)
}

// WriteTo copies what the server sends to w.
func (u *Upgraded) WriteTo(w io.Writer) (int64, error) {
	n, err := u.body.WriteTo(w)
	return n, bare(err)
}

// bare takes off what HTTP says about an error of the connection.
func bare(err error) error {
	if e, ok := err.(*h1.Error); ok && e.Err != nil {
		return e.Err
	}
	return err
}

// CloseWrite tells the server that nothing more is sent, where the connection can.
func (u *Upgraded) CloseWrite() error {
	for c := u.Conn; c != nil; {
		if half, ok := c.(interface{ CloseWrite() error }); ok {
			return half.CloseWrite()
		}
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = inner.NetConn()
	}
	return errors.ErrUnsupported
}

// Remaining is never known.
func (u *Upgraded) Remaining() int64 { return -1 }

// Chunked is false.
func (u *Upgraded) Chunked() bool { return false }

// ChunkRemaining is 0.
func (u *Upgraded) ChunkRemaining() int64 { return 0 }

// Trailers returns nil.
func (u *Upgraded) Trailers() [][2]string { return nil }

// LimitUntil ends the reading at t.
func (u *Upgraded) LimitUntil(t time.Time) { _ = u.SetReadDeadline(t) }

// Verifiable is false: the other protocol knows its own end.
func (u *Upgraded) Verifiable() bool { return false }

var _ wire.Stream = (*Upgraded)(nil)
