package dial

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/h1"
)

// Credentials speak for one CONNECT of a plan, with schemes whose credentials change
// with the proxy's challenge.
type Credentials interface {
	// Header returns the fields to send with CONNECT.
	Header() ([][2]string, error)
	// Challenge is given a 407 to what was sent, and reports whether Header has an
	// answer to it now.
	Challenge(reply *ProxyReply, sent [][2]string) (bool, error)
	// Bound reports whether what is said belongs to a connection, as with NTLM.
	Bound() bool
}

// Binding is what Credentials that embed it return as Bound.
type Binding bool

// Bound implements [Credentials].
func (b Binding) Bound() bool { return bool(b) }

// BindingOf is true for a caller's credentials with a method that says so.
func BindingOf(credentials any) Binding {
	b, ok := credentials.(interface{ ConnectionBound() bool })
	return Binding(ok && b.ConnectionBound())
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
// Bound credentials answer on the connection that the challenge came on, up to maxBoundAnswers
// times. Where the proxy closes it with or after its first 407, which has no challenge yet, they go on
// with a new one.
//
// The errors of c are returned as they are.
func DialWith(ctx context.Context, plan *Plan, c Credentials) (*Conn, error) {
	fields := plan.Proxy.Header
	var b *boundAnswers
	if c.Bound() {
		b = &boundAnswers{Credentials: c, fields: fields}
		plan.Proxy.bound = b
	}
	for answers := 0; ; answers++ {
		sent, err := c.Header()
		if err != nil {
			return nil, err
		}
		plan.Proxy.Header = append(fields[:len(fields):len(fields)], sent...)
		conn, err := Dial(ctx, plan)
		if b.closedEarly(err) {
			plan.Proxy.Header = b.first
			conn, err = Dial(ctx, plan)
		}
		reply := challengeOf(err)
		switch {
		case b != nil && b.err != nil:
			return nil, b.err
		case b != nil && b.given > 0, reply == nil, answers == maxTunnelAnswers, answers > 0 && !reply.staleNonce():
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

// maxBoundAnswers is how often one connection is asked for a tunnel again: an offer, the answer to
// what it brings, and one more for schemes of four messages.
const maxBoundAnswers = 3

// boundAnswers are answers on one connection.
type boundAnswers struct {
	Credentials
	fields [][2]string // of each CONNECT, besides the credentials
	given  int         // how many answers there were
	first  [][2]string // the fields with the first answer
	err    error       // of the credentials
}

// closedEarly reports whether the proxy has closed a connection instead of reading the first answer,
// though its 407 had not said so.
func (b *boundAnswers) closedEarly(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if b == nil || b.given != 1 || !ok || e.Op != PhaseTunnel || e.Reply != nil || e.Timeout() {
		return false
	}
	if ended, ok := errors.AsType[*h1.Error](err); ok && ended.Code != h1.ReadFailed {
		return ended.Code == h1.NoResponse
	}
	_, failed := errors.AsType[*net.OpError](err)
	return failed
}

// next returns the fields of the next CONNECT on a connection; ok is false if there is none.
func (b *boundAnswers) next(reply *ProxyReply, sent [][2]string) (header [][2]string, ok bool) {
	if b == nil || reply == nil || reply.Status != 407 || b.given == maxBoundAnswers {
		return nil, false
	}
	again, err := b.Challenge(reply, sent[len(b.fields):])
	if err == nil && again {
		b.given++
		header, err = b.Header()
	}
	b.err = err
	header = append(b.fields[:len(b.fields):len(b.fields)], header...)
	if b.given == 1 {
		b.first = header
	}
	return header, again && err == nil
}
