package requests

import (
	"reflect"

	"github.com/mountable/requests/internal/uri"
)

// ProxyCredentials authenticate towards proxies with schemes whose credentials
// change with the proxy's challenge or with each request, such as Digest. An
// [Auth] gives them to a request with [PreparedRequest.SetProxyCredentials].
//
// Proxies are named "scheme://host:port"; what is known of one must not be sent to
// another (security rule 6). Implementations must be safe for concurrent use, and
// comparable: tunnels that one has opened serve no other.
type ProxyCredentials interface {
	// ProxyAuthorization returns the Proxy-Authorization of one request to a
	// proxy, "" to send none. For CONNECT p has that method and the target is the
	// authority; otherwise it is path and query of the URL, as in Requests.
	ProxyAuthorization(proxy string, p *PreparedRequest, target string) (string, error)
	// ProxyChallenge is given a 407 to CONNECT, with those before it in its History,
	// and says whether ProxyAuthorization has an answer to it now: then CONNECT is sent
	// once more on a new connection.
	// A 407 to any other request is a response like others, for hooks to answer.
	ProxyChallenge(proxy string, r *Response) (bool, error)
}

// SetProxyCredentials makes adapters ask c for the Proxy-Authorization of p, unless
// p has that header or the proxy's URL has user info. It stays with p along
// redirects, through whatever proxies they go.
func (p *PreparedRequest) SetProxyCredentials(c ProxyCredentials) {
	if c != nil && !reflect.TypeOf(c).Comparable() {
		c = &comparableCredentials{c}
	}
	p.proxyCredentials = c
}

// comparableCredentials can be a part of the pool's key where what it holds cannot.
type comparableCredentials struct{ ProxyCredentials }

// ProxyAuthorization returns what an [Adapter] has to send to a proxy with p as
// Proxy-Authorization: the header of p, or what its [ProxyCredentials] have for
// this proxy, "" if there is neither. Each call may use up a nonce.
func (p *PreparedRequest) ProxyAuthorization(proxy string) (string, error) {
	if own := p.Headers.Get("Proxy-Authorization"); own != "" || p.proxyCredentials == nil {
		return own, nil
	}
	return p.proxyCredentials.ProxyAuthorization(proxy, p, uri.PathURL(p.URL))
}

// forwardedBy is the proxy that forwarded the request of r, "" if none did.
func forwardedBy(r *Response) string {
	if r.Request == nil || r.tunnel {
		return ""
	}
	u, err := uri.Parse(r.Request.URL)
	if err != nil || u.Scheme == "https" {
		return ""
	}
	chosen := selectProxy(&u, r.opts.Proxies)
	if chosen == "" {
		return ""
	}
	proxy, err := parseProxy(chosen)
	if err != nil || proxy.Scheme != "http" && proxy.Scheme != "https" {
		return ""
	}
	return proxyName(proxy.Scheme, proxy.Host, proxy.Port)
}

func proxyName(scheme, host string, port int) string {
	return scheme + "://" + joinHostPort(host, port)
}
