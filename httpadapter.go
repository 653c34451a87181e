package requests

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"time"

	"github.com/mountable/requests/internal/backoff"
	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/http1"
	"github.com/mountable/requests/internal/http2"
	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/pool"
	"github.com/mountable/requests/internal/wire"
)

// HTTPAdapter sends requests over HTTP/1.1 and, where that is asked for, HTTP/2
// connections of its own, kept in a pool with urllib3's semantics: the last connection
// given back is used first, at most PoolMaxSize idle ones for each of at most
// PoolConnections pool keys, of which the least recently used one is evicted. Requests
// share an HTTP/2 connection up to the number that the server takes. It is safe for
// concurrent use and starts no goroutine for an idle connection, nor for a request
// whose body is small or none.
//
// Make one with [NewHTTPAdapter].
type HTTPAdapter struct {
	editors []ConnEditor
	pool    *pool.Pool[ConnConfig, *conn]
	config  pool.Config
	retry   *RetryState     // nil: nothing is tried again
	budget  *backoff.Budget // nil: no bound on retries
	limits  h1.Limits
	err     error // an option that made no sense; every Send returns it

	sessions dial.SessionTable[ConnConfig]
}

// AdapterOption configures an [HTTPAdapter] when it is made.
type AdapterOption func(a *HTTPAdapter)

// ConnEditor edits the connection that a request is about to use. It must be
// pure: the same request gives the same connection. It must not keep c, which is
// used again for other requests. An error ends the request before anything is sent.
type ConnEditor func(c *ConnConfig, p *PreparedRequest) error

// ConfigureConn adds an editor. Editors run for each request, in the order given;
// the request's own Verify and Cert apply after them. A nil editor is none.
func ConfigureConn(edit ConnEditor) AdapterOption {
	return func(a *HTTPAdapter) {
		if edit != nil {
			a.editors = append(a.editors, edit)
		}
	}
}

// JoinAdapterOptions combines options into one.
func JoinAdapterOptions(options ...AdapterOption) AdapterOption {
	return func(a *HTTPAdapter) {
		for _, o := range options {
			if o != nil {
				o(a)
			}
		}
	}
}

// NewHTTPAdapter returns an adapter with the given options and Requests' defaults.
func NewHTTPAdapter(options ...AdapterOption) *HTTPAdapter {
	return new(adapterBlock).adapter(options...)
}

// adapterBlock is an HTTPAdapter and its pool, in one allocation.
type adapterBlock struct {
	made HTTPAdapter
	pool pool.Pool[ConnConfig, *conn]
}

func (block *adapterBlock) adapter(options ...AdapterOption) *HTTPAdapter {
	a := &block.made
	a.config = pool.Config{Keys: 10, PerKey: 10}
	JoinAdapterOptions(options...)(a)
	a.pool = &block.pool
	a.pool.Init(a.config, (*conn).capacity)
	return a
}

// Plan returns the connection that p would be sent on, without any I/O.
func (a *HTTPAdapter) Plan(p *PreparedRequest, opts SendOptions) (ConnConfig, error) {
	var r route
	err := r.choose(a, p, &opts)
	return r.config, err
}

