package requests

import (
	"context"
	"errors"
	"net/http/httptrace"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// traced is connect, and tells the trace of the context about it.
func (a *HTTPAdapter) traced(ctx context.Context, r *route, opts SendOptions, fresh bool) (*conn, connLease, error) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil {
		return a.connect(ctx, r, opts, fresh)
	}
	if trace.GetConn != nil {
		trace.GetConn(r.config.firstHop())
	}
	c, lease, err := a.connect(ctx, r, opts, fresh)
	if err != nil || trace.GotConn == nil {
		return c, lease, err
	}
	told := false
	defer func() {
		if !told { // the callback has panicked
			_ = c.Close()
			a.pool.Drop(lease)
		}
	}()
	trace.GotConn(c.info(lease))
	told = true
	return c, lease, nil
}

// info is what a trace is told about a connection.
func (c *conn) info(lease connLease) httptrace.GotConnInfo {
	info := httptrace.GotConnInfo{Conn: c.net.NetConn(), Reused: lease.Reused}
	if lease.Reused && !c.idle.IsZero() {
		info.WasIdle, info.IdleTime = true, time.Since(c.idle)
	}
	return info
}

// firstHop is the host and port that is connected to.
func (c *ConnConfig) firstHop() string {
	if c.Proxy.Scheme != "" {
		return ascii.JoinHostPort(c.Proxy.Host, c.Proxy.Port)
	}
	return ascii.JoinHostPort(c.Host, c.Port)
}

var errPoolFull = errors.New("the pool keeps no more connections")

// putIdle tells that a connection was given back.
func putIdle(trace *httptrace.ClientTrace, kept bool) {
	switch {
	case trace == nil || trace.PutIdleConn == nil:
	case kept:
		trace.PutIdleConn(nil)
	default:
		trace.PutIdleConn(errPoolFull)
	}
}
