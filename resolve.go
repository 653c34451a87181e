package requests

import (
	"cmp"
	"reflect"

	"github.com/mountable/requests/internal/dial"
)

// Resolver looks up the addresses of a host; [*net.Resolver] is one. network is
// "ip", "ip4" or "ip6"; the addresses are tried in order. As it is part of
// [ConnConfig] its type must be comparable: a pointer, for example.
type Resolver = dial.Resolver

// ResolveWith looks up host names with r; a nil r is the system's resolver. It has no effect on
// names that a proxy looks up.
func ResolveWith(r Resolver) AdapterOption {
	return func(a *HTTPAdapter) {
		a.setError(mustCompare("Resolver", r))
		ConfigureConn(func(c *ConnConfig, _ *PreparedRequest) error {
			c.Resolver = r
			return nil
		})(a)
	}
}

// checkComparable refuses what cannot be a part of the pool's key.
func (c *ConnConfig) checkComparable() error {
	return cmp.Or(mustCompare("Resolver", c.Resolver), mustCompare("Guard", c.Guard), mustCompare("TLSCheck", c.TLS.Check), mustCompare("TLSCheck", c.Proxy.TLS.Check))
}

func mustCompare(what string, v any) error {
	if v != nil && !reflect.ValueOf(v).Comparable() {
		return fail(ErrInvalidArgument, "a %s must be comparable, and %T is not", what, v)
	}
	return nil
}

// ResolveTo sends what is meant for a host to another address, as an entry in a hosts file would:
// the keys are "host" or "host:port", the latter winning, the values "ip", "ip:port" or
// "host:port". Host header, TLS names and cookies stay those of the URL. It has no effect where a
// proxy looks up the name.
func ResolveTo(hosts map[string]string) AdapterOption {
	return func(a *HTTPAdapter) {
		table, err := dial.NewHostTable(hosts)
		if err != nil {
			a.setError(fail(ErrInvalidArgument, "ResolveTo: %v", err))
		}
		ConfigureConn(func(c *ConnConfig, _ *PreparedRequest) error {
			if to, ok := table.LookupFor(c.Proxy.Scheme, c.Network, c.Host, c.Port); ok {
				c.Address = to
			}
			return nil
		})(a)
	}
}
