package dial

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// HostTable says at which addresses hosts are, as a hosts file would: "host" or "host:port"
// is at "ip", "ip:port" or "host:port".
type HostTable map[string]string

// NewHostTable makes the table. The error names an entry that is not an address.
func NewHostTable(hosts map[string]string) (HostTable, error) {
	var bad error
	table := make(HostTable, len(hosts))
	for from, to := range hosts {
		if from == "" || !isAddress(to) {
			bad = fmt.Errorf("%q for %q is neither an IP address nor host:port", to, from)
		}
		table[hostKey(from)] = strings.Trim(to, "[]")
		if _, _, err := net.SplitHostPort(to); err == nil {
			table[hostKey(from)] = to
		}
	}
	return table, bad
}

// Lookup finds the address of a host and port; an entry with the port wins.
func (t HostTable) Lookup(host string, port int) (to string, ok bool) {
	if to, ok = t[ascii.JoinHostPort(host, port)]; ok {
		return to, true
	}
	to, ok = t[host]
	return to, ok
}

// LookupFor is Lookup for a connection, unless a proxy looks the name up or it is not a TCP
// connection at all.
func (t HostTable) LookupFor(proxy, network, host string, port int) (to string, ok bool) {
	if proxy != "" && proxy != "socks4" && proxy != "socks5" || network == "unix" {
		return "", false
	}
	return t.Lookup(host, port)
}

// hostKey is how a host is written in the table: "[::1]" as "::1".
func hostKey(host string) string {
	host = strings.ToLower(host)
	if strings.HasSuffix(host, "]") {
		return strings.Trim(host, "[]")
	}
	return host
}

func isAddress(to string) bool {
	if _, err := netip.ParseAddr(strings.Trim(to, "[]")); err == nil {
		return true
	}
	host, port, err := net.SplitHostPort(to)
	n, bad := strconv.Atoi(port)
	return err == nil && host != "" && bad == nil && n > 0 && n < 1<<16
}
