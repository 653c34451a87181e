package dial

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/fieldvalue"
)

// Credentials speak for one CONNECT of a plan, with schemes whose credentials change
// with the proxy's challenge.
type Credentials interface {
	// Header returns the fields to send with CONNECT.
	Header() ([][2]string, error)
	// Challenge is given a 407 to what was sent, and reports whether Header has an
	// answer to it now.
	Challenge(reply *ProxyReply, sent [][2]string) (bool, error)
}

// maxTunnelAnswers bounds how often one tunnel answers a proxy whose nonces go stale,
// whatever its credentials make of that.
const maxTunnelAnswers = 16

// DialWith is Dial through a proxy that may want credentials:
//
//	what came                           what follows
//	a tunnel, or a failure but 407      it is returned
//	the first 407                       Challenge is asked; if it has an answer, CONNECT is sent
//	                                    once more on a new connection, and else the 407 is returned
//	a 407 whose nonce was stale         the same, up to maxTunnelAnswers times
//	any other 407                       it is returned
//
// The errors of c are returned as they are.
func DialWith(ctx context.Context, plan *Plan, c Credentials) (*Conn, error) {
	fields := plan.Proxy.Header
	for answers := 0; ; answers++ {
		sent, err := c.Header()
		if err != nil {
			return nil, err
		}
		plan.Proxy.Header = append(fields[:len(fields):len(fields)], sent...)
		conn, err := Dial(ctx, plan)
		reply := challengeOf(err)
		if reply == nil || answers == maxTunnelAnswers || answers > 0 && !reply.staleNonce() {
			return conn, err
		}
		again, challengeErr := c.Challenge(reply, sent)
		if challengeErr != nil {
			return nil, challengeErr
		}
		if !again {
			return nil, err
		}
	}
}

// challengeOf returns the 407 that a proxy gave, nil for any other end of dialing.
func challengeOf(err error) *ProxyReply {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Reply == nil || e.Reply.Status != 407 {
		return nil
	}
	return e.Reply
}

// staleNonce reports whether a proxy has refused nothing but the nonce (RFC 7616
// section 3.3). Proxies that insist on nonce counts in order, such as squid, say so of
// tunnels that are opened side by side.
func (r *ProxyReply) staleNonce() bool {
	return slices.ContainsFunc(r.Fields, func(f [2]string) bool {
		if !strings.EqualFold(f[0], "Proxy-Authenticate") {
			return false
		}
		return slices.ContainsFunc(fieldvalue.ParseChallenges(f[1]), func(c fieldvalue.Challenge) bool {
			stale, _ := c.Param("stale")
			return strings.EqualFold(c.Scheme, "Digest") && strings.EqualFold(stale, "true")
		})
	})
}
