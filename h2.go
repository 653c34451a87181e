package requests

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/dial"
)

// HTTP2 offers HTTP/2 to https servers by ALPN. A server that does not take it is
// spoken to in HTTP/1.1 as always. Header names are lower-case and unordered on
// such connections, as the protocol and the standard library have it.
func HTTP2(on bool) AdapterOption {
	mode := HTTP1Only
	if on {
		mode = HTTP2Offered
	}
	return http2Mode(mode)
}

// HTTP2PriorKnowledge speaks HTTP/2 without asking, in the clear as well (RFC 9113
// section 3.3). A server that does not understand it is [ErrConnection].
func HTTP2PriorKnowledge() AdapterOption { return http2Mode(HTTP2Assumed) }

func http2Mode(mode HTTP2Mode) AdapterOption {
	return ConfigureConn(func(c *ConnConfig, _ *PreparedRequest) error {
		if c.Scheme == "https" || mode == HTTP2Assumed {
			c.HTTP2 = mode
		}
		return nil
	})
}

// Health checks of HTTP/2 connections: a connection on which nothing has come for
// pingAfter is asked, and given up if it does not answer within pingWait.
const (
	pingAfter = 15 * time.Second
	pingWait  = 10 * time.Second
)

// h2Pool keeps the HTTP/2 connections of an adapter. Requests to one place share a
// connection up to the number of streams the server allows.
type h2Pool struct {
	mu        sync.Mutex
	places    map[ConnConfig][]*http.ClientConn
	used      []ConnConfig // least recently used first
	transport *http.Transport
}

// dialled carries a connection that is already open through net/http's dialing.
type dialled struct{}

func (h *h2Pool) init() {
	if h.transport != nil {
		return
	}
	h.places = map[ConnConfig][]*http.ClientConn{}
	lent := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ctx.Value(dialled{}).(net.Conn), nil
	}
	h.transport = &http.Transport{
		DialContext: lent, DialTLSContext: lent, DisableCompression: true, MaxResponseHeaderBytes: 256 << 10,
		Protocols: new(http.Protocols), HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWait},
	}
	h.transport.Protocols.SetHTTP2(true)
	h.transport.Protocols.SetUnencryptedHTTP2(true)
}

// reserve returns a connection with a free stream, nil if there is none.
func (h *h2Pool) reserve(key ConnConfig) *http.ClientConn {
	h.mu.Lock()
	defer h.mu.Unlock()
	conns := slices.DeleteFunc(h.places[key], func(c *http.ClientConn) bool { return c.Err() != nil })
	if h.places != nil {
		h.places[key] = conns
	}
	for _, c := range conns {
		if c.Reserve() == nil {
			h.touch(key)
			return c
		}
	}
	return nil
}

// add makes an HTTP/2 connection of an open one, with a stream reserved.
func (h *h2Pool) add(ctx context.Context, key ConnConfig, c *conn, limit int) (*http.ClientConn, error) {
	h.mu.Lock()
	h.init()
	transport := h.transport
	h.mu.Unlock()
	open := c.Conn.Conn
	if d, ok := open.(*dial.Conn); ok {
		if t, ok := d.Conn.(*tls.Conn); ok {
			open = t // net/http looks at what ALPN chose
		}
	}
	cc, err := transport.NewClientConn(context.WithValue(ctx, dialled{}, open), key.Scheme, ascii.JoinHostPort(key.Host, key.Port))
	if err != nil {
		_ = c.Close()
		return nil, &Error{Kind: ErrConnection, Err: err}
	}
	if err := cc.Reserve(); err != nil {
		_ = cc.Close()
		return nil, &Error{Kind: ErrConnection, Err: err}
	}
	h.mu.Lock()
	h.places[key] = append(h.places[key], cc)
	h.touch(key)
	evicted := h.evict(limit)
	h.mu.Unlock()
	closeH2(evicted)
	return cc, nil
}

// touch makes key the most recently used one.
func (h *h2Pool) touch(key ConnConfig) {
	if i := slices.Index(h.used, key); i >= 0 {
		h.used = slices.Delete(h.used, i, i+1)
	}
	h.used = append(h.used, key)
}

// evict forgets the places beyond the limit and returns their connections.
func (h *h2Pool) evict(limit int) []*http.ClientConn {
	var evicted []*http.ClientConn
	for len(h.used) > max(limit, 1) {
		evicted = append(evicted, h.places[h.used[0]]...)
		delete(h.places, h.used[0])
		h.used = h.used[1:]
	}
	return evicted
}

