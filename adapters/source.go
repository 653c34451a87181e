package adapters

import (
	"net"
	"net/netip"
	"runtime"
	"strings"

	"github.com/mountable/requests"
)

// SourceAddress makes connections leave from one address of this machine; the zero
// Addr is the system's choice. [ParseSourceAddress] takes text, and a port as well.
//
// It holds for connections to proxies as well, and not for Unix sockets. An address that
// is in use, or not one of this machine, is [requests.ErrConnection] when connecting,
// with syscall.EADDRINUSE or EADDRNOTAVAIL as its cause; an address of the other family
// than all of the server's fails, too.
func SourceAddress(address netip.Addr) requests.AdapterOption {
	return source(netip.AddrPortFrom(address, 0))
}

// ParseSourceAddress is [SourceAddress] of text: an IP address ("10.0.0.7",
// "2001:db8::7"), or one with a port ("10.0.0.7:4000", "[2001:db8::7]:4000"). The empty
// text is the system's choice; any other is [requests.ErrInvalidArgument]. With a port only
// one connection to a server can be open at a time.
func ParseSourceAddress(address string) (requests.AdapterOption, error) {
	addrPort, err := parseSource(address)
	if err != nil {
		return nil, err
	}
	return source(addrPort), nil
}

func source(local netip.AddrPort) requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.LocalAddr = local
		return nil
	})
}

func parseSource(text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	if source, err := netip.ParseAddrPort(text); err == nil {
		return source, nil
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.AddrPort{}, invalid("source address %q: expected an IP address, or address:port", text)
	}
	return netip.AddrPortFrom(address, 0), nil
}

// SourceInterface binds connections to a network interface by its name, "eth1", on
// Linux (SO_BINDTODEVICE, which may need a privilege) and macOS (IP_BOUND_IF). Other
// platforms, and a name no interface has, are errors.
func SourceInterface(name string) (requests.AdapterOption, error) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		return nil, invalid("SourceInterface: binding to an interface is not possible on %s", runtime.GOOS)
	}
	if _, err := net.InterfaceByName(name); err != nil {
		return nil, invalid("SourceInterface: this machine has no network interface %q", name)
	}
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Interface = name
		return nil
	}), nil
}
