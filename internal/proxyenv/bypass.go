package proxyenv

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/uri"
)

// The entries of a list that are read in two ways:
//
//	entry                Bypass                       BypassAsRequests
//	*                    every host                   every host, if it is the whole list
//	a.test               that host, all below it      the same
//	.a.test              all below it                 that host, all below it
//	*.a.test             all below it                 nothing
//	.                    names that end with a dot    the same
//	a.test:8080          the same on this port, the   where the URL names the port
//	                     scheme's one included
//	10.0.0.1             that address                 that address, in any notation inet_aton knows
//	[fd00::1]:80         that address on this port    nothing
//	10.0.0.0/8, fd00::/8 that network                 that network, but for /0
//
// Bypass also covers "localhost" and loopback addresses, whatever the list says: what is
// meant for this machine is not for a proxy to reach. BypassAsRequests compares an entry
// also with the end of an address, as if it were a name. An IPv6 zone is not part of the
// host.

// Loopback is what Bypass returns for a host that no list has to name.
const Loopback = "this machine"

// Bypass returns the entry of a no_proxy list that covers u, or "". It reads lists as
// golang.org/x/net/http/httpproxy does, and brackets around an address without a port besides.
func Bypass(list string, u *uri.URL) string {
	host := u.Hostname()
	if host == "" {
		return "(no host)"
	}
	if addr, isAddr := hostAddr(host); host == "localhost" || isAddr && addr.Unmap().IsLoopback() {
		return Loopback
	}
	return Listed(list, u)
}

// Listed is Bypass for the list alone.
func Listed(list string, u *uri.URL) string {
	host := u.Hostname()
	addr, _ := hostAddr(host)
	port := strconv.Itoa(u.EffectivePort())
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if covers(strings.ToLower(entry), host, port, addr.Unmap()) {
			return entry
		}
	}
	return ""
}

// covers reports whether an entry in lower case covers a host, which is addr where that is valid.
func covers(entry, host, port string, addr netip.Addr) bool {
	if entry == "*" {
		return true
	}
	if network, err := netip.ParsePrefix(entry); err == nil {
		return unmapped(network).Contains(addr)
	}
	name, named := cutPort(entry)
	if named != "" && named != port {
		return false
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Unmap() == addr
	}
	return !addr.IsValid() && coversDomain(name, host)
}

// unmapped returns a network of IPv4 addresses in IPv6 form as one of IPv4 addresses.
func unmapped(network netip.Prefix) netip.Prefix {
	if network.Addr().Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
	}
	return network.Masked()
}

// cutPort splits "a.test:80" and "[::1]:80"; "::1" and "[::1]" have no port.
func cutPort(entry string) (name, port string) {
	if strings.HasPrefix(entry, "[") {
		name, port, closed := strings.Cut(entry[1:], "]")
		if port = strings.TrimPrefix(port, ":"); closed {
			return name, port
		}
		return entry, ""
	}
	if name, port, ok := strings.Cut(entry, ":"); ok && !strings.Contains(port, ":") {
		return name, port
	}
	return entry, ""
}

// coversDomain reports whether name is the host or a domain above it; with ".name" and "*.name" only the latter.
func coversDomain(name, host string) bool {
	if strings.HasPrefix(name, "*.") {
		name = name[1:]
	}
	name, wild := strings.CutPrefix(name, ".")
	if !isASCII(name) {
		name = uri.ASCIIHost(name)
	}
	if name == "" && !wild {
		return false
	}
	return endsInDomain(host, name) && !(wild && len(host) == len(name))
}

// BypassAsRequests returns the entry of a no_proxy list that covers u, or "", as Requests
// reads lists. Blanks in it mean nothing.
func BypassAsRequests(list string, u *uri.URL) string {
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

// endsInDomain reports whether host is domain or a name below it. Below the root, "", are the names that end with a dot.
func endsInDomain(host, domain string) bool {
	name, below := strings.CutSuffix(host, domain)
	return below && (name == "" && domain != "" || strings.HasSuffix(name, "."))
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
