package dial

import (
	"context"
	"net"
	"net/http/httptrace"
	"net/netip"
	"os"
	"strings"
	"time"
)

// lookup resolves one host within the connect timeout. A literal needs no resolver.
func (p *Plan) lookup(ctx context.Context, host, network string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	if err := checkName(host); err != nil {
		return nil, err
	}
	if end := p.limit(p.ConnectTimeout); !end.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, end, errLookupTimeout)
		defer cancel()
	}
	start := time.Now()
	addrs, err := p.resolver().LookupNetIP(onlyLookupTraced(ctx), network, host)
	if p.took != nil {
		p.took.Lookup += time.Since(start)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case len(addrs) == 0:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	own := make([]netip.Addr, len(addrs)) // the slice may be the resolver's
	for i, a := range addrs {
		own[i] = a.Unmap()
	}
	return own, nil
}

// onlyLookupTraced keeps from a trace the connections of the resolver itself, as net/http does.
func onlyLookupTraced(ctx context.Context) context.Context {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil || trace.ConnectStart == nil && trace.ConnectDone == nil {
		return ctx
	}
	lookup := &httptrace.ClientTrace{DNSStart: trace.DNSStart, DNSDone: trace.DNSDone}
	return tracedContext{ctx, httptrace.WithClientTrace(context.Background(), lookup)}
}

// toldLater keeps what package net tells of a connection it has made until tell passes it on: should the trace of the
// program panic in between, net would leave the socket open.
func toldLater(ctx context.Context) (later context.Context, tell func()) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil || trace.ConnectDone == nil {
		return ctx, func() {}
	}
	told := func() {}
	own := &httptrace.ClientTrace{ConnectStart: trace.ConnectStart, ConnectDone: func(network, addr string, err error) {
		told = func() { trace.ConnectDone(network, addr, err) }
	}}
	return tracedContext{ctx, httptrace.WithClientTrace(context.Background(), own)}, func() { told() }
}

// tracedContext is a context with the trace of another.
type tracedContext struct {
	context.Context
	trace context.Context
}

func (c tracedContext) Value(key any) any {
	if v := c.trace.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// checkName refuses what getaddrinfo would, and what could break out of a
// protocol that carries the name (RFC 1035 2.3.4).
func checkName(host string) error {
	bad := func(reason string) error { return &net.DNSError{Err: reason, Name: host, IsNotFound: true} }
	if host == "" {
		return bad("empty host")
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return &net.DNSError{Err: "control character or space in the host", IsNotFound: true}
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 {
			return bad("empty or over-long label in the host")
		}
	}
	return nil
}

// timeoutError is a time limit of the plan that passed.
type timeoutError string

func (e timeoutError) Error() string        { return string(e) }
func (e timeoutError) Timeout() bool        { return true }
func (e timeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

const errLookupTimeout = timeoutError("name lookup timed out")
