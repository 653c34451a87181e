package requests

import (
	"cmp"
	"context"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/uri"
	"github.com/mountable/requests/internal/version"
	"github.com/mountable/requests/internal/wire"
)

// route is where a request goes: the connection, and what its head says.
type route struct {
	config    ConnConfig
	target    string      // of the request line
	host      string      // of the Host header
	proxyAuth string      // Proxy-Authorization of a request in absolute form
	forProxy  ProxyFields // the other fields for the proxy, of such a request

	request wire.Request  // as an exchange sees it
	fields  [24][2]string // room for those of request
}

// routes are used again: what a request needs for a moment is much.
var routes = sync.Pool{New: func() any { return new(route) }}

// choose plans the connection: from the URL, the proxies, the editors, and last
// what the request itself asks for.
func (r *route) choose(a *HTTPAdapter, p *PreparedRequest, opts *SendOptions) error {
	to := p.at()
	if to.Err != nil {
		return urlError(to.Err)
	}
	u := &to.URL
	r.target, r.host = p.Target(), u.HostHeader()
	r.config.Scheme, r.config.Host, r.config.Port, r.config.Options = "http", u.DialHost(), u.EffectivePort(), defaultSocketOptions
	if u.Scheme == "https" {
		r.config.Scheme = "https"
	}
	if err := r.chooseProxy(p, u, opts); err != nil {
		return err
	}
	if len(a.editors) > 0 {
		if err := r.edit(a.editors, p); err != nil {
			return err
		}
	}
	if r.config.Guard != nil && r.forwarded() {
		r.config.Proxy.Tunnel = true // in absolute form the proxy would look the host up by itself
	}
	if r.config.Network == "unix" && p.crossed {
		return fail(ErrRedirectScheme, "redirect to %q refused: it is a Unix socket", redactURL(p.URL))
	}
	if r.forwarded() {
		if err := r.forward(p, u); err != nil {
			return err
		}
	}
	r.forMethod(p, u)
	return r.applyRequest(u, opts)
}

// checkScheme refuses what would be sent as plain HTTP for want of something better, unless
// an adapter's option says where connections lead: then it knows what the scheme means.
func (r *route) checkScheme(p *PreparedRequest) error {
	c, scheme := &r.config, p.at().URL.Scheme
	if scheme == "http" || scheme == "https" || c.Address != "" || c.Network != "" || c.Dial != nil {
		return nil
	}
	return fail(ErrInvalidSchema, "an HTTPAdapter carries http and https, not %q", scheme)
}

// forMethod is what CONNECT and requests for another protocol are sent differently in: the
// former names nothing but host and port (RFC 9110 section 9.3.6), and the latter are made
// over HTTP/1.1 (section 7.8).
func (r *route) forMethod(p *PreparedRequest, u *uri.URL) {
	if p.Method == "CONNECT" && p.given == nil {
		r.target = ascii.JoinHostPort(u.DialHost(), u.EffectivePort())
	}
	if r.config.HTTP2 != HTTP1Only && p.upgrades() {
		r.config.HTTP2 = HTTP1Only
	}
}

// edit runs the editors.
func (r *route) edit(editors []ConnEditor, p *PreparedRequest) error {
	for _, edit := range editors {
		if err := edit(&r.config, p); err != nil {
			return err
		}
	}
	return r.config.checkComparable()
}

