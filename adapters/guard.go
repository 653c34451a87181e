package adapters

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

// Guards keep a program that is given URLs by others to where it means to go. Each looks
// at every request of its mount, redirects included, and refuses with [requests.ErrDenied]
// before anything is sent; the error names the host and the rule. Mount them on "http://"
// and "https://", as redirects may lead from one to the other.

// DenyPrivate lets connections go to public addresses only: not to this machine, private
// and shared networks, link-local addresses with the metadata services of clouds,
// multicast, documentation, or anything else that is not reachable from everywhere (RFC 6890),
// be it in the forms of IPv6 that stand for an IPv4 address: mapped, compatible,
// translated, NAT64, 6to4, Teredo, ISATAP.
//
// The address that is checked is the one that is dialed: names are looked up once, and
// addresses that are denied are left out. Through a proxy, too, the name is looked up by
// this program and the proxy is asked for the address, by CONNECT for http URLs as well;
// the proxy itself may be anywhere. Unix sockets are denied.
func DenyPrivate() requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		switch c.Guard.(type) {
		case nil:
			c.Guard = denyPrivate{}
		case denyPrivate, alsoDenyPrivate:
		default:
			c.Guard = alsoDenyPrivate{c.Guard}
		}
		return nil
	})
}

type denyPrivate struct{}

// alsoDenyPrivate asks another guard first.
type alsoDenyPrivate struct{ first requests.Guard }

func (g alsoDenyPrivate) CheckAddress(host string, addr netip.AddrPort) error {
	if err := g.first.CheckAddress(host, addr); err != nil {
		return err
	}
	return denyPrivate{}.CheckAddress(host, addr)
}

var errNotPublic = errors.New("not a public address (DenyPrivate)")

// CheckAddress implements [requests.Guard].
func (denyPrivate) CheckAddress(_ string, addr netip.AddrPort) error {
	if isPublic(addr.Addr()) {
		return nil
	}
	return errNotPublic
}

// isPublic reports whether an address is reachable from everywhere.
func isPublic(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return !within(a, specialIPv4)
	}
	for inner := range embedded(a) {
		if !isPublic(inner) {
			return false
		}
	}
	return nat64.Contains(a) || global.Contains(a) && !within(a, specialIPv6)
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// embedded yields the IPv4 addresses that an IPv6 address leads to: a prefix and its hosts may have one each.
func embedded(a netip.Addr) iter.Seq[netip.Addr] {
	b := a.As16()
	return func(yield func(netip.Addr) bool) {
		if sixToFour.Contains(a) && !yield(netip.AddrFrom4([4]byte(b[2:6]))) {
			return
		}
		isISATAP := b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe // RFC 5214
		if isISATAP || nat64.Contains(a) {
			yield(netip.AddrFrom4([4]byte(b[12:])))
		}
	}
}

var (
	global    = netip.MustParsePrefix("2000::/3")     // all that is assigned for unicast
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the public IPv4 address at its end
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056: the IPv4 address behind the prefix

	// The special-purpose registries of IANA, but for 6to4, and what clouds keep for themselves.
	specialIPv4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"168.63.129.16/32") // Azure's services to its machines
	specialIPv6 = prefixes("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
)

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// AllowHosts lets requests go to these hosts only: "a.test" is that host, ".a.test" and
// "*.a.test" all below it, an address that address however it is written. Letter case and
// a trailing dot do not matter. No host at all allows none. What is not a host is
// [requests.ErrInvalidArgument].
func AllowHosts(hosts ...string) requests.AdapterOption {
	allowed := map[string]bool{}
	var wrong error
	for _, host := range hosts {
		name, below := host, ""
		if dotted := strings.TrimPrefix(host, "*"); strings.HasPrefix(dotted, ".") {
			name, below = dotted[1:], "."
		}
		known, ok := normalHost(name)
		if !ok {
			wrong = invalid("AllowHosts: %q is not a host: expected \"a.test\", \".a.test\" or an address", host)
		}
		allowed[below+known] = true
	}
	return guard(wrong, func(o origin) error {
		if o.within(allowed) {
			return nil
		}
		return denied("%s is not an allowed host (AllowHosts)", o.host)
	})
}

// AllowPorts lets requests go to these ports only. No port at all allows none; one that
// is not between 1 and 65535 is [requests.ErrInvalidArgument].
func AllowPorts(ports ...int) requests.AdapterOption {
	allowed := map[string]bool{}
	var wrong error
	for _, port := range ports {
		if port < 1 || port > 65535 {
			wrong = invalid("AllowPorts: %d is not a port", port)
		}
		allowed[strconv.Itoa(port)] = true
	}
	return guard(wrong, func(o origin) error {
		if allowed[o.port] {
			return nil
		}
		return denied("%s: port %s is not allowed (AllowPorts)", o.host, o.port)
	})
}

// HTTPSOnly refuses requests to http URLs, those that a redirect leads to included.
func HTTPSOnly() requests.AdapterOption {
	return guard(nil, func(o origin) error {
		if o.scheme == "https" {
			return nil
		}
		return denied("%s: only https is allowed (HTTPSOnly)", o.host)
	})
}

// origin is where the URL of a request leads: what other options make of the connection
// does not matter.
type origin struct{ scheme, host, port string }

func guard(wrong error, check func(o origin) error) requests.AdapterOption {
	return requests.ConfigureConn(func(_ *requests.ConnConfig, p *requests.PreparedRequest) error {
		if wrong != nil {
			return wrong
		}
		o, ok := destination(p)
		if !ok {
			return denied("the URL names no host")
		}
		return check(o)
	})
}

func destination(p *requests.PreparedRequest) (o origin, ok bool) {
	here := requests.PreparedRequest{URL: p.URL} // that of a redirect's target has the origin of the first request
	scheme, address, found := strings.Cut(here.Origin(), "://")
	host, port, err := net.SplitHostPort(address)
	if !found || err != nil {
		return origin{}, false
	}
	host, _, _ = strings.Cut(host, "%")
	return origin{scheme, strings.TrimSuffix(host, "."), port}, host != ""
}

// normalHost returns a host in the form of an origin's.
func normalHost(host string) (string, bool) {
	if strings.ContainsAny(host, "/?#@\\ ") {
		return "", false
	}
	if strings.Count(host, ":") > 1 && host[0] != '[' {
		host = "[" + host + "]"
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && host[len(host)-1] != ']' {
		return "", false // a port
	}
	p, err := (&requests.Request{URL: "http://" + host + "/"}).Prepare()
	if err != nil {
		return "", false
	}
	o, ok := destination(p)
	return sameAddress(o.host), ok
}

// sameAddress writes an address as it is compared.
func sameAddress(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return host
}

// within reports whether the host, or ".domain" for one above it, is in the set.
func (o origin) within(allowed map[string]bool) bool {
	if host := sameAddress(o.host); allowed[host] || host != o.host {
		return allowed[host]
	}
	for rest := o.host; ; {
		_, after, ok := strings.Cut(rest, ".")
		if !ok {
			return false
		}
		if rest = after; allowed["."+rest] {
			return true
		}
	}
}

func denied(format string, args ...any) error {
	return &requests.Error{Kind: requests.ErrDenied, Detail: fmt.Sprintf(format, args...)}
}
