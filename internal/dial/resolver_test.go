package dial

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// resolverFunc is a resolver over text addresses.
type resolverFunc func(ctx context.Context, host string) ([]string, error)

func (f resolverFunc) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	found, err := f(ctx, host)
	var addrs []netip.Addr
	for _, s := range found {
		a := netip.MustParseAddr(s)
		if network == "ip" || a.Is4() == (network == "ip4") {
			addrs = append(addrs, a)
		}
	}
	return addrs, err
}

// table resolves names from a map of blank-separated addresses.
type table map[string]string

func (m table) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return resolverFunc(func(context.Context, string) ([]string, error) {
		if found, ok := m[host]; ok {
			return strings.Fields(found), nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}).LookupNetIP(ctx, network, host)
}