// Close closes the idle connections; those in use are closed when their
// response has been read. The adapter may be used again.
func (a *HTTPAdapter) Close() error {
	if a.pool == nil {
		return nil
	}
	closeAll(a.pool.Close())
	return nil
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// Send sends p on a pooled or a new connection and returns when the head of the
// response has been read. Failures are tried again as the adapter's Retry says.
func (a *HTTPAdapter) Send(ctx context.Context, p *PreparedRequest, opts SendOptions) (*Response, error) {
	switch {
	case a.err != nil:
		return nil, carrierError(a.err, Timeouts{}, nil)
	case a.pool == nil:
		return nil, fail(ErrInvalidArgument, "an HTTPAdapter is made with NewHTTPAdapter")
	case ctx == nil || p == nil:
		return nil, fail(ErrInvalidArgument, "Send needs a context and a prepared request")
	case ctx.Err() != nil:
		return nil, contextError(ctx)
	}
	if err := opts.Timeouts.check(); err != nil {
		return nil, err
	}
	r := routes.Get().(*route)
	resp, err := a.sendAlong(ctx, p, &opts, r)
	*r = route{} // a pooled route must not keep credentials alive
	routes.Put(r)
	return resp, err
}

// sendAlong is Send along r, which it chooses first.
func (a *HTTPAdapter) sendAlong(ctx context.Context, p *PreparedRequest, opts *SendOptions, r *route) (*Response, error) {
	err := r.choose(a, p, opts)
	if err == nil {
		err = r.checkScheme(p)
	}
	if err == nil {
		err = r.config.reread()
	}
	if err == nil {
		err = p.checkFraming(opts.policy)
	}
	switch {
	case err != nil:
		return nil, withRequest(err, p)
	case a.retry != nil:
		return a.sendRetrying(ctx, p, opts, r)
	}
	return a.once(ctx, p, opts, r)
}

// once sends p so that it is acted on once: an HTTP/2 server may refuse it unseen.
func (a *HTTPAdapter) once(ctx context.Context, p *PreparedRequest, opts *SendOptions, r *route) (*Response, error) {
	var refused http2.Refusals
	for {
		resp, err := a.try(ctx, p, opts, r)
		if err == nil || !isUnprocessed(err) || !refused.Again(err) {
			return resp, err
		}
		if spent := p.Rewind(); spent != nil {
			return nil, unrepeated(err, spent)
		}
	}
}

// try sends p on a connection that is open and alive, else on a new one. One that is lost before one byte of the
// response is replaced by a new one if the request may be repeated (RFC 9110 section 9.2.2).
func (a *HTTPAdapter) try(ctx context.Context, p *PreparedRequest, opts *SendOptions, r *route) (*Response, error) {
	for fresh := false; ; fresh = true {
		start := time.Now()
		c, lease, err := a.traced(ctx, r, opts, fresh)
		if err != nil {
			return nil, err
		}
		reused, leased := lease.Reused, time.Since(start)
		resp, err := a.exchange(ctx, c, lease, p, opts, r)
		if err == nil {
			resp.span.start, resp.span.leased, resp.span.reused = start, leased, reused
			resp.proxyAuth, resp.tunnel = r.proxyAuth != "", r.config.Proxy.Tunnel
			return resp, nil
		}
		stale := reused && !fresh && isStale(err, p)
		err = exchangeError(err, p, opts.Timeouts)
		if !stale {
			return nil, err
		}
		if spent := p.Rewind(); spent != nil {
			return nil, unrepeated(err, spent)
		}
	}
}

// isUnprocessed reports whether the server says that it has not looked at the request.
func isUnprocessed(err error) bool {
	e, ok := err.(*Error)
	return ok && e.unprocessed
}

// isStale reports whether p failed on a connection that the server had given up, and may be sent again.
func isStale(err error, p *PreparedRequest) bool {
	e, ok := err.(*wire.Error)
	return ok && e.Unanswered && (isRepeatable(p) || !e.Written)
}

// isRepeatable reports whether p may be sent again although the server may have acted on
// it: its method says so, or a key by which the server knows it again.
func isRepeatable(p *PreparedRequest) bool {
	return backoff.Idempotent(p.Method) || p.Headers.Get("Idempotency-Key") != "" || p.Headers.Get("X-Idempotency-Key") != ""
}

// exchange sends p on c.
func (a *HTTPAdapter) exchange(ctx context.Context, c *conn, lease connLease, p *PreparedRequest, opts *SendOptions, r *route) (*Response, error) {
	p.describe(ctx, r, opts)
	got, into, err := a.roundTrip(ctx, c, lease, &r.request)
	if err != nil {
		return nil, err
	}
	resp := into.fill(p, got.Status, got.Fields, got.Body)
	resp.Raw, resp.Reason = into.raw.Of(got.Body, (*bodyOwner)(resp)), cleanText(got.Reason)
	resp.Proto, resp.TLS = got.Proto, c.state
	resp.span.began, resp.span.way = got.Began, c.way
	return resp, nil
}

// roundTrip sends req on c, in the protocol that c speaks, and gives c back when the response is over.
func (a *HTTPAdapter) roundTrip(ctx context.Context, c *conn, lease connLease, req *wire.Request) (wire.Response, *responseBlock, error) {
	if c.h2 != nil {
		x := &shared{adapter: a, conn: c, lease: lease}
		c.rest.Begin()
		got, err := x.Do(ctx, c.h2, req, x)
		return got, &x.responseBlock, err
	}
	c.lease, c.trace = lease, req.Trace
	x := new(exclusive)
	got, err := x.Do(ctx, c.h1, req, &a.limits, c.done)
	return got, &x.responseBlock, err
}

// exclusive is one request and its response on a connection that carries nothing else meanwhile.
type exclusive struct {
	http1.Exchange
	responseBlock
}

// conn is a connection as the pool keeps it.
type conn struct {
	net   *dial.Conn
	h1    *http1.Conn          // nil over HTTP/2
	h2    *http2.Conn          // nil over HTTP/1.1
	state *tls.ConnectionState // of the origin's TLS
	way   *way                 // how it was opened

	lease connLease              // of the exchange that is using it, over HTTP/1.1
	trace *httptrace.ClientTrace // of that
	idle  time.Time              // when it was given back last, over HTTP/1.1
	rest  pool.Rest              // the same over HTTP/2
	done  func(http1.Fate)       // gives it back
}

type connLease = pool.Lease[ConnConfig, *conn]

// capacity is how many requests the connection carries at the same time.
func (c *conn) capacity() int {
	if c.h2 != nil {
		return c.h2.Capacity()
	}
	return 1
}

// alive reports whether the connection can carry another request.
func (c *conn) alive() bool {
	if c.h2 != nil {
		return c.h2.Alive()
	}
	return dial.Alive(c.net)
}

// Close closes the connection.
func (c *conn) Close() error {
	if c.h2 != nil {
		return c.h2.Close()
	}
	return c.net.Close()
}

// connect lends a connection.
func (a *HTTPAdapter) connect(ctx context.Context, r *route, opts *SendOptions, fresh bool) (*conn, connLease, error) {
	lease, err := a.lease(ctx, r, opts, fresh)
	if err != nil || lease.Reused {
		return lease.Conn, lease, err
	}
	opened := false
	defer func() {
		if !opened { // failed, or a resolver or the proxy's credentials have panicked
			a.pool.Drop(lease)
		}
	}()
	c, err := a.dial(ctx, lease, &r.config, opts)
	if err != nil {
		return nil, lease, err
	}
	if opened = true; r.config.HTTP2 != HTTP1Only {
		a.pool.Opened(lease, c, c.h2 != nil)
	}
	return c, lease, nil
}

// lease takes a connection that is alive, or the right to open one. A fresh one is wanted where a kept one was lost:
// the others may be, too.
func (a *HTTPAdapter) lease(ctx context.Context, r *route, opts *SendOptions, fresh bool) (connLease, error) {
	wait := pool.Wait{Place: poolWait(opts)}
	if r.config.HTTP2 != HTTP1Only {
		wait.Opening = openingWait
	}
	lease, err := a.pool.Get(ctx, r.config, wait)
	closeAll(lease.Stale)
	for err == nil && lease.Reused && (fresh && lease.Conn.h2 == nil || !lease.Conn.alive()) {
		lease, err = a.pool.Again(ctx, lease, wait)
		closeAll(lease.Stale)
	}
	if err != nil {
		return lease, poolError(ctx, err, opts)
	}
	return lease, nil
}

// openingWait is how long a request waits for the HTTP/2 connection that another one is
// opening: as long as that takes on a good network. Then it opens its own.
const openingWait = 500 * time.Millisecond

// poolWait is how long a request may wait for a connection of a full pool: no
// longer than it may take as a whole.
func poolWait(opts *SendOptions) time.Duration {
	wait := limit(opts.Timeouts.Pool)
	if opts.Deadline.IsZero() {
		return wait
	}
	left := max(time.Until(opts.Deadline), 1)
	if wait <= 0 {
		return left
	}
	return min(wait, left)
}

// giveBack ends the lease of c.
func (a *HTTPAdapter) giveBack(c *conn, fate http1.Fate) {
	lease, trace := c.lease, c.trace
	switch c.trace = nil; fate {
	case http1.Keep:
		c.idle = time.Now()
		discarded := a.pool.Put(lease, c)
		closeAll(discarded)
		nethttp.PutIdle(trace, len(discarded) == 0)
		return
	case http1.Close:
		_ = c.Close()
	}
	a.pool.Drop(lease)
}

func (a *HTTPAdapter) dial(ctx context.Context, lease connLease, c *ConnConfig, opts *SendOptions) (*conn, error) {
	plan, err := c.plan(a.sessions.Of(*c, c.Scheme == "https", c.Proxy.Scheme == "https"))
	if err != nil {
		return nil, err
	}
	plan.ConnectTimeout, plan.ReadTimeout = limit(opts.Timeouts.Connect), limit(opts.Timeouts.Read)
	plan.Deadline = opts.Deadline
	nc, err := c.open(ctx, plan, opts.policy)
	if err != nil {
		return nil, dialError(ctx, err, opts)
	}
	pc := &conn{net: nc, state: nc.TLS, way: wayOf(nc)}
	if nc.Protocol() == "h2" || c.HTTP2 == HTTP2Assumed && c.Scheme != "https" {
		pc.h2 = http2.New(nc, a.http2Config(nc, lease))
		pc.h2.Listen()
		return pc, nil
	}
	pc.h1 = http1.NewConn(nc, nc.Plain())
	pc.done = func(fate http1.Fate) { a.giveBack(pc, fate) }
	if dial.Spoke(nc) {
		_ = nc.Close()
		return nil, &Error{Kind: ErrConnection, Detail: "the server spoke before anything was asked"}
	}
	return pc, nil
}
