package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
)

// connect opens the first socket: to the origin, or to the proxy.
func (p *Plan) connect(ctx context.Context) (net.Conn, error) {
	if p.Network == "unix" {
		return p.dialAddress(ctx, "unix", p.Address, PhaseConnect)
	}
	host, port := p.target()
	op := PhaseConnect
	if p.Proxy != nil {
		host, port, op = p.Proxy.Host, p.Proxy.Port, PhaseProxyConnect
	}
	addrs, err := p.addresses(ctx, host, port, op)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 1 {
		return p.dialAddress(ctx, p.network(), addrs[0].String(), op)
	}
	return p.race(ctx, addrs, op)
}

// addresses resolves host to what may be dialed, in the order of the attempts.
func (p *Plan) addresses(ctx context.Context, host string, port int, op Phase) ([]netip.AddrPort, error) {
	name := joinHostPort(host, port)
	if port < 0 || port > 65535 {
		return nil, fault(ctx, op, name, &net.AddrError{Err: "invalid port", Addr: name})
	}
	found, err := p.lookup(ctx, host, ipNetwork(p.network()))
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

var errNoCommonFamily = errors.New("the host has no address of the source address's family")

// reachable leaves out the addresses the source address cannot reach by its family.
func (p *Plan) reachable(a netip.Addr) bool {
	local := p.Local.Addr()
	return !local.IsValid() || local.Unmap().Is4() == a.Is4()
}

// lookup resolves one host within the connect timeout. A literal needs no resolver.
func (p *Plan) lookup(ctx context.Context, host, network string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	if err := checkName(host); err != nil {
		return nil, err
	}
	if end := p.limit(p.ConnectTimeout); !end.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, end, errLookupTimeout)
		defer cancel()
	}
	addrs, err := p.resolver().LookupNetIP(ctx, network, host)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case len(addrs) == 0:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// checkName refuses what getaddrinfo would, and what could break out of a
// protocol that carries the name (RFC 1035 2.3.4; rule 22).
func checkName(host string) error {
	bad := func(reason string) error { return &net.DNSError{Err: reason, Name: host, IsNotFound: true} }
	if host == "" {
		return bad("empty host")
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return &net.DNSError{Err: "control character or space in the host", IsNotFound: true}
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 {
			return bad("empty or over-long label in the host")
		}
	}
	return nil
}

// timeoutError is a time limit of the plan that passed.
type timeoutError string

func (e timeoutError) Error() string        { return string(e) }
func (e timeoutError) Timeout() bool        { return true }
func (e timeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

const errLookupTimeout = timeoutError("name look-up timed out")

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
	conn, err := d.DialContext(ctx, network, addr)
	if err == nil {
		err = p.settle(conn)
	}
	if err == nil {
		return conn, nil
	}
	if conn != nil {
		conn.Close()
	}
	if local, ok := p.bindFault(err); ok {
		return nil, fault(ctx, PhaseBind, local, err)
	}
	return nil, fault(ctx, op, addr, err)
}

// control runs on the fresh socket, before bind and connect.
func (p *Plan) control(_ context.Context, network, _ string, c syscall.RawConn) error {
	var err error
	outer := c.Control(func(fd uintptr) {
		for _, o := range p.SocketOptions {
			if network == "unix" && o.Level == ipprotoTCP {
				continue
			}
			if err = setOption(fd, o); err != nil {
				err = os.NewSyscallError("setsockopt", err)
				return
			}
		}
		if p.Interface != "" {
			err = os.NewSyscallError("bind to interface "+p.Interface, bindInterface(fd, network, p.Interface))
		}
	})
	return errors.Join(outer, err)
}

// settle undoes what the net package does unasked: it turns TCP_NODELAY on after connecting.
func (p *Plan) settle(conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok || p.noDelay() {
		return nil
	}
	return tcp.SetNoDelay(false)
}

// These are the same numbers on every platform.
const (
	ipprotoTCP = 6
	tcpNoDelay = 1
)

func (p *Plan) noDelay() (on bool) {
	for _, o := range p.SocketOptions {
		if o.Level == ipprotoTCP && o.Name == tcpNoDelay {
			on = o.Int != 0 || len(o.Bytes) > 0 && o.Bytes[0] != 0
		}
	}
	return on
}

// bindFault recognises a failure of our own side of the socket, and says what of it.
func (p *Plan) bindFault(err error) (local string, ok bool) {
	var sys *os.SyscallError
	if !errors.As(err, &sys) {
		return "", false
	}
	switch {
	case sys.Syscall == "bind":
		return p.Local.String(), true
	case sys.Syscall == "setsockopt":
		return "socket option", true
	}
	return p.Interface, p.Interface != "" && strings.HasPrefix(sys.Syscall, "bind to interface")
}

// interleave alternates the address families, the first one's order kept (RFC 8305 4).
func interleave(addrs []netip.AddrPort) []netip.AddrPort {
	var first, second []netip.AddrPort
	for _, a := range addrs {
		if a.Addr().Is4() == addrs[0].Addr().Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	out := make([]netip.AddrPort, 0, len(addrs))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(second) {
			out = append(out, second[i])
		}
	}
	return out
}
