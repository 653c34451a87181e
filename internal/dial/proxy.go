package dial

import (
	"context"
	"net"
)

// traverse takes a connection to the proxy as far as the origin, or, where requests are
// forwarded, as far as the proxy speaks HTTP.
func (p *Plan) traverse(ctx context.Context, conn net.Conn) (net.Conn, error) {
	switch p.Proxy.Scheme {
	case "http":
		return p.tunnel(ctx, conn)
	case "https":
		conn, err := p.secureProxy(ctx, conn)
		if err != nil {
			return nil, err
		}
		return p.tunnel(ctx, conn)
	}
	return conn, p.socks(ctx, conn)
}

func knownProxy(scheme string) bool {
	switch scheme {
	case "http", "https", "socks4", "socks4a", "socks5", "socks5h":
		return true
	}
	return false
}

// secureProxy starts TLS with the proxy: its own name, certificate and roots.
func (p *Plan) secureProxy(ctx context.Context, conn net.Conn) (net.Conn, error) {
	t := p.Proxy.TLS
	if t == nil {
		t = &TLS{}
	}
	secured, _, err := p.startTLS(ctx, conn, t, PhaseProxyTLS)
	if err != nil {
		return nil, err
	}
	return secured, nil
}

// socks runs the handshake of a SOCKS proxy.
func (p *Plan) socks(ctx context.Context, conn net.Conn) error {
	r := SocksRequest{
		Scheme: p.Proxy.Scheme, Host: p.proxyTarget(), Port: p.Port,
		User: p.Proxy.User, Password: p.Proxy.Password,
		Lookup: func(network, host string) (net.IP, error) { return p.socksLookup(ctx, network) },
	}
	return p.handshake(ctx, conn, PhaseSocks, p.origin(), func() error { return Socks(conn, &r) })
}

// socksLookup resolves the origin for socks4 and socks5, the first address counts.
func (p *Plan) socksLookup(ctx context.Context, network string) (net.IP, error) {
	host, _ := p.target()
	addrs, err := p.lookup(ctx, host, network)
	if err != nil {
		return nil, err
	}
	return addrs[0].AsSlice(), nil
}
