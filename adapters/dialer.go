package adapters

import (
	"context"
	"net"

	"github.com/mountable/requests"
)

// Dialer opens connections with dial instead of the system's: to an in-memory listener,
// through an SSH tunnel. network is "tcp", "tcp4", "tcp6" or "unix"; address is "host:port"
// of the origin or, where there is one, the proxy, or the path of a socket; the host is
// resolved first only where [requests.ResolveTo] or [requests.ResolveWith] say so. TLS, the
// proxy's tunnel and time limits stay this package's; the source address, the interface and
// the socket options are dial's own business. ctx ends with Timeouts.Connect.
//
// dial must be safe for concurrent use. Connections of one Dialer are not shared with
// another, of the same function either. A nil dial is [requests.ErrInvalidArgument].
func Dialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) requests.AdapterOption {
	by := requests.DialFunc(dial)
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if dial == nil {
			return &requests.Error{Kind: requests.ErrInvalidArgument, Detail: "adapters.Dialer was given a nil function"}
		}
		c.Dial = &by
		return nil
	})
}
