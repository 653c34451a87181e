package requests

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/netrc"
	"github.com/mountable/requests/internal/prefix"
	"github.com/mountable/requests/internal/proxyenv"
)

// Session sends requests with common settings, keeps cookies from one to the next, and keeps
// connections open between them.
//
// Make one with [NewSession] and set its fields before using it; after that it is safe for
// concurrent requests, as are its jar, its auth and its adapters. Nothing of a single call stays
// in the session but cookies and connections.
type Session struct {
	BaseURL      string       // relative URLs resolve against it; see Prepare
	Headers      Headers      // sent with every request; see DefaultHeaders. Nothing replaces what is deleted
	Params       Params       // added to the query of every request
	Auth         Auth         // nil: netrc, then the URL's user info
	Cookies      *CookieJar   // cookies of all responses, sent back by the jar's rules
	HSTS         *HSTS        // hosts that want https only; nil, the default, for none
	Proxies      Proxies      // by scheme, "scheme://host" or "all"
	ProxyFunc    ProxyFunc    // asked first, if set
	Hooks        []Hook       // called with every response, unless the request has hooks of its own
	Verify       Verification // how servers' certificates are checked
	Cert         Certificate  // shown to servers that ask for one
	Stream       bool         // leave bodies to the caller by default
	Timeouts     Timeouts     // DefaultTimeouts by NewSession; the zero value has no limits
	Codecs       Codecs       // of the media types that are read and written otherwise than usual
	Limits       Limits       // of what a response may bring; zero means its defaults
	MaxRedirects int          // 30 by NewSession; beyond it ErrTooManyRedirects
	TrustEnv     bool         // proxy and CA variables and netrc are consulted; true by NewSession
	Policy       Policy       // switches to Requests' way where this package is safer

	// OnRedirect is called before a redirect is followed, with the next request, which it may change, and all of which goes
	// where its URL then leads. Its error ends the call; [http.ErrUseLastResponse] makes r the last response, with Next.
	OnRedirect func(ctx context.Context, r *Response, next *PreparedRequest) error

	// RaiseForStatus makes a status from 400 to 599 an error of the call, that of
	// [Response.RaiseForStatus]; up to 1 MiB of the body is read for it, and a longer one is not told of.
	RaiseForStatus bool

	mounts  prefix.Table[Adapter]
	netrc   netrc.Cache
	environ proxyenv.Environ
}

// NewSession returns a Session with the default headers, [DefaultTimeouts], an empty cookie
// jar and an [HTTPAdapter] mounted on "https://" and on "http://".
func NewSession() *Session {
	block := new(sessionBlock)
	s := &block.session
	s.Headers, s.Cookies, s.Timeouts, s.MaxRedirects, s.TrustEnv = DefaultHeaders(), &block.jar, DefaultTimeouts(), 30, true
	s.Mount("https://", block.https.adapter())
	s.Mount("http://", block.http.adapter())
	return s
}

// sessionBlock is a Session and what it begins with, in one allocation.
type sessionBlock struct {
	session     Session
	jar         CookieJar
	https, http adapterBlock
}

// Clone returns a session with the same settings, which can be changed apart: headers, params,
// proxies, hooks, codecs and cookies are copied. Both share Auth, HSTS, functions and the mounted
// adapters with their connections; Close of either closes the idle ones.
func (s *Session) Clone() *Session {
	c := &Session{
		BaseURL: s.BaseURL, Headers: s.Headers.Clone(), Params: slices.Clone(s.Params), Auth: s.Auth, HSTS: s.HSTS,
		Proxies: maps.Clone(s.Proxies), ProxyFunc: s.ProxyFunc, Hooks: slices.Clone(s.Hooks), Verify: s.Verify, Cert: s.Cert,
		Stream: s.Stream, Timeouts: s.Timeouts, Codecs: maps.Clone(s.Codecs), Limits: s.Limits, MaxRedirects: s.MaxRedirects, TrustEnv: s.TrustEnv, Policy: s.Policy, RaiseForStatus: s.RaiseForStatus, OnRedirect: s.OnRedirect,
	}
	if s.Cookies != nil {
		c.Cookies = s.Cookies.Clone()
	}
	for _, m := range s.mounts.All() {
		c.Mount(m.Prefix, m.Value)
	}
	return c
}

// OnResponse adds hooks that see every response of this session.
func (s *Session) OnResponse(hooks ...Hook) { s.Hooks = append(s.Hooks, hooks...) }