// closeAll forgets every connection: idle ones are closed at once, others when
// their last response has been read.
func (h *h2Pool) closeAll() {
	h.mu.Lock()
	evicted := h.evict(0)
	for _, key := range h.used {
		evicted = append(evicted, h.places[key]...)
	}
	h.used = nil
	clear(h.places)
	h.mu.Unlock()
	closeH2(evicted)
}

// closeH2 closes connections as soon as nothing is under way on them.
func closeH2(conns []*http.ClientConn) {
	for _, c := range conns {
		c.SetStateHook(func(c *http.ClientConn) {
			if c.InFlight() == 0 {
				_ = c.Close()
			}
		})
		if c.InFlight() == 0 {
			_ = c.Close()
		}
	}
}

// reserveH2 returns an open HTTP/2 connection with a free stream, if there is one.
func (a *HTTPAdapter) reserveH2(c *ConnConfig) *http.ClientConn {
	if c.HTTP2 == HTTP1Only {
		return nil
	}
	return a.h2.reserve(*c)
}

// lostH2 reports whether p may be sent again on a new connection: an older one was
// lost, and repeating p does no harm.
func lostH2(err error, p *PreparedRequest) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == ErrConnection && isRepeatable(p) && p.Replayable()
}

// overH2 takes a connection that has just been opened out of the pool of HTTP/1.1
// and sends p on it.
func (a *HTTPAdapter) overH2(ctx context.Context, c *conn, p *PreparedRequest, opts SendOptions, r *route) (*Response, error) {
	a.pool.Drop(c.lease)
	cc, err := a.h2.add(ctx, r.config, c, a.places())
	if err != nil {
		return nil, withRequest(err, p)
	}
	return a.sendH2(ctx, cc, p, opts, r.host)
}

// places is how many places keep connections.
func (a *HTTPAdapter) places() int {
	if a.config.Keys == 0 {
		return 10
	}
	return a.config.Keys
}

// sendH2 sends p on a reserved stream of cc. Host is the same as over HTTP/1.1: what
// net/http would make of the URL has the zone of an address in it (rule 24).
func (a *HTTPAdapter) sendH2(ctx context.Context, cc *http.ClientConn, p *PreparedRequest, opts SendOptions, host string) (*Response, error) {
	x := &h2Exchange{}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	x.clock.limit, x.clock.cancel = limit(opts.Timeouts.Read), x.cancel
	if !opts.Deadline.IsZero() {
		x.total = time.AfterFunc(time.Until(opts.Deadline), func() { x.cancel(errTotal) })
	}
	x.ctx = x.tracing(opts.Interim)
	req, err := x.request(p, host)
	if err != nil {
		cc.Release()
		x.stop()
		return nil, err
	}
	x.clock.start(errRead)
	resp, err := cc.RoundTrip(req)
	x.clock.stop()
	if err != nil {
		err = x.failure(err, p)
		x.stop()
		return nil, err
	}
	x.body = resp.Body
	return x.response(p, resp), nil
}

// h2Exchange is one request and its reply on an HTTP/2 stream, and the body of the
// response as its Raw.
type h2Exchange struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	clock  readClock
	total  *time.Timer // of Timeouts.Total
	resp   *http.Response
	body   io.ReadCloser
	left   int64
	ended  bool

	refused atomic.Pointer[Error] // what SendOptions.Interim returned
}

// The causes a stream is cancelled for by its time limits.
var (
	errRead  = &Error{Kind: ErrReadTimeout, Err: errOverdue, Detail: "nothing received in time (Timeouts.Read)"}
	errBody  = &Error{Kind: ErrBodyTimeout, Err: errOverdue, Detail: "nothing more received in time (Timeouts.Read)"}
	errTotal = totalTimeout()
)

// readClock cancels a stream on which one wait for bytes takes too long. net/http
// reads a request's body on a goroutine of its own, hence the lock.
type readClock struct {
	limit  time.Duration // 0 for none
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	timer  *time.Timer
}

// start begins a wait, in the place of the one before.
func (c *readClock) start(cause error) {
	if c.limit <= 0 {
		return
	}
	c.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(c.limit, func() { c.cancel(cause) })
}

func (c *readClock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// stop ends the stream and everything that was started for it.
func (x *h2Exchange) stop() {
	x.clock.stop()
	if x.total != nil {
		x.total.Stop()
	}
	x.cancel(nil)
}

// tracing passes interim responses on. An error ends the request.
func (x *h2Exchange) tracing(interim func(int, Headers) error) context.Context {
	if interim == nil {
		return x.ctx
	}
	return httptrace.WithClientTrace(x.ctx, &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
		err := interim(status, sortedHeaders(http.Header(h)))
		if err != nil {
			x.refused.Store(&Error{Kind: ErrRequest, Err: err, written: true}) // nothing that sending again would mend
		}
		return err
	}})
}

