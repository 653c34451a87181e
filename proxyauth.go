package requests

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/pairs"
	"github.com/mountable/requests/internal/uri"
)

// ProxyCredentials authenticate towards proxies with schemes whose credentials
// change with the proxy's challenge or with each request, such as Digest. An
// [Auth] gives them to a request with [PreparedRequest.SetProxyCredentials].
//
// Proxies are named "scheme://host:port"; what is known of one must not be sent to
// another. Implementations must be safe for concurrent use, and
// comparable: tunnels that one has opened serve no other.
type ProxyCredentials interface {
	// ProxyAuthorization returns the Proxy-Authorization of one request to a proxy, "" to send none.
	// For CONNECT p has that method and target is the authority; else target is path and query.
	ProxyAuthorization(proxy string, p *PreparedRequest, target string) (string, error)
	// ProxyChallenge is given a 407 to CONNECT, with those before it in its History, and says
	// whether ProxyAuthorization has an answer to it now: then CONNECT is sent once more on a new
	// connection; on the same one, up to three times, if there is a method ConnectionBound() bool
	// that returns true. A 407 to any other request is a response like others, for hooks to answer.
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

// ProxyCredentials returns what SetProxyCredentials has set, nil for nothing.
func (p *PreparedRequest) ProxyCredentials() ProxyCredentials { return p.proxyCredentials }

// comparableCredentials can be a part of the pool's key where what it holds cannot.
type comparableCredentials struct{ ProxyCredentials }

// ProxyAuthorization returns what an [Adapter] has to send to a proxy with p as
// Proxy-Authorization: the header of p, or what its [ProxyCredentials] have for
// this proxy, "" if there is neither. Each call may use up a nonce.
func (p *PreparedRequest) ProxyAuthorization(proxy string) (string, error) {
	if own := p.Headers.Get("Proxy-Authorization"); own != "" || p.proxyCredentials == nil {
		return own, nil
	}
	return p.proxyCredentials.ProxyAuthorization(proxy, p, p.Target())
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
	return scheme + "://" + ascii.JoinHostPort(host, port)
}

// open carries the plan out, with the request's credentials for a proxy's tunnel.
func (c *ConnConfig) open(ctx context.Context, plan *dial.Plan, policy *Policy) (*dial.Conn, error) {
	if c.Proxy.Credentials == nil || !c.Proxy.Tunnel {
		return dial.Dial(ctx, plan)
	}
	return dial.DialWith(ctx, plan, &tunnelAuth{
		credentials: c.Proxy.Credentials,
		proxy:       proxyName(c.Proxy.Scheme, c.Proxy.Host, c.Proxy.Port),
		authority:   ascii.JoinHostPort(c.Host, c.Port),
		policy:      policy,
		Binding:     dial.BindingOf(c.Proxy.Credentials),
	})
}

// tunnelAuth speaks for one CONNECT with the credentials of a request.
type tunnelAuth struct {
	credentials      ProxyCredentials
	proxy, authority string
	policy           *Policy
	dial.Binding
	refusals []*Response // so far, oldest first
}

// Header implements [dial.Credentials].
func (t *tunnelAuth) Header() ([][2]string, error) {
	value, err := t.credentials.ProxyAuthorization(t.proxy, t.request(nil), t.authority)
	if err != nil || value == "" {
		return nil, wrap(ErrProxy, err, "no credentials for the proxy")
	}
	return [][2]string{{"Proxy-Authorization", value}}, nil
}

// Challenge shows a 407 to the credentials.
func (t *tunnelAuth) Challenge(reply *dial.ProxyReply, sent [][2]string) (bool, error) {
	r := refusal(reply)
	r.Request, r.opts.policy, r.History = t.request(sent), t.policy, slices.Clip(t.refusals)
	t.refusals = append(t.refusals, r)
	again, err := t.credentials.ProxyChallenge(t.proxy, r)
	return again, wrap(ErrProxy, err, "the proxy's challenge has no answer")
}

// request is CONNECT as credentials see it.
func (t *tunnelAuth) request(headers [][2]string) *PreparedRequest {
	return &PreparedRequest{Method: "CONNECT", URL: t.authority, Headers: headers}
}

// refusal is the response of a proxy that opened no tunnel, with what has been read of its body.
func refusal(reply *dial.ProxyReply) *Response {
	r := NewResponse(nil, reply.Status, Headers(reply.Fields), nil)
	r.Reason = cleanText(reply.Reason)
	r.content().Keep(reply.Body)
	return r
}

// ProxyFields are header fields for a proxy as a comparable value. They go with
// CONNECT where there is a tunnel, and else with each request that the proxy is
// asked for, as what a subclass of Requests' HTTPAdapter returns from proxy_headers.
type ProxyFields struct{ lines string }

// NewProxyFields makes the value; the fields keep their order and letter case. A
// field that no head can hold, or that would frame a body, is [ErrInvalidHeader].
func NewProxyFields(headers Headers) (ProxyFields, error) {
	for _, f := range headers {
		if err := checkHeader(f[0], f[1]); err != nil {
			return ProxyFields{}, err
		}
		if strings.EqualFold(f[0], "Content-Length") || strings.EqualFold(f[0], "Transfer-Encoding") {
			return ProxyFields{}, fail(ErrInvalidHeader, "%s is not a header for a proxy: a CONNECT has no body", f[0])
		}
	}
	return ProxyFields{pairs.Lines(headers)}, nil
}

// All returns the fields in order.
func (h ProxyFields) All() Headers { return pairs.OfLines(h.lines) }

// over returns the fields of a request in absolute form: those for the proxy take the
// place of the request's own.
func (h ProxyFields) over(fields [][2]string) [][2]string {
	if h.lines == "" {
		return fields
	}
	return pairs.ReplaceFields(fields, h.All())
}
