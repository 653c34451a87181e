package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// Dial carries the plan out and returns a connection on which the next byte belongs
// to the request. Every error is an *Error, and then nothing is left open. The
// context governs the dialing only, not the connection's later life.
func Dial(ctx context.Context, p *Plan) (*Conn, error) {
	own := *p
	own.took = new(Times)
	c, err := own.dial(ctx)
	if err == nil {
		return c, nil
	}
	if e, ok := errors.AsType[*Error](err); ok && p.Proxy != nil {
		e.Proxy = p.Proxy.Scheme
	}
	return nil, err
}

func (p *Plan) dial(ctx context.Context) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault(ctx, p.firstPhase(), p.origin(), err)
	}
	if p.Proxy != nil && !knownProxy(p.Proxy.Scheme) {
		return nil, fault(ctx, PhaseProxyConnect, p.Proxy.addr(), fmt.Errorf("unknown proxy scheme %q", p.Proxy.Scheme))
	}
	p, err := p.pin(ctx)
	if err != nil {
		return nil, err
	}
	before, start := p.took.Lookup, time.Now()
	raw, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	p.took.Connect = time.Since(start) - (p.took.Lookup - before)
	return p.secure(ctx, raw)
}

// secure does everything that follows the first socket: proxy, then TLS. Where it fails, or
// a check of the caller's panics, the socket is closed.
func (p *Plan) secure(ctx context.Context, raw net.Conn) (done *Conn, err error) {
	defer func() {
		if done == nil {
			raw.Close()
		}
	}()
	conn := timely(raw)
	if p.Proxy != nil {
		start := time.Now()
		if conn, err = p.traverse(ctx, conn); err != nil {
			return nil, err
		}
		p.took.Proxy = time.Since(start)
	}
	var state *tls.ConnectionState
	if p.TLS != nil {
		start := time.Now()
		if conn, state, err = p.startTLS(ctx, conn, p.TLS, PhaseTLS); err != nil {
			return nil, err
		}
		p.took.TLS = time.Since(start)
	}
	return newConn(conn, raw, state, p.took), nil
}

func (p *Plan) firstPhase() Phase {
	if p.Proxy != nil {
		return PhaseProxyConnect
	}
	return PhaseConnect
}