// request makes net/http's request of p.
func (x *h2Exchange) request(p *PreparedRequest, host string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(x.ctx, p.Method, p.URL, nil)
	if err != nil {
		return nil, &Error{Kind: ErrInvalidURL, Err: err}
	}
	req.URL.User, req.URL.Fragment, req.Host = nil, "", host
	for _, f := range p.Headers {
		switch name := http.CanonicalHeaderKey(f[0]); name {
		case "Host":
			req.Host = f[1]
		case "Connection", "Transfer-Encoding", "Proxy-Authorization", "Keep-Alive", "Content-Length":
			// connection-specific (RFC 9113 section 8.2.2), or said by the framing
		default:
			req.Header.Add(name, f[1])
		}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", transportUserAgent)
	}
	if !p.body.None() {
		req.Body = &h2Body{body: &p.body, clock: &x.clock}
		req.ContentLength = p.body.Len()
	}
	return req, nil
}

// failure gives an error its kind: that of the time limit that ended the stream.
func (x *h2Exchange) failure(err error, p *PreparedRequest) error {
	if refused := x.refused.Load(); refused != nil {
		return refused
	}
	e := &Error{Kind: ErrConnection, Err: err, Request: p, written: !unprocessed(err)}
	if limit, ok := errors.AsType[*Error](context.Cause(x.ctx)); ok {
		e.Kind, e.Detail, e.Err = limit.Kind, limit.Detail, limit.Err
		return e
	}
	if x.ctx.Err() != nil {
		over := contextError(x.ctx)
		e.Kind, e.Err = over.Kind, over.Err
	}
	return e
}

func (x *h2Exchange) response(p *PreparedRequest, resp *http.Response) *Response {
	x.resp, x.left = resp, resp.ContentLength
	if p.Method == "HEAD" || resp.StatusCode == 204 || resp.StatusCode == 304 {
		x.left = 0
	}
	r := NewResponse(p, resp.StatusCode, sortedHeaders(resp.Header), x)
	r.Reason, r.Proto, r.TLS = "", resp.Proto, resp.TLS
	return r
}

// Read reads the body, each wait within the read timeout.
func (x *h2Exchange) Read(b []byte) (int, error) {
	x.clock.start(errBody)
	n, err := x.body.Read(b)
	x.clock.stop()
	if x.left > 0 {
		x.left = max(x.left-int64(n), 0)
	}
	switch {
	case err == io.EOF:
		x.ended = true
		x.stop()
	case err != nil:
		err = x.failure(err, nil)
		if e := err.(*Error); e.Kind == ErrConnection {
			e.Kind = ErrChunkedEncoding
		}
		x.stop()
	}
	return n, err
}

// Close ends the stream; the connection stays.
func (x *h2Exchange) Close() error {
	err := x.body.Close()
	x.stop()
	if x.ended {
		return nil
	}
	return err
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (x *h2Exchange) Remaining() int64 { return x.left }

// Trailers returns the fields after the body.
func (x *h2Exchange) Trailers() [][2]string { return sortedHeaders(x.resp.Trailer) }

// sortedHeaders gives net/http's header an order.
func sortedHeaders(h http.Header) Headers {
	headers := make(Headers, 0, len(h))
	for name, values := range h {
		for _, value := range values {
			headers.Add(name, value)
		}
	}
	slices.SortStableFunc(headers, func(a, b [2]string) int {
		if a[0] < b[0] {
			return -1
		}
		return 1
	})
	return headers
}

// h2Body reads a prepared body for net/http, which may close it while it is being read.
type h2Body struct {
	body  *body.Body
	clock *readClock

	mu   sync.Mutex
	src  io.Reader // nil until the first Read
	stop func()
	done bool
}

func (b *h2Body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return 0, io.EOF
	}
	if b.src == nil {
		b.src, b.stop = b.body.Open()
	}
	b.clock.stop() // the server is not expected to speak while it is listening
	n, err := b.src.Read(p)
	if err != nil {
		b.finish()
		b.clock.start(errRead)
	}
	return n, err
}

// Close ends the reading of an iterator; readers stay the caller's.
func (b *h2Body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish()
	return nil
}

func (b *h2Body) finish() {
	if !b.done && b.stop != nil {
		b.stop()
	}
	b.done = true
}
