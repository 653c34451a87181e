package dial

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// DeniedError is an origin that Plan.Allow refused, by all of its addresses.
type DeniedError struct {
	Host string
	Addr netip.AddrPort // the first that was refused; invalid for a Unix socket
	Err  error          // what Allow said of it
}

func (e *DeniedError) Error() string {
	if addr := e.Addr.Addr(); addr.IsValid() && addr.String() != e.Host {
		return fmt.Sprintf("%s (%s): %v", e.Host, addr, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Host, e.Err)
}

func (e *DeniedError) Unwrap() error { return e.Err }

var errNeedsTunnel = errors.New("the proxy would look the host up itself: its addresses can be checked in a tunnel only")

// permit keeps the addresses that Allow allows. The error is about the first that it does not.
func (p *Plan) permit(found []netip.Addr, port int) ([]netip.Addr, error) {
	if p.Allow == nil {
		return found, nil
	}
	var denied error
	kept := found[:0]
	for _, a := range found {
		addr := netip.AddrPortFrom(a, uint16(port))
		if err := p.Allow(p.Host, addr); err == nil {
			kept = append(kept, a)
		} else if denied == nil {
			denied = &DeniedError{p.Host, addr, err}
		}
	}
	if len(kept) == 0 {
		return nil, denied
	}
	return kept, nil
}

// permitSocket asks Allow about a Unix socket, which has no address.
func (p *Plan) permitSocket() error {
	if p.Allow == nil {
		return nil
	}
	if err := p.Allow(p.Host, netip.AddrPort{}); err != nil {
		return &DeniedError{Host: p.Host, Err: err}
	}
	return nil
}

// pin resolves the origin of a plan with Allow and a proxy before anything is sent: the
// proxy is given the address that was checked. Other plans are returned unchanged.
func (p *Plan) pin(ctx context.Context) (*Plan, error) {
	if p.Allow == nil || p.Proxy == nil || p.Network == "unix" {
		return p, nil
	}
	if !p.Proxy.Tunnel && (p.Proxy.Scheme == "http" || p.Proxy.Scheme == "https") {
		return nil, fault(ctx, PhaseResolve, p.origin(), errNeedsTunnel)
	}
	network := "ip"
	if p.Proxy.Scheme == "socks4" || p.Proxy.Scheme == "socks4a" {
		network = "ip4"
	}
	host, _ := p.target()
	found, err := p.lookup(ctx, host, network)
	if err == nil {
		found, err = p.permit(found, p.Port)
	}
	if err != nil {
		return nil, fault(ctx, PhaseResolve, p.origin(), err)
	}
	pinned := *p
	pinned.pinned = found[0]
	return &pinned, nil
}

// proxyTarget is the host that a proxy is asked for.
func (p *Plan) proxyTarget() string {
	if p.pinned.IsValid() {
		return p.pinned.WithZone("").String()
	}
	return p.Host
}
