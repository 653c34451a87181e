package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/pairs"
)

// maxReplyBody is how much of a refusal's body is kept.
const maxReplyBody = 64 << 10

// replyLimits bound a proxy's answer to CONNECT.
var replyLimits = h1.Limits{HeadBytes: 64 << 10, Fields: 200}

// TunnelError is a CONNECT that the proxy did not answer with a 2xx.
type TunnelError struct {
	Status int
	Reason string
}

func (e *TunnelError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("Tunnel connection failed: %d %s", e.Status, e.Reason), " ")
}

// errEarlyBytes: whoever speaks before the client in a tunnel is not the origin, and what
// it says must not be taken for the origin's words.
var errEarlyBytes = errors.New("the proxy sent more than the head of its reply to CONNECT")

// tunnel asks an HTTP proxy for a tunnel to the origin, where the plan wants one.
func (p *Plan) tunnel(ctx context.Context, conn net.Conn) (net.Conn, error) {
	if !p.Proxy.Tunnel {
		return conn, nil
	}
	for header := p.Proxy.Header; ; {
		var reply *ProxyReply
		var kept bool
		err := p.handshake(ctx, conn, PhaseTunnel, p.origin(), func() (err error) {
			reply, kept, err = connect(conn, p.proxyTarget(), p.Port, header)
			return err
		})
		if err == nil {
			return conn, nil
		}
		if e, ok := errors.AsType[*Error](err); ok {
			e.Reply = reply
		}
		if !kept {
			return nil, err
		}
		var again bool
		if header, again = p.Proxy.bound.next(reply, header); !again {
			return nil, err
		}
	}
}

// Tunnel sends CONNECT for host and port over rw and reads the response. Interim ones are
// skipped, any 2xx opens the tunnel, whatever length it claims (RFC 9110 section 9.3.6);
// any other status is a *TunnelError, and the response comes with it. The first byte of
// rw after success is the origin's. header is sent after Host, which it may replace.
func Tunnel(rw io.ReadWriter, host string, port int, header [][2]string) (*ProxyReply, error) {
	reply, _, err := connect(rw, host, port, header)
	return reply, err
}

// connect is Tunnel, and reports whether the connection can carry another CONNECT after a refusal.
func connect(rw io.ReadWriter, host string, port int, header [][2]string) (reply *ProxyReply, kept bool, err error) {
	head, err := connectHead(host, port, header)
	if err != nil {
		return nil, false, err
	}
	if _, err := rw.Write(head); err != nil {
		return nil, false, err
	}
	return readReply(rw)
}

// connectHead writes CONNECT with the authority in the form of RFC 9110 9.3.6.
func connectHead(host string, port int, header [][2]string) ([]byte, error) {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.WithZone("").String() // a zone means something on this machine alone (RFC 6874 4)
	} else if err := checkName(host); err != nil {
		return nil, err
	}
	authority := ascii.JoinHostPort(host, port)
	var fields [][2]string
	if !pairs.HasField(header, "Host") {
		fields = append(fields, [2]string{"Host", authority})
	}
	return h1.AppendRequestHead(nil, "CONNECT", authority, append(fields, header...))
}

// readReply reads the head, and of a refusal the beginning of the body.
func readReply(r io.Reader) (reply *ProxyReply, kept bool, err error) {
	in := h1.NewReader(r)
	var head h1.ResponseHead
	if err := in.ReadFinalHead(&head, &replyLimits, nil); err != nil {
		return nil, false, err
	}
	if head.Status/100 == 2 {
		if in.Buffered() > 0 {
			return nil, false, errEarlyBytes
		}
		in.Release()
		return nil, false, nil
	}
	body, whole := refusalBody(in, &head)
	kept = whole && keepsAlive(&head) && in.Release()
	reply = &ProxyReply{Status: head.Status, Reason: head.Reason, Fields: head.Fields, Body: body}
	return reply, kept, &TunnelError{head.Status, head.Reason}
}

// keepsAlive reports whether a proxy leaves its connection open (RFC 9112 section 9.3).
func keepsAlive(head *h1.ResponseHead) bool {
	keeps := head.Minor > 0
	for _, f := range head.Fields {
		if !strings.EqualFold(f[0], "Connection") && !strings.EqualFold(f[0], "Proxy-Connection") {
			continue
		}
		for _, option := range fieldvalue.Names([]string{f[1]}) {
			switch option {
			case "close":
				return false
			case "keep-alive":
				keeps = true
			}
		}
	}
	return keeps
}

// refusalBody reads what the framing promises, or, where only the end of the connection would end the body,
// what has come already. Its errors do not matter: the refusal is what is reported. whole reports
// whether the body has been read to its end, and the connection is at the next response.
func refusalBody(in *h1.Reader, head *h1.ResponseHead) (b []byte, whole bool) {
	framing, length, err := h1.ResponseFraming("CONNECT", head)
	if err != nil {
		return nil, false
	}
	ends := framing != h1.UntilClose
	if framing == h1.UntilClose {
		framing, length = h1.Length, int64(in.Buffered())
	}
	var body h1.Body
	body.Init(in, framing, length, &replyLimits)
	b, err = io.ReadAll(io.LimitReader(&body, maxReplyBody))
	return b, ends && err == nil && len(b) < maxReplyBody
}
