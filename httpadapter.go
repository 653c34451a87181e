package requests

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/pool"
	"github.com/mountable/requests/internal/uri"
)

// HTTPAdapter sends requests over HTTP/1.1 connections of its own, kept in pools
// with urllib3's semantics: the last connection given back is used first, at most
// PoolMaxSize idle ones for each of at most PoolConnections places, the least
// recently used place making room. It is safe for concurrent use and starts no
// goroutine for a connection or a request.
//
// Make one with [NewHTTPAdapter].
type HTTPAdapter struct {
	editors []ConnEditor
	pool    *pool.Pool[ConnConfig, *conn]
	config  pool.Config
	retry   *RetryState  // nil: nothing is tried again
	budget  *retryBudget // nil: no bound on retries
	limits  h1.Limits
	err     error // an option that made no sense; every Send returns it

	h2       h2Pool
	mu       sync.Mutex
	sessions map[ConnConfig]*tlsSessions
}

// AdapterOption configures an [HTTPAdapter] when it is made.
type AdapterOption func(a *HTTPAdapter)

// ConnEditor edits the connection that a request is about to use. It must be
// pure: the same request gives the same connection. An error ends the request
// before anything is sent.
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

// JoinAdapterOptions makes one option of several.
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
	a := &HTTPAdapter{config: pool.Config{Keys: 10, PerKey: 10}, sessions: map[ConnConfig]*tlsSessions{}}
	JoinAdapterOptions(options...)(a)
	a.pool = pool.New[ConnConfig, *conn](a.config)
	return a
}

// Plan returns the connection that p would be sent on, without any I/O.
func (a *HTTPAdapter) Plan(p *PreparedRequest, opts SendOptions) (ConnConfig, error) {
	r, err := a.route(p, opts)
	return r.config, err
}

