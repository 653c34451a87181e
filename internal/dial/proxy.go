package dial

import (
	"context"
	"fmt"
	"net"
)

// traverse takes a connection to the proxy as far as the origin, or, where requests are
// forwarded, as far as the proxy speaks HTTP.
func (p *Plan) traverse(ctx context.Context, conn net.Conn) (net.Conn, error) {
	return nil, fault(ctx, PhaseProxyConnect, p.Proxy.Scheme, fmt.Errorf("unknown proxy scheme %q", p.Proxy.Scheme))
}
