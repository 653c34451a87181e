package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// connect opens the first socket: to the origin, or to the proxy.
func (p *Plan) connect(ctx context.Context) (net.Conn, error) {
	if p.Network == "unix" {
		if err := p.permitSocket(); err != nil {
			return nil, fault(ctx, PhaseConnect, p.Address, err)
		}
		return p.dialFirst(ctx, "unix", p.Address, PhaseConnect)
	}
	host, port := p.target()
	op := PhaseConnect
	if p.Proxy != nil {
		host, port, op = p.Proxy.Host, p.Proxy.Port, PhaseProxyConnect
	}
	if p.leavesNames(host, op) {
		return p.dialName(ctx, host, port, op)
	}
	addrs, err := p.addresses(ctx, host, port, op)
	switch {
	case err != nil:
		return nil, err
	case len(addrs) == 1 || p.Dial != nil:
		return p.dialInOrder(ctx, addrs, op)
	}
	return p.race(ctx, addrs, op)
}

// dialInOrder tries one address after the other. A dial function of the caller's runs on
// the caller's goroutine, where a panic is the caller's to recover.
func (p *Plan) dialInOrder(ctx context.Context, addrs []netip.AddrPort, op Phase) (conn net.Conn, err error) {
	for _, addr := range addrs {
		if conn, err = p.dialFirst(ctx, p.network(), addr.String(), op); err == nil || ctx.Err() != nil {
			return conn, err
		}
	}
	return nil, err
}

// addresses resolves host to what may be dialed, in the order of the attempts.
func (p *Plan) addresses(ctx context.Context, host string, port int, op Phase) ([]netip.AddrPort, error) {
	name := ascii.JoinHostPort(host, port)
	if err := checkPort(host, port); err != nil {
		return nil, fault(ctx, op, name, err)
	}
	found, err := p.lookup(ctx, host, ipNetwork(p.network()))
	if err == nil && op == PhaseConnect {
		found, err = p.permit(found, port)
	}
	if err != nil {
		if op == PhaseConnect {
			op = PhaseResolve
		}
		return nil, fault(ctx, op, name, err)
	}
	var addrs []netip.AddrPort
	for _, a := range found {
		if p.reachable(a) {
			addrs = append(addrs, netip.AddrPortFrom(a, uint16(port)))
		}
	}
	if len(addrs) == 0 {
		return nil, fault(ctx, PhaseBind, p.Local.String(), errNoCommonFamily)
	}
	return interleave(addrs), nil
}

func checkPort(host string, port int) error {
	if port < 0 || port > 65535 {
		return &net.AddrError{Err: "invalid port", Addr: ascii.JoinHostPort(host, port)}
	}
	return nil
}

var errNoCommonFamily = errors.New("the host has no address of the source address's family")

// reachable leaves out the addresses the source address cannot reach by its family.
func (p *Plan) reachable(a netip.Addr) bool {
	local := p.Local.Addr()
	return !local.IsValid() || local.Unmap().Is4() == a.Is4()
}

func (p *Plan) network() string {
	if p.Network == "" {
		return "tcp"
	}
	return p.Network
}

func ipNetwork(network string) string { return "ip" + strings.TrimPrefix(network, "tcp") }

// dialAddress makes one attempt at one address within the connect timeout.
func (p *Plan) dialAddress(ctx context.Context, network, addr string, op Phase) (net.Conn, error) {
	d := net.Dialer{
		Timeout:        p.ConnectTimeout,
		Deadline:       p.Deadline,
		FallbackDelay:  -1, // the race over several addresses is ours
		KeepAlive:      -1, // only what SocketOptions say
		ControlContext: p.control,
	}
	if network != "unix" && p.Local != (netip.AddrPort{}) {
		d.LocalAddr = net.TCPAddrFromAddrPort(p.Local)
	}
	ctx, tell := toldLater(ctx)
	conn, err := d.DialContext(ctx, network, addr)
	kept := false
	defer func() {
		if conn != nil && !kept {
			conn.Close()
		}
	}()
	tell()
	if err == nil {
		err = p.settle(conn)
	}
	if err == nil {
		kept = true
		return conn, nil
	}
	if local, ok := p.bindFault(err); ok {
		return nil, fault(ctx, PhaseBind, local, err)
	}
	return nil, fault(ctx, op, addr, err)
}