// Close closes the mounted adapters and with them their idle connections. The
// session may be used again.
func (s *Session) Close() error {
	var first error
	for _, m := range s.mounts.All() {
		if body.IsNil(m.Value) {
			continue
		}
		if err := m.Value.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Get sends a GET request.
func (s *Session) Get(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.Request(ctx, "GET", url, options...)
}

// Options sends an OPTIONS request.
func (s *Session) Options(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.Request(ctx, "OPTIONS", url, options...)
}

// Head sends a HEAD request. Alone among the verbs, it does not follow redirects unless asked.
func (s *Session) Head(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.request(ctx, "HEAD", url, Off, options)
}

// Post sends a POST request.
func (s *Session) Post(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.Request(ctx, "POST", url, options...)
}

// Put sends a PUT request.
func (s *Session) Put(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.Request(ctx, "PUT", url, options...)
}

// Patch sends a PATCH request.
func (s *Session) Patch(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.Request(ctx, "PATCH", url, options...)
}

// Delete sends a DELETE request.
func (s *Session) Delete(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.Request(ctx, "DELETE", url, options...)
}

// Query sends a QUERY request (RFC 10008): a GET with a body, safe and idempotent.
func (s *Session) Query(ctx context.Context, url string, options ...Option) (*Response, error) {
	return s.Request(ctx, "QUERY", url, options...)
}

// Request sends a request with any method and returns the response with its body
// read, unless it is to be streamed. A response of any status is not an error; see
// [Response.RaiseForStatus]. Every error of this package is an [*Error] that names
// method and URL; what an Option, Auth, Hook, ProxyFunc or Adapter of the caller's
// returns comes back as it is. Should one of these panic, the connection is closed
// and the panic goes on.
func (s *Session) Request(ctx context.Context, method, url string, options ...Option) (*Response, error) {
	return s.request(ctx, method, url, Inherit, options)
}

func (s *Session) request(ctx context.Context, method, url string, redirects Toggle, options []Option) (*Response, error) {
	r := newRequest(options)
	r.Method, r.URL, r.Send.Redirects = method, url, redirects
	if err := r.apply(options); err != nil {
		return nil, r.named(err)
	}
	resp, err := s.Do(ctx, r)
	r.release()
	return resp, err
}

// Do prepares r with the session's settings and the environment's, and sends it.
func (s *Session) Do(ctx context.Context, r *Request) (*Response, error) {
	var during *call
	if r != nil && s != nil && (len(r.Files) > 0 || r.Auth != nil || s.Auth != nil) { // nothing else waits
		during = &call{ctx: ctx}
	}
	p, err := s.prepareDuring(during, r)
	if err != nil {
		return nil, err
	}
	opts := r.Send
	if err := s.mergeFor(p, &opts); err != nil {
		return nil, withRequest(err, p)
	}
	if during != nil && !during.deadline.IsZero() {
		opts.Deadline = during.deadline
	}
	return s.send(ctx, p, &opts)
}

// Prepare merges r with the session's headers, params, cookies, auth and hooks
// and encodes it. r is not changed, but a reader in it may be read.
//
// A relative URL is resolved against BaseURL, as RFC 3986 section 5 and Python's urljoin
// have it:
//
//	BaseURL                       URL          request
//	https://h.example/v1/         users        https://h.example/v1/users
//	https://h.example/v1          users        https://h.example/users
//	https://h.example/v1/         /users       https://h.example/users
//	https://h.example/v1/         //o.example  https://o.example/
//	https://h.example/v1/         https://o/x  https://o/x
//
// So a BaseURL usually ends with a slash, and URLs do not start with one. What the session
// adds is meant for the origin of BaseURL: a request for another one, as in the last two
// rows, goes without the session's Auth, Params and unbound cookies, and with those headers
// alone that a redirect could carry there, unless Policy.SettingsBeyondBase is set. What the
// request itself has goes along.
func (s *Session) Prepare(r *Request) (*PreparedRequest, error) { return s.prepareDuring(nil, r) }

// prepareDuring is Prepare, which ends with the call where reading Files, or an Auth, may wait.
func (s *Session) prepareDuring(c *call, r *Request) (*PreparedRequest, error) {
	if s == nil || r == nil {
		return nil, fail(ErrInvalidArgument, "a Session and a Request are needed, and one is nil")
	}
	d := defaults{base: s.BaseURL, headers: s.Headers, params: s.Params, auth: s.Auth, jar: s.Cookies, hooks: s.Hooks, hsts: s.HSTS, codecs: s.Codecs, policy: &s.Policy, call: c}
	if c != nil {
		opts := r.Send
		s.mergeSession(&opts)
		opts.startClock()
		c.deadline = opts.Deadline
	}
	if s.TrustEnv {
		d.netrc = s
	}
	return r.prepare(&d)
}

// Send sends a prepared request as it is, with what opts leaves open taken from
// the session and the environment as in Get. Cookies, auth and params are not
// added; cookies of the response are stored, and redirects followed.
func (s *Session) Send(ctx context.Context, p *PreparedRequest, opts SendOptions) (*Response, error) {
	if s == nil || p == nil {
		return nil, fail(ErrInvalidArgument, "a Session and a prepared request are needed, and one is nil")
	}
	return s.send(ctx, p, &opts)
}

func (s *Session) send(ctx context.Context, p *PreparedRequest, opts *SendOptions) (*Response, error) {
	p = s.HSTS.secured(p)
	if err := s.mergeSend(p, opts); err != nil {
		return nil, withRequest(err, p)
	}
	opts.startClock()
	previous := opts.previous
	opts.previous = nil // a response would keep all that came before it
	r, err := s.sendHop(ctx, p, opts)
	if err == nil {
		r, err = s.finish(ctx, r, opts)
	}
	if err == nil && r.StatusCode == 304 && previous != nil {
		err = withResponse(r.unchanged(previous), r)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// finish follows redirects and reads the body. Whatever ends it early, a panic of the
// caller's code included, the connection is let go.
func (s *Session) finish(ctx context.Context, r *Response, opts *SendOptions) (done *Response, err error) {
	defer func() {
		if done == nil {
			r.Close()
		}
	}()
	if opts.Redirects == On {
		last, err := s.follow(ctx, r, opts)
		if err != nil {
			return nil, err
		}
		r = last
	} else if err := s.prepareNext(r, opts); err != nil {
		return nil, err
	}
	if s.RaiseForStatus && !r.OK() && (r.Request == nil || r.Request.given == nil) {
		drain(r)
		return nil, r.RaiseForStatus()
	}
	if opts.Stream != On && !r.leftHTTP() {
		if _, err := r.Content(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// sendHop does one hop: adapter, hooks, cookies.
func (s *Session) sendHop(ctx context.Context, p *PreparedRequest, opts *SendOptions) (*Response, error) {
	adapter, err := s.Adapter(p.URL)
	if err != nil {
		return nil, withRequest(err, p)
	}
	start := time.Now()
	r, err := sendThrough(ctx, adapter, p, opts)
	if err != nil {
		return nil, withRequest(err, p)
	}
	r.Elapsed = time.Since(start)
	s.HSTS.learn(r)
	r.span.measured(start, r.Elapsed)
	if len(p.Hooks) > 0 {
		if r, err = dispatch(ctx, p.Hooks, r); err != nil {
			return nil, err
		}
	}
	s.storeCookies(r)
	return r, nil
}

// sendThrough sends through an adapter and lets the response know how it came, so that
// a hook can send again.
func sendThrough(ctx context.Context, a Adapter, p *PreparedRequest, opts *SendOptions) (*Response, error) {
	switch {
	case ctx == nil:
		return nil, fail(ErrInvalidArgument, "the context is nil")
	case p == nil:
		return nil, fail(ErrInvalidArgument, "the prepared request is nil")
	case body.IsNil(a):
		return nil, fail(ErrInvalidArgument, "the adapter is a nil %T", a)
	}
	r, err := a.Send(ctx, p, *opts)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fail(ErrInvalidArgument, "the adapter for %s returned neither a response nor an error", redactURL(p.URL))
	}
	r.complete(p, a, opts)
	return r, nil
}

// storeCookies keeps the cookies of the responses that hooks have put into the
// history (a challenge that was answered), then those of the response itself. A
// response that a hook made up has no request and leaves no cookies.
func (s *Session) storeCookies(r *Response) {
	if s.Cookies == nil {
		return
	}
	stored := false
	defer func() {
		if !stored {
			r.Close() // a CookieFilter panicked
		}
	}()
	for _, earlier := range r.History {
		s.Cookies.store(earlier, &s.Policy)
	}
	s.Cookies.store(r, &s.Policy)
	stored = true
}

// Upgrade asks the server of url to go on in another protocol ("websocket", "h2c", the
// name of one's own; RFC 9110 section 7.8), and returns the connection once it has agreed
// with 101. The request is a GET with the session's headers, cookies, auth, proxies and TLS, and
// what options say; redirects and challenges before the 101 are followed as ever. It goes
// over HTTP/1.1.
//
// The connection belongs to the caller, who closes it: neither the context nor the
// session's time limits hold for it any more. It has CloseWrite where the transport has,
// and may be read, written and closed by several goroutines. Any other response than 101
// is an [ErrHTTP] or, for a status below 400, an [ErrConnection], with the response, whose
// body has been read.
func (s *Session) Upgrade(ctx context.Context, url, protocol string, options ...Option) (io.ReadWriteCloser, *Response, error) {
	r := &Request{Method: "GET", URL: url}
	if err := r.apply(options); err != nil {
		return nil, nil, err
	}
	r.Headers = append(r.Headers.Clone(), [2]string{"Connection", "Upgrade"}, [2]string{"Upgrade", protocol})
	resp, err := s.Do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if conn, ok := resp.Conn(); ok {
		return conn, resp, nil
	}
	drain(resp)
	if err := resp.RaiseForStatus(); err != nil {
		return nil, resp, err
	}
	return nil, resp, withResponse(fail(ErrConnection, "the server did not switch to %q: it responded %d %s", protocol, resp.StatusCode, resp.Reason), resp)
}
