package uri

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// splitAuthority cuts the text between "//" and the path. hostport is what is
// behind the last "@".
func splitAuthority(s string) (user, hostport string, hasUser bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// splitHostPort cuts the port off. The host of an IPv6 literal keeps its
// brackets; what is inside them is not looked at. Port is -1 if there is none.
func splitHostPort(s string) (host string, port int, code Code, ok bool) {
	end := strings.IndexByte(s, ':')
	if strings.HasPrefix(s, "[") {
		end = strings.IndexByte(s, ']') + 1
		if end == 0 {
			return "", -1, InvalidHost, false
		}
		if end == len(s) {
			return s, -1, 0, true
		}
		if s[end] != ':' {
			return "", -1, InvalidHost, false
		}
	}
	if end < 0 {
		return s, -1, 0, true
	}
	port, ok = parsePort(s[end+1:])
	return s[:end], port, InvalidPort, ok
}

// parsePort reads digits up to 65535, leading zeros allowed; an empty port is
// none.
func parsePort(s string) (int, bool) {
	if s == "" {
		return -1, true
	}
	port := 0
	for i := range len(s) {
		if !is(s[i], digit) {
			return -1, false
		}
		if port = port*10 + int(s[i]-'0'); port > 65535 {
			return -1, false
		}
	}
	return port, true
}

// isIPv6 reports whether s is an IPv6 address without brackets; a zone is
// allowed.
func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6()
}

// parseIPv6 reads the inside of the brackets of an IPv6 literal: the address in
// lower case and, behind a percent sign, the zone, whose separator may be "%25"
// (RFC 6874) or a bare "%".
func parseIPv6(s string) (string, bool) {
	addr, zone, hasZone := strings.Cut(s, "%")
	if !isIPv6(addr) {
		return "", false
	}
	addr = ascii.Lower(addr)
	if !hasZone {
		return addr, true
	}
	if len(zone) > 2 && strings.HasPrefix(zone, "25") {
		zone = zone[2:]
	}
	if !validZone(zone) {
		return "", false
	}
	return addr + "%" + encodeInvalid(zone, unreserved), true
}

func validZone(zone string) bool {
	for i := 0; i < len(zone); i++ {
		if is(zone[i], unreserved) {
			continue
		}
		if !isEscape(zone[i:]) || is(ascii.Unhex(zone[i+1])<<4|ascii.Unhex(zone[i+2]), control|badInURL) {
			return false
		}
		i += 2
	}
	return zone != ""
}

// canonicalIPv4 returns the dotted form of the addresses the C library accepts
// (inet_aton: one to four numbers, decimal, octal or hexadecimal), with or
// without a trailing dot, which the resolver below a client might turn into an
// address all the same. Every other host is returned as it is. ok is false for one that
// ends in a number and is not an address: no name does (WHATWG URL, "ends in a number").
func canonicalIPv4(host string) (name string, ok bool) {
	if isDotted(host) || strings.IndexByte(host, ':') >= 0 || !endsInNumber(host) {
		return host, true // an IPv6 address may end in an IPv4 one
	}
	ip, ok := ParseIPv4(strings.TrimSuffix(host, "."))
	if !ok {
		return "", false
	}
	return ip.String(), true
}

// isDotted reports whether a host is an IPv4 address of four decimal numbers without leading
// zeros.
func isDotted(host string) bool {
	number, digits, dots := 0, 0, 0
	for i := range len(host) {
		switch c := host[i]; {
		case c == '.' && digits > 0:
			number, digits = 0, 0
			dots++
		case !is(c, digit) || digits > 0 && number == 0:
			return false
		default:
			number, digits = number*10+int(c-'0'), digits+1
		}
		if number > 255 {
			return false
		}
	}
	return dots == 3 && digits > 0
}

