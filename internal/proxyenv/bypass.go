package proxyenv

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/uri"
)

// Bypass returns the entry of a no_proxy list that covers u, or "". The list
// is separated by commas; blanks in it mean nothing. An entry is
//
//   - every host, if it is the whole list
//     a.test, .a.test   that host and all below it
//     a.test:8080       the same, where the URL names this port
//     10.0.0.1          that address, in any notation inet_aton knows
//     10.0.0.0/8        an IPv4 network, with a mask of 1 to 32 bits
//     fd00::/8          an IPv6 network, with a mask of 1 to 128 bits
//
// An entry is also compared with the end of an address as if it were a name. An
// IPv6 zone is not part of the host.
func Bypass(list string, u *uri.URL) string {
	host := u.Hostname()
	if host == "" {
		return "(no host)"
	}
	if list == "*" {
		return list
	}
	addr, isAddr := hostAddr(host)
	withPort := host
	if u.Port > 0 && !addr.Is4() {
		withPort += ":" + strconv.Itoa(u.Port)
	}
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(strings.ReplaceAll(entry, " ", ""))
		if entry == "" {
			continue
		}
		if isAddr && coversAddr(entry, addr) || coversName(entry, host, withPort) {
			return entry
		}
	}
	return ""
}

func hostAddr(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

// coversAddr reports whether entry is an address equal to addr, or a network that
// holds it.
func coversAddr(entry string, addr netip.Addr) bool {
	base, mask, isNetwork := strings.Cut(entry, "/")
	from, ok := uri.ParseIPv4(base)
	if !ok {
		var err error
		if from, err = netip.ParseAddr(base); err != nil {
			return false
		}
	}
	if !isNetwork {
		return from == addr
	}
	bits, err := strconv.Atoi(mask)
	if err != nil || bits < 1 {
		return false
	}
	network, err := from.Prefix(bits)
	return err == nil && network.Contains(addr)
}

// coversName reports whether entry is the host, with or without port, or a
// domain above it.
func coversName(entry, host, withPort string) bool {
	entry = strings.TrimLeft(entry, ".")
	if endsInDomain(withPort, entry) {
		return true
	}
	entry = strings.ToLower(entry)
	return endsInDomain(host, entry) || !isASCII(entry) && endsInDomain(host, uri.ASCIIHost(entry))
}

func endsInDomain(host, domain string) bool {
	return strings.HasSuffix(host, domain) && domain != "" &&
		(len(host) == len(domain) || host[len(host)-len(domain)-1] == '.')
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