// applyRequest puts the request's Verify and Cert over what the editors chose, and
// leaves out of the value what makes no difference, so that requests share
// connections where they can.
func (r *route) applyRequest(u *uri.URL, opts *SendOptions) error {
	c := &r.config
	if err := opts.Cert.check(); err != nil {
		return err
	}
	if c.Scheme != "https" {
		c.TLS = TLSConfig{}
	} else {
		c.TLS.apply(opts)
		c.TLS.Cert = opts.Cert.or(c.TLS.Cert)
		if err := c.TLS.Verify.check(); err != nil {
			return err
		}
	}
	if c.Proxy.Scheme != "https" {
		c.Proxy.TLS = TLSConfig{}
	} else {
		c.Proxy.TLS.apply(opts)
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
func (r *route) chooseProxy(p *PreparedRequest, u *uri.URL, opts *SendOptions) error {
	if _, err := opts.Proxies.normal(); err != nil && !opts.merged {
		return err // of a caller's; Session has looked at those it merged
	}
	chosen := selectProxy(u, opts.Proxies)
	if chosen == "" {
		return nil
	}
	proxy, err := parseProxy(chosen)
	if err != nil {
		return opts.proxyBy.explain(err)
	}
	c := &r.config.Proxy
	*c = ProxyConfig{Scheme: proxy.Scheme, Host: proxy.Host, Port: proxy.Port}
	if strings.HasPrefix(c.Scheme, "socks") {
		c.User, c.Password, c.Tunnel = proxy.User, proxy.Password, true
		return nil
	}
	c.Tunnel = r.config.Scheme == "https"
	c.Authorization = proxyAuthorization(&proxy)
	if c.Authorization == "" {
		c.Authorization = p.Headers.Get("Proxy-Authorization")
	}
	if c.Authorization == "" {
		c.Credentials = p.proxyCredentials
	}
	return nil
}

// forward makes the request one in absolute form. The proxy's credentials and headers
// stay in the value: no identity rides on a connection of another.
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
	if p.given != nil {
		ok := false
		if r.target, ok = p.given.Absolute(p.Method, u); !ok {
			return fail(ErrInvalidURL, "a proxy is not asked for a target that is not of the URL's host")
		}
		return nil
	}
	if exact := p.at().Target; exact != "" {
		r.target = u.Scheme + "://" + u.Netloc() + exact
		return nil
	}
	r.target, err = uri.AbsoluteTarget(p.URL)
	return urlError(err)
}

// describe tells an exchange what p sends along r.
func (p *PreparedRequest) describe(ctx context.Context, r *route, opts *SendOptions) {
	read := limit(opts.Timeouts.Read)
	req := &r.request
	*req = wire.Request{
		Method: p.Method, Scheme: r.config.Scheme, Authority: r.host, Target: r.target,
		Fields: p.wireFields(r.fields[:0], r, opts.policy != nil && opts.policy.HeadersAsRequests),
		Limits: wire.Limits{Read: read, Write: read, Deadline: opts.Deadline},
		Trace:  httptrace.ContextClientTrace(ctx),
	}
	req.Interim = nethttp.Interim(opts.Interim, req.Trace)
	if p.expectsContinue() {
		req.ContinueWait = cmp.Or(opts.Timeouts.Continue, time.Second)
	}
	if host := p.Headers.Get("Host"); host != "" {
		req.Authority = host
	}
	if !p.body.None() {
		req.Body = &p.body
	}
	if p.Trailers != nil {
		req.Trailers = func() [][2]string { return p.Trailers() }
	}
	req.AsGiven = p.given != nil
}

// expectsContinue reports whether the body waits for the server to ask for it.
func (p *PreparedRequest) expectsContinue() bool {
	return !p.body.None() && strings.EqualFold(p.Headers.Get("Expect"), "100-continue")
}

// wireFields lists the fields of the head: Host first, then the prepared ones as they are, and no
// other that p goes without, unless it is named. Proxy-Authorization goes to a proxy or nowhere.
func (p *PreparedRequest) wireFields(fields [][2]string, r *route, named bool) [][2]string {
	if !p.Headers.Has("Host") {
		fields = append(fields, [2]string{"Host", r.host})
	}
	if named && p.given == nil {
		fields = version.AddNames(fields, p.Headers.Has)
	}
	proxyAuth := r.proxyAuth
	for _, field := range p.Headers {
		if ascii.EqualFold(field[0], "proxy-authorization") {
			if !r.forwarded() {
				continue
			}
			if proxyAuth != "" {
				field[1], proxyAuth = proxyAuth, ""
			}
		}
		if field[1] == "" && p.given != nil && ascii.EqualFold(field[0], "user-agent") {
			continue // suppressed
		}
		fields = append(fields, field)
	}
	if proxyAuth != "" {
		fields = append(fields, [2]string{"Proxy-Authorization", proxyAuth})
	}
	return r.forProxy.over(fields)
}

// traced is connect, and tells the trace of the context about it.
func (a *HTTPAdapter) traced(ctx context.Context, r *route, opts *SendOptions, fresh bool) (*conn, connLease, error) {
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
	idle := c.idle
	if c.h2 != nil {
		idle = c.rest.Since()
	}
	if lease.Reused && !idle.IsZero() {
		info.WasIdle, info.IdleTime = true, time.Since(idle)
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
