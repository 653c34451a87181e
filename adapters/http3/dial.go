package http3

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/dial"
)

const (
	// headStart is that of each address over the next (RFC 8305 section 5).
	headStart = 250 * time.Millisecond
	// keepAlive is how often a silent server is asked whether it is there, while requests wait
	// for it, and lost three times as long after it has last been heard of.
	keepAlive = 10 * time.Second
	// connectLimit ends a handshake that nothing else bounds.
	connectLimit = time.Minute
)

// quicConfig bounds what a server may open: no stream for requests, the three that HTTP/3 has and a
// few more of extensions (RFC 9114 section 6.2).
var quicConfig = &quic.Config{
	HandshakeIdleTimeout: connectLimit, MaxIdleTimeout: 3 * keepAlive, KeepAlivePeriod: keepAlive,
	MaxIncomingStreams: -1, MaxIncomingUniStreams: 16,
}

// connect opens a connection: the addresses race, and the first one wins. A panic of the caller's code is a
// panicError.
func connect(ctx context.Context, c requests.ConnConfig) (made *conn, err error) {
	defer catch(&err)
	plan := dial.Plan{Network: c.Network, Host: c.Host, Port: c.Port, Address: c.Address, Local: c.LocalAddr, Resolver: c.Resolver}
	if c.Guard != nil {
		plan.Allow = c.Guard.CheckAddress
	}
	addrs, err := plan.Addresses(ctx)
	if err != nil {
		return nil, err
	}
	results := make(chan attempt)
	started, ended := 0, 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	ctx, cancel := context.WithCancel(ctx)
	var won attempt
	for won.conn == nil && !isPanic(won.err) && ended < len(addrs) {
		next := timer.C
		if started == len(addrs) {
			next = nil
		}
		select {
		case <-next:
			go func(addr netip.AddrPort) { results <- try(ctx, c, addr) }(addrs[started])
			started++
			timer.Reset(headStart)
		case won = <-results:
			ended++
			timer.Reset(0)
		}
	}
	cancel()
	for ; ended < started; ended++ {
		if a := <-results; a.conn != nil {
			a.conn.close(codeNone)
		}
	}
	return won.conn, won.err
}

// attempt is the outcome of one address.
type attempt struct {
	conn *conn
	err  error
}

// try connects to one address, from a socket of its own, which lives as long as the connection.
func try(ctx context.Context, c requests.ConnConfig, addr netip.AddrPort) (a attempt) {
	config, check, err := secured(c)
	if err != nil {
		return attempt{err: err}
	}
	network, local := "udp6", (*net.UDPAddr)(nil)
	if addr.Addr().Is4() {
		network = "udp4"
	}
	if c.LocalAddr != (netip.AddrPort{}) {
		local = net.UDPAddrFromAddrPort(c.LocalAddr)
	}
	socket, err := net.ListenUDP(network, local)
	if err != nil {
		return attempt{err: err}
	}
	t := &quic.Transport{Conn: socket}
	end := func() {
		_ = t.Close()
		_ = socket.Close()
	}
	q, err := t.Dial(ctx, net.UDPAddrFromAddrPort(addr), config, quicConfig)
	if err != nil {
		end()
		return attempt{err: cmp.Or(check.panicked, err)}
	}
	context.AfterFunc(q.Context(), end)
	made := &conn{quic: q, state: q.ConnectionState().TLS, streams: map[quic.StreamID]*exchange{}}
	made.state.VerifiedChains = check.state.VerifiedChains
	if err := made.begin(); err != nil {
		made.close(codeNone)
		return attempt{err: err}
	}
	return attempt{conn: made}
}

// connectError gives a failure to connect its kind; nothing has been sent.
func connectError(p *requests.PreparedRequest, err error) error {
	e := &requests.Error{Kind: requests.ErrConnect, Err: err, Request: p}
	lookup, _ := errors.AsType[*dial.Error](err)
	timeout, _ := errors.AsType[net.Error](err)
	fault, _ := errors.AsType[*quic.TransportError](err)
	if own, ok := errors.AsType[*requests.Error](err); ok {
		*e = *own
		e.Request = p
	} else if denied, ok := errors.AsType[*dial.DeniedError](err); ok {
		e.Kind, e.Err = requests.ErrDenied, denied
	} else if lookup != nil && lookup.Timeout() || timeout != nil && timeout.Timeout() {
		e.Kind = requests.ErrConnectTimeout
	} else if fault != nil && fault.ErrorCode.IsCryptoError() {
		e.Kind = requests.ErrSSL
	}
	return e
}
