package adapters

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

// Address sends the connections of a mount to one address, whatever the host of the URL:
// "10.0.0.7", "[2001:db8::7]:8443", "10.0.0.7:8443" or "name:8443". Without a port it is
// that of the URL. Host header, TLS names and cookies stay those of the URL, as with curl's
// --connect-to; [requests.ResolveTo] does it for single hosts, and [SourceAddress] chooses the
// other end. It does not hold where a proxy connects to the host. Any other text is
// [requests.ErrInvalidArgument].
func Address(to string) (requests.AdapterOption, error) {
	address, ok := parseAddress(to)
	if !ok {
		return nil, invalid("Address(%q): expected an IP address, or host:port", to)
	}
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		switch c.Proxy.Scheme {
		case "", "socks4", "socks5":
			if c.Network != "unix" {
				c.Address = address
			}
		}
		return nil
	}), nil
}

func parseAddress(to string) (string, bool) {
	bare := to
	if inner, ok := strings.CutPrefix(to, "["); ok && strings.HasSuffix(inner, "]") {
		bare = strings.TrimSuffix(inner, "]")
	}
	if ip, err := netip.ParseAddr(bare); err == nil {
		return ip.String(), true
	}
	host, port, err := net.SplitHostPort(to)
	n, bad := strconv.ParseUint(port, 10, 16)
	return to, err == nil && bad == nil && n > 0 && host != "" && !strings.ContainsAny(host, " /@")
}
