package requests

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/dial"
)

// open carries the plan out. Where the proxy answers CONNECT with a challenge that
// the request's credentials can meet, it does so once more on a new connection, and
// again while the proxy says that the nonce was stale.
func (c *ConnConfig) open(ctx context.Context, plan *dial.Plan, policy *Policy) (*dial.Conn, error) {
	if c.Proxy.Credentials == nil || !c.Proxy.Tunnel {
		return dial.Dial(ctx, plan)
	}
	t := tunnelAuth{
		credentials: c.Proxy.Credentials,
		proxy:       proxyName(c.Proxy.Scheme, c.Proxy.Host, c.Proxy.Port),
		authority:   joinHostPort(c.Host, c.Port),
		policy:      policy,
	}
	fields := plan.Proxy.Header
	for answers := 0; ; answers++ {
		sent, err := t.header()
		if err != nil {
			return nil, wrap(ErrProxy, err, "no credentials for the proxy")
		}
		plan.Proxy.Header = append(fields[:len(fields):len(fields)], sent...)
		conn, err := dial.Dial(ctx, plan)
		if err == nil || answers == maxTunnelAnswers || answers > 0 && !staleNonce(err) {
			return conn, err
		}
		again, challengeErr := t.challenge(err, sent)
		if challengeErr != nil {
			return nil, wrap(ErrProxy, challengeErr, "the proxy's challenge has no answer")
		}
		if !again {
			return nil, err
		}
	}
}

// maxTunnelAnswers bounds how often one tunnel answers a proxy whose nonces go stale,
// whatever its credentials make of that.
const maxTunnelAnswers = 16

// staleNonce reports whether a proxy has refused nothing but the nonce (RFC 7616
// section 3.3). Proxies that insist on nonce counts in order, such as squid, say so of
// tunnels that are opened side by side.
func staleNonce(err error) bool {
	d, ok := errors.AsType[*dial.Error](err)
	if !ok || d.Reply == nil || d.Reply.Status != 407 {
		return false
	}
	return slices.ContainsFunc(refusal(d.Reply).Auth().Challenges("Proxy-Authenticate"), func(c Challenge) bool {
		value, _ := c.Param("stale")
		return strings.EqualFold(c.Scheme, "Digest") && strings.EqualFold(value, "true")
	})
}

// tunnelAuth speaks for one CONNECT with the credentials of a request.
type tunnelAuth struct {
	credentials      ProxyCredentials
	proxy, authority string
	policy           *Policy
	refusals         []*Response // so far, oldest first
}

func (t *tunnelAuth) header() ([][2]string, error) {
	value, err := t.credentials.ProxyAuthorization(t.proxy, t.request(nil), t.authority)
	if err != nil || value == "" {
		return nil, err
	}
	return [][2]string{{"Proxy-Authorization", value}}, nil
}

// request is CONNECT as credentials see it.
func (t *tunnelAuth) request(headers [][2]string) *PreparedRequest {
	return &PreparedRequest{Method: "CONNECT", URL: t.authority, Headers: headers}
}

// challenge shows a 407 to the credentials.
func (t *tunnelAuth) challenge(err error, sent [][2]string) (again bool, _ error) {
	d, ok := errors.AsType[*dial.Error](err)
	if !ok || d.Reply == nil || d.Reply.Status != 407 {
		return false, nil
	}
	r := refusal(d.Reply)
	r.Request, r.opts.policy, r.History = t.request(sent), t.policy, slices.Clip(t.refusals)
	t.refusals = append(t.refusals, r)
	return t.credentials.ProxyChallenge(t.proxy, r)
}

// refusal is the reply of a proxy that opened no tunnel, with as much of its body
// as has been read.
func refusal(reply *dial.ProxyReply) *Response {
	r := NewResponse(nil, reply.Status, Headers(reply.Fields), nil)
	r.Reason = cleanText(reply.Reason)
	r.content, r.loaded = reply.Body, true
	return r
}