// Close closes the idle connections; those in use are closed when their
// response has been read. The adapter may be used again.
func (a *HTTPAdapter) Close() error {
	if a.pool == nil {
		return nil
	}
	closeAll(a.pool.Close())
	a.h2.closeAll()
	return nil
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// Send sends p on a pooled or a new connection and returns when the head of the
// reply has been read. Failures are tried again as the adapter's Retry says.
func (a *HTTPAdapter) Send(ctx context.Context, p *PreparedRequest, opts SendOptions) (*Response, error) {
	switch {
	case a.err != nil:
		return nil, asError(a.err, nil)
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
	r, err := a.route(p, opts)
	if err != nil {
		return nil, withRequest(err, p)
	}
	if a.retry != nil {
		return a.sendRetrying(ctx, p, opts, r)
	}
	return a.once(ctx, p, opts, &r)
}

// route is where a request goes: the connection, and what its head says.
type route struct {
	config    ConnConfig
	target    string      // of the request line
	host      string      // of the Host header
	proxyAuth string      // Proxy-Authorization of a request in absolute form
	forProxy  ProxyFields // the other fields for the proxy, of such a request
}

// route plans the connection: from the URL, the proxies, the editors, and last
// what the request itself asks for.
func (a *HTTPAdapter) route(p *PreparedRequest, opts SendOptions) (route, error) {
	u, err := uri.Parse(p.URL)
	if err != nil {
		return route{}, urlError(err)
	}
	r := route{target: uri.RequestTarget(p.URL), host: u.HostHeader()}
	r.config = ConnConfig{Scheme: "http", Host: u.DialHost(), Port: u.EffectivePort(), Options: defaultSocketOptions}
	if u.Scheme == "https" {
		r.config.Scheme = "https"
	}
	if err := r.chooseProxy(p, &u, opts.Proxies); err != nil {
		return r, err
	}
	if len(a.editors) > 0 {
		if err := a.edit(&r, p); err != nil {
			return r, err
		}
	}
	if err := checkResolver(r.config.Resolver); err != nil {
		return r, err
	}
	if r.config.Network == "unix" && p.crossed {
		return r, fail(ErrRedirectScheme, "redirect to %q refused: it is a Unix socket", redactURL(p.URL))
	}
	if r.forwarded() {
		if err := r.forward(p, &u); err != nil {
			return r, err
		}
	}
	return r, r.applyRequest(&u, opts)
}

// edit runs the editors on a copy, which they may keep for all the caller knows:
// without editors the route stays on the stack.
func (a *HTTPAdapter) edit(r *route, p *PreparedRequest) error {
	config := r.config
	for _, edit := range a.editors {
		if err := edit(&config, p); err != nil {
			return err
		}
	}
	r.config = config
	return nil
}

// applyRequest puts the request's Verify and Cert over what the editors chose, and
// leaves out of the value what makes no difference, so that requests share
// connections where they can.
func (r *route) applyRequest(u *uri.URL, opts SendOptions) error {
	c := &r.config
	if err := opts.Cert.check(); err != nil {
		return err
	}
	if c.Scheme != "https" {
		c.TLS = TLSConfig{}
	} else {
		c.TLS.Verify = opts.Verify.over(c.TLS.Verify)
		c.TLS.Cert = opts.Cert.or(c.TLS.Cert)
		if err := c.TLS.Verify.check(); err != nil {
			return err
		}
	}
	if c.Proxy.Scheme != "https" {
		c.Proxy.TLS = TLSConfig{}
	} else {
		c.Proxy.TLS.Verify = opts.Verify.over(c.Proxy.TLS.Verify)
	}
	if r.forwarded() {
		c.Host, c.Port = "", 0 // the proxy's connections serve every host
	}
	return nil
}

// forwarded reports whether the request goes to a proxy in absolute form.
func (r *route) forwarded() bool {
	return strings.HasPrefix(r.config.Proxy.Scheme, "http") && !r.config.Proxy.Tunnel
}

// chooseProxy fills in the proxy hop, if the URL has one.
func (r *route) chooseProxy(p *PreparedRequest, u *uri.URL, proxies Proxies) error {
	chosen := selectProxy(u, proxies)
	if chosen == "" {
		return nil
	}
	proxy, err := parseProxy(chosen)
	if err != nil {
		return err
	}
	c := &r.config.Proxy
	*c = ProxyConfig{Scheme: proxy.Scheme, Host: proxy.Host, Port: proxy.Port}
	if strings.HasPrefix(c.Scheme, "socks") {
		c.User, c.Password, c.Tunnel = proxy.User, proxy.Password, true
		return nil
	}
	c.Tunnel = r.config.Scheme == "https"
	c.Authorization = proxy.authorization()
	if c.Authorization == "" {
		c.Authorization = p.Headers.Get("Proxy-Authorization")
	}
	if c.Authorization == "" {
		c.Credentials = p.proxyCredentials
	}
	return nil
}

// forward makes the request one in absolute form. The proxy's credentials and headers
// stay in the value: no identity rides on a connection of another (rule 16).
func (r *route) forward(p *PreparedRequest, u *uri.URL) (err error) {
	c := &r.config.Proxy
	if r.config.Scheme == "https" {
		return fail(ErrInvalidProxyURL, "a request to https goes through a tunnel, never to the proxy itself")
	}
	r.proxyAuth = c.Authorization
	if r.proxyAuth == "" && c.Credentials != nil {
		if r.proxyAuth, err = p.ProxyAuthorization(proxyName(c.Scheme, c.Host, c.Port)); err != nil {
			return err
		}
	}
	r.forProxy = c.Headers
	r.host = u.Netloc()
	r.target, err = uri.AbsoluteTarget(p.URL)
	return urlError(err)
}

// once sends p so that it is acted on once: an HTTP/2 server may refuse it unseen.
func (a *HTTPAdapter) once(ctx context.Context, p *PreparedRequest, opts SendOptions, r *route) (*Response, error) {
	for refusals := 0; ; refusals++ {
		resp, err := a.try(ctx, p, opts, r)
		if err == nil || refusals == maxRefusals || !refusedUnseen(err, p) || p.Rewind() != nil {
			return resp, err
		}
	}
}

// try sends p on an idle connection if one is alive, else on a new one. An idle
// connection that dies before one byte of the reply is replaced by a new one if the
// request may be repeated (RFC 9110 section 9.2.2).
func (a *HTTPAdapter) try(ctx context.Context, p *PreparedRequest, opts SendOptions, r *route) (*Response, error) {
	if cc := a.reserveH2(&r.config); cc != nil {
		resp, err := a.sendH2(ctx, cc, p, opts, r.host)
		if err == nil || !lostH2(err, p) || p.Rewind() != nil {
			return resp, err
		}
	}
	for fresh := false; ; fresh = true {
		x := &exchange{method: p.Method, limits: &a.limits}
		reused, err := a.connect(ctx, x, r, opts, fresh)
		if err != nil {
			return nil, err
		}
		if x.conn.h2 {
			return a.overH2(ctx, x, p, opts, r)
		}
		x.watch(ctx)
		x.interim = interimOf(opts.Interim)
		err = x.roundTrip(p, r, opts)
		if err == nil {
			resp := x.response(p)
			resp.proxyAuth, resp.tunnel = r.proxyAuth != "", r.config.Proxy.Tunnel
			return resp, nil
		}
		stale := reused && !fresh && x.neverAnswered(err) && (isIdempotent(p.Method) || x.written == 0) && p.Replayable()
		err = x.failure(err, p)
		x.finish(err)
		if !stale {
			return nil, err
		}
		if err := p.Rewind(); err != nil {
			return nil, err
		}
	}
}

// connect lends x a connection and says whether it had been used before.
func (a *HTTPAdapter) connect(ctx context.Context, x *exchange, r *route, opts SendOptions, fresh bool) (bool, error) {
	lease, err := a.lease(ctx, r, opts, fresh)
	if err != nil {
		return false, err
	}
	c, reused := lease.Conn, lease.Reused
	if !reused {
		if c, err = a.dial(ctx, &r.config, opts); err != nil {
			a.pool.Drop(lease)
			return false, err
		}
	}
	x.conn = c
	x.adapter, x.lease = a, lease
	c.source.limit, c.source.deadline = limit(opts.Timeouts.Read), opts.Deadline
	return reused, nil
}

// lease takes an idle connection that is alive, or the right to open one.
func (a *HTTPAdapter) lease(ctx context.Context, r *route, opts SendOptions, fresh bool) (pool.Lease[ConnConfig, *conn], error) {
	lease, err := a.pool.Get(ctx, r.config, poolWait(opts))
	closeAll(lease.Stale)
	if err != nil {
		return lease, poolError(ctx, err, opts)
	}
	for lease.Reused && (fresh || !lease.Conn.quiet()) {
		_ = lease.Conn.Close()
		lease = a.pool.Again(lease)
	}
	return lease, nil
}

// poolWait is how long a request may wait for a connection of a full pool: no
// longer than it may take as a whole.
func poolWait(opts SendOptions) time.Duration {
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

func (a *HTTPAdapter) giveBack(lease pool.Lease[ConnConfig, *conn], c *conn, keep bool) {
	if !keep {
		_ = c.Close()
		a.pool.Drop(lease)
		return
	}
	closeAll(a.pool.Put(lease, c))
}

func (a *HTTPAdapter) dial(ctx context.Context, c *ConnConfig, opts SendOptions) (*conn, error) {
	plan, err := c.plan(a.tlsSessions(c))
	if err != nil {
		return nil, err
	}
	plan.ConnectTimeout, plan.ReadTimeout = limit(opts.Timeouts.Connect), limit(opts.Timeouts.Read)
	plan.Deadline = opts.Deadline
	nc, err := c.open(ctx, plan, opts.policy)
	if err != nil {
		return nil, dialError(ctx, err, opts)
	}
	pc := newConn(nc)
	pc.state, pc.plain = nc.TLS, nc.Plain()
	pc.h2 = nc.Protocol() == "h2" || c.HTTP2 == HTTP2Assumed && c.Scheme != "https"
	return pc, nil
}

// maxTLSSessions bounds what is remembered of pool keys that are no longer used.
const maxTLSSessions = 1000

// tlsSessions returns the TLS sessions of a pool key; they live as long as the adapter
// remembers the key.
func (a *HTTPAdapter) tlsSessions(c *ConnConfig) *tlsSessions {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.sessions[*c]
	if m == nil {
		if len(a.sessions) >= maxTLSSessions {
			clear(a.sessions)
		}
		m = newTLSSessions(c)
		a.sessions[*c] = m
	}
	return m
}

// quiet reports whether a connection is open and nothing has come in on it.
func (c *conn) quiet() bool { return dial.Alive(c.Conn) }

// neverAnswered reports whether the connection ended before the first byte of a
// reply, as an idle connection does that the server has given up.
func (x *exchange) neverAnswered(err error) bool {
	if x.stopped.Load() || x.conn.reader.Buffered() > 0 {
		return false
	}
	if e, ok := errors.AsType[*h1.Error](err); ok {
		return e.Code == h1.NoResponse || e.Code == h1.ReadFailed && isReset(e.Err)
	}
	return isReset(err)
}

// isIdempotent reports whether repeating the request has no further effect (RFC 9110
// section 9.2.2; QUERY by RFC 10008).
func isIdempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY":
		return true
	}
	return false
}

func interimOf(f func(int, Headers) error) func(*h1.ResponseHead) error {
	if f == nil {
		return nil
	}
	return func(h *h1.ResponseHead) error {
		return f(h.Status, Headers(h.Fields).Clone())
	}
}

// response makes the response of an exchange whose head has been read.
func (x *exchange) response(p *PreparedRequest) *Response {
	r := NewResponse(p, x.head.Status, Headers(x.head.Fields), x)
	r.Reason = cleanText(x.head.Reason)
	r.TLS = x.conn.state
	if x.head.Minor == 0 {
		r.Proto = "HTTP/1.0"
	}
	return r
}

var _ io.WriterTo = (*exchange)(nil)
