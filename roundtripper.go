package requests

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/wire"
)

// RoundTripper returns an [http.RoundTripper] that rides on the session: its
// mounts, headers, params, auth, cookies, hooks, proxies and timeouts. Any SDK that
// takes an *http.Client can be given
//
//	&http.Client{Transport: s.RoundTripper()}
//
// Redirects are followed by the client, but what they may lead to, and what they carry
// to another origin, is decided as for the session's own, by its Policy. The session's
// cookies are stored and sent as in Get; a request that comes with a Cookie header of
// its own (from the client's Jar) is sent with that alone, except that a session with a
// jar keeps such a header from going along to another origin. The body is decoded
// unless the request names an Accept-Encoding itself, as with [http.Transport].
func (s *Session) RoundTripper() http.RoundTripper { return sessionTransport{s} }

// AdapterTransport returns an [http.RoundTripper] that sends over one adapter, with
// no session: neither headers nor cookies are added, and bodies are not decoded. A
// redirect that a client follows over it must lead to http or https, or stay where it is.
func AdapterTransport(a Adapter) http.RoundTripper { return adapterTransport{a} }

type sessionTransport struct{ session *Session }

// RoundTrip implements [http.RoundTripper].
func (t sessionTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	defer closeBody(req)
	s := t.session
	r := &Request{Method: req.Method, URL: textOf(req.URL), Headers: headersOf(req), Send: streamed(req)}
	if body := streamerOf(req); body != nil {
		r.Body = body
	}
	if err := s.limitRedirected(r, req); err != nil {
		return nil, err
	}
	p, err := s.Prepare(r)
	if err != nil {
		return nil, err
	}
	p.crossed = leftOrigin(req, sameOrigin)
	p.frameLike(req)
	opts, err := s.mergeSend(p, r.Send)
	if err != nil {
		return nil, withRequest(err, p)
	}
	resp, err := s.sendHop(req.Context(), p, s.withDeadline(opts))
	if err != nil {
		return nil, err
	}
	return httpResponse(req, resp, req.Header.Get("Accept-Encoding") == ""), nil
}

type adapterTransport struct{ adapter Adapter }

// RoundTrip implements [http.RoundTripper].
func (t adapterTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	defer closeBody(req)
	r := &Request{Method: req.Method, URL: textOf(req.URL), Headers: headersOf(req)}
	if err := refuseRedirect(req); err != nil {
		return nil, err
	}
	if body := streamerOf(req); body != nil {
		r.Body = body
	}
	p, err := r.Prepare()
	if err != nil {
		return nil, err
	}
	p.frameLike(req)
	p.crossed = leftOrigin(req, sameOrigin)
	resp, err := sendThrough(req.Context(), t.adapter, p, streamed(req))
	if err != nil {
		return nil, withRequest(err, p)
	}
	return httpResponse(req, resp, false), nil
}

// CloseIdleConnections closes the adapter's idle connections, for
// [http.Client.CloseIdleConnections].
func (t adapterTransport) CloseIdleConnections() {
	if c, ok := t.adapter.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

// CloseIdleConnections closes the idle connections of the mounted adapters.
func (t sessionTransport) CloseIdleConnections() {
	for _, m := range t.session.mounts.all() {
		adapterTransport{m.adapter}.CloseIdleConnections()
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// headersOf gives a request's header an order: net/http's own, the names sorted.
func headersOf(req *http.Request) Headers {
	headers := make(Headers, 0, len(req.Header)+1)
	if req.Host != "" && req.Host != req.URL.Host {
		headers.Add("Host", req.Host)
	}
	names := make([]string, 0, len(req.Header))
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	if req.Close {
		headers.Add("Connection", "close")
	}
	for _, name := range names {
		for _, value := range req.Header[name] {
			headers.Add(name, strings.Trim(value, " \t"))
		}
	}
	return headers
}

// streamed leaves the body to the http.Client, and passes interim responses on to
// the context's trace.
func streamed(req *http.Request) SendOptions {
	opts := SendOptions{Stream: On, Redirects: Off}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.Got1xxResponse != nil {
		opts.Interim = func(status int, h Headers) error {
			return trace.Got1xxResponse(status, textproto.MIMEHeader(httpHeader(h)))
		}
	}
	return opts
}

// frameLike takes the framing over that the http.Request asks for.
func (p *PreparedRequest) frameLike(req *http.Request) {
	if p.body.None() && req.Header.Get("Content-Length") == "" && bareMethod(p.Method) {
		p.Headers.Del("Content-Length")
	}
}

// bareMethod lists the methods whose requests need no Content-Length: 0.
func bareMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT":
		return true
	}
	return false
}

// httpBody is the body of an http.Request as a Streamer.
type httpBody struct {
	io.Reader
	request *http.Request
}

func streamerOf(req *http.Request) io.Reader {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	b := &httpBody{Reader: req.Body, request: req}
	if req.GetBody == nil {
		return plainBody{b}
	}
	return b
}

// plainBody is a body that cannot be had again.
type plainBody struct{ body *httpBody }

func (b plainBody) Read(p []byte) (int, error) { return b.body.Read(p) }
func (b plainBody) Len() int64                 { return b.body.Len() }

// Len is the announced length, -1 if there is none.
func (b *httpBody) Len() int64 {
	if b.request.ContentLength <= 0 {
		return -1
	}
	return b.request.ContentLength
}

// Rewind starts the body again with GetBody.
func (b *httpBody) Rewind() error {
	again, err := b.request.GetBody()
	if err != nil {
		return err
	}
	b.Reader = again
	return nil
}

func httpHeader(h Headers) http.Header {
	header := make(http.Header, len(h))
	for _, f := range h {
		header.Add(f[0], f[1])
	}
	return header
}

// httpResponse makes net/http's response of ours. decode undoes the content
// coding that this package had asked for.
func httpResponse(req *http.Request, r *Response, decode bool) *http.Response {
	resp := &http.Response{
		StatusCode: r.StatusCode, Status: strings.TrimSpace(strconv.Itoa(r.StatusCode) + " " + r.Reason),
		Proto: r.Proto, Header: httpHeader(r.Headers), Request: req, TLS: r.TLS, ContentLength: -1,
	}
	resp.ProtoMajor, resp.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
	body := &httpResponseBody{response: r, target: resp, raw: !decode}
	resp.Body = body
	resp.ContentLength = wire.StreamOf(r.Raw).Remaining()
	if decode && resp.Header.Get("Content-Encoding") != "" {
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
	}
	return resp
}

// httpResponseBody reads a response for net/http and fills in the trailers at its end.
type httpResponseBody struct {
	response *Response
	target   *http.Response
	raw      bool
}

func (b *httpResponseBody) Read(p []byte) (int, error) {
	var n int
	var err error
	if b.raw && b.response.Raw != nil {
		n, err = b.response.Raw.Read(p)
	} else {
		n, err = b.response.Read(p)
	}
	if err == io.EOF {
		if trailers := b.response.Trailers(); len(trailers) > 0 {
			b.target.Trailer = httpHeader(trailers)
		}
	}
	return n, err
}

func (b *httpResponseBody) Close() error { return b.response.Close() }