// endsInNumber reports whether the last label of a host, trailing dots aside, is all digits
// or a hexadecimal number.
func endsInNumber(host string) bool {
	if host == "" || !is(host[len(host)-1], hexDigit) && host[len(host)-1]|0x20 != 'x' && host[len(host)-1] != '.' {
		return false // as with nearly every name
	}
	host = strings.TrimRight(host, ".")
	label := host[strings.LastIndexByte(host, '.')+1:]
	if label == "" || !is(label[0], digit) {
		return false
	}
	if countDigits(label) == len(label) {
		return true
	}
	hex := len(label) > 1 && label[0] == '0' && label[1]|0x20 == 'x'
	return hex && countOthers(label[2:], hexDigit) == 0
}

// ParseIPv4 reads an IPv4 address in any form inet_aton knows: "127.0.0.1",
// "127.1", "0x7f.1", "017700000001", "2130706433".
func ParseIPv4(s string) (netip.Addr, bool) {
	var parts [4]uint64
	n := 0
	for field := range strings.SplitSeq(s, ".") {
		if n == 4 {
			return netip.Addr{}, false
		}
		v, ok := parseCNumber(field)
		if !ok {
			return netip.Addr{}, false
		}
		parts[n] = v
		n++
	}
	ip := uint64(0)
	for i, v := range parts[:n-1] {
		if v > 255 {
			return netip.Addr{}, false
		}
		ip |= v << (24 - 8*i)
	}
	if last := parts[n-1]; last>>(8*(5-n)) == 0 {
		ip |= last
		return netip.AddrFrom4([4]byte{byte(ip >> 24), byte(ip >> 16), byte(ip >> 8), byte(ip)}), true
	}
	return netip.Addr{}, false
}

// parseCNumber reads a number as C's strtoul with base 0 does, without sign; a
// bare "0x" is 0, as browsers have it.
func parseCNumber(s string) (uint64, bool) {
	base := 10
	switch {
	case len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x':
		base, s = 16, "0"+s[2:]
	case len(s) > 1 && s[0] == '0':
		base, s = 8, s[1:]
	}
	if s == "" || !is(s[0], hexDigit) {
		return 0, false
	}
	v, err := strconv.ParseUint(s, base, 33)
	return v, err == nil
}

// WithDottedHost returns an http or https URL with its IPv4 address in dotted form, as it is
// connected to, and every other text as it is.
func WithDottedHost(s string) string {
	scheme, _ := cutScheme(s)
	if !ascii.HasPrefixFold(scheme, "http") || !strings.HasPrefix(s[len(scheme):], "://") {
		return s
	}
	start := hostStart(s, len(scheme)+len("://"))
	if start == len(s) || !is(s[start], digit) {
		return s
	}
	host, _, _ := cutByte(s[start:start+authorityEnd(s[start:])], ':')
	if address, ok := canonicalIPv4(host); ok && address != host {
		return s[:start] + address + s[start+len(host):]
	}
	return s
}

// hostStart returns where the host of the authority that begins at start begins: behind its user info.
func hostStart(s string, start int) int {
	for i := start; i < len(s); i++ {
		switch s[i] {
		case '/', '?', '#':
			return start
		case '@':
			start = i + 1
		}
	}
	return start
}

// MayBegin reports whether a URL can begin with prefix: it is empty, for every URL, or begins
// with a scheme or with a part of one. A dot in what would be the scheme, or digits behind its
// colon, are those of a host and port.
func MayBegin(prefix string) bool {
	scheme, rest, _ := strings.Cut(prefix, ":")
	hostPort := rest != "" && ascii.IsDigit(rest[0])
	return prefix == "" || ascii.IsToken(scheme) && !strings.Contains(scheme, ".") && !hostPort
}

// SchemeHint says what could be meant by a URL that begins with none of the prefixes.
func SchemeHint(url string, prefixes []string) string {
	const shown = 8
	if !strings.Contains(url, "://") {
		return "; a URL begins with its scheme, as in http://"
	}
	if len(prefixes) > shown {
		return fmt.Sprintf(", only for %s and %d more prefixes", strings.Join(prefixes[:shown], ", "), len(prefixes)-shown)
	}
	return ", only for " + strings.Join(prefixes, ", ")
}
