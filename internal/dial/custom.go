package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/mountable/requests/internal/ascii"
)

var (
	errNoConn      = errors.New("the dial function returned neither a connection nor an error")
	errDialTimeout = timeoutError("the dial function took too long")
)

// dialFirst opens one connection to an address or a name, by Plan.Dial or by the system.
func (p *Plan) dialFirst(ctx context.Context, network, addr string, op Phase) (net.Conn, error) {
	if p.Dial == nil {
		return p.dialAddress(ctx, network, addr, op)
	}
	conn, err := p.dialCustom(ctx, network, addr)
	if err != nil {
		return nil, fault(ctx, op, addr, err)
	}
	return conn, nil
}

// dialCustom calls Plan.Dial within the limits. A connection that comes too late is closed.
func (p *Plan) dialCustom(ctx context.Context, network, addr string) (net.Conn, error) {
	limited := ctx
	if end := p.limit(p.ConnectTimeout); !end.IsZero() {
		var cancel context.CancelFunc
		limited, cancel = context.WithDeadlineCause(ctx, end, errDialTimeout)
		defer cancel()
	}
	conn, err := p.Dial(limited, network, addr)
	switch late := limited.Err() != nil; {
	case late && conn != nil:
		conn.Close()
		return nil, context.Cause(limited)
	case late:
		return nil, context.Cause(limited)
	case err != nil:
		return nil, err
	case conn == nil:
		return nil, errNoConn
	}
	return ready(conn), nil
}

// ready is withDeadlines. Should a method of the connection panic, it is closed.
func ready(conn net.Conn) (done net.Conn) {
	defer func() {
		if done == nil {
			conn.Close()
		}
	}()
	return withDeadlines(conn)
}

// dialName leaves the lookup to Plan.Dial. The name is one that a lookup would take.
func (p *Plan) dialName(ctx context.Context, host string, port int, op Phase) (net.Conn, error) {
	err := checkName(host)
	if err == nil {
		err = checkPort(host, port)
	}
	if err != nil {
		return nil, fault(ctx, op, ascii.JoinHostPort(host, port), err)
	}
	return p.dialFirst(ctx, p.network(), ascii.JoinHostPort(host, port), op)
}

// leavesNames reports whether Plan.Dial gets the host as it is, to look it up itself.
func (p *Plan) leavesNames(host string, op Phase) bool {
	if p.Dial == nil || p.Resolver != nil || p.Allow != nil && op == PhaseConnect {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err != nil
}
