package adapters

import (
	"strings"

	"github.com/mountable/requests"
)

// ProxyTunnel reaches http URLs through HTTP proxies by CONNECT as well, as https URLs
// are (curl's --proxytunnel). The proxy then sees no more than the host and the port,
// and credentials for it go with the CONNECT alone. Requests without a proxy, or through
// SOCKS, are as before.
func ProxyTunnel() requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if strings.HasPrefix(c.Proxy.Scheme, "http") {
			c.Proxy.Tunnel = true
		}
		return nil
	})
}

// ProxyHeaders sends header fields to HTTP proxies: with CONNECT, and with each http
// request that goes to the proxy itself, where they replace the request's own. Origins
// behind a tunnel never see them. They replace those of options further to the left.
// In Requests this takes a subclass of HTTPAdapter with its own proxy_headers. A field
// that cannot be sent is [requests.ErrInvalidHeader].
func ProxyHeaders(headers requests.Headers) (requests.AdapterOption, error) {
	fields, err := requests.NewProxyFields(headers)
	if err != nil {
		return nil, err
	}
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if strings.HasPrefix(c.Proxy.Scheme, "http") {
			c.Proxy.Headers = fields
		}
		return nil
	}), nil
}
