package adapters

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/mountable/requests"
)

// RoundTripper makes an adapter of any [http.RoundTripper]: net/http's own transports,
// instrumented ones, recorders and mocks. nil is [http.DefaultTransport]. The way back is
// [requests.AdapterTransport] and [requests.Session.RoundTripper].
//
// Bodies stream both ways, contexts cancel, time limits are those of the send; trailers,
// 1xx responses and the TLS state pass. What net/http decides stays its own: header
// fields lose their order and the case of their names, and Verify, Cert and Proxies of a
// send are the transport's business, so its TLS and proxy configuration counts and not
// the session's. Close closes idle connections where rt can.
func RoundTripper(rt http.RoundTripper) requests.Adapter {
	if rt == nil {
		rt = http.DefaultTransport
	}
	return &roundTripper{rt}
}

type roundTripper struct{ transport http.RoundTripper }

// CloseIdle closes idle connections, for [requests.AdapterTransport].
func (a *roundTripper) CloseIdle() {
	if c, ok := a.transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Close implements [requests.Adapter].
func (a *roundTripper) Close() error {
	a.CloseIdle()
	return nil
}

// Send implements [requests.Adapter].
func (a *roundTripper) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	w := newWatch(ctx, opts)
	var body *sentBody
	kept := false
	defer func() {
		if kept {
			return
		}
		if body != nil { // failed, or the RoundTripper has panicked
			_ = body.last().Close()
		}
		w.end()
	}()
	req, body, err := outgoing(p, w, opts)
	if err != nil {
		return nil, err
	}
	w.start(opts.Timeouts.Read, reading)
	resp, err := a.transport.RoundTrip(req)
	w.stop()
	if err == nil && resp == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	if body != nil {
		if err == nil {
			err = body.last().overlong()
		}
		if resp != nil && resp.Body != nil && (err != nil || body.last().panicked.Load() != nil) {
			_ = resp.Body.Close()
		}
		body.rethrow()
	}
	if err != nil {
		return nil, transportFailure(p, w, body, err)
	}
	kept = true
	return incoming(p, w, body, resp), nil
}

// outgoing makes net/http's request of p.
func outgoing(p *requests.PreparedRequest, w *watch, opts requests.SendOptions) (*http.Request, *sentBody, error) {
	ctx := httptrace.WithClientTrace(w.ctx, w.trace(opts))
	req, err := http.NewRequestWithContext(ctx, p.Method, p.URL, nil)
	if err == nil {
		err = setTarget(req.URL, p.Target())
	}
	if err != nil {
		return nil, nil, &requests.Error{Kind: requests.ErrInvalidURL, Request: p, Err: withoutURL(err)}
	}
	req.URL.User, req.URL.Fragment, req.URL.RawFragment = nil, "", ""
	chunked := setHeader(req, p)
	if p.ContentLength() == 0 {
		return req, nil, nil
	}
	body := newSentBody(p, w)
	if p.Trailers != nil {
		req.Trailer = http.Header{}
		for name := range strings.SplitSeq(strings.Join(p.Headers.Values("Trailer"), ","), ",") {
			req.Trailer[http.CanonicalHeaderKey(strings.TrimSpace(name))] = nil
		}
		req.Header.Del("Trailer")
		body.atEnd = func() {
			fields := p.Trailers()
			for name := range fields.All() {
				req.Trailer[http.CanonicalHeaderKey(name)] = nil // of a try before
			}
			for name, value := range fields.All() {
				req.Trailer.Add(name, value)
			}
		}
	}
	req.Body, req.ContentLength = body, body.length
	if chunked {
		req.ContentLength = -1
	}
	if p.Replayable() {
		req.GetBody = func() (io.ReadCloser, error) {
			next, err := body.again(p)
			if err != nil {
				return nil, err
			}
			return next, nil
		}
	}
	return req, body, nil
}

// setTarget makes u give the request target that is asked for, byte for byte.
func setTarget(u *url.URL, target string) error {
	if !strings.HasPrefix(target, "/") {
		u.Opaque = target // "*", and the absolute form
		return nil
	}
	as, err := url.ParseRequestURI(target)
	if err == nil && as.RequestURI() == target {
		u.Path, u.RawPath, u.RawQuery, u.ForceQuery = as.Path, as.RawPath, as.RawQuery, as.ForceQuery
		return nil
	}
	if strings.HasPrefix(target, "//") {
		return errors.New("net/http cannot send the target as it is written")
	}
	u.Opaque, u.RawQuery, u.ForceQuery = target, "", false // of [requests.AsIs], which net/http would spell its own way
	return nil
}

// withoutURL takes the URL, which may hold a password, out of an error of net/url.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// setHeader fills in the header, and reports whether the body is to be chunked. Without User-Agent,
// net/http would name itself; without Accept-Encoding, it would ask for a coding where it can decode
// the whole body, and do so.
func setHeader(req *http.Request, p *requests.PreparedRequest) (chunked bool) {
	for name, value := range p.Headers.All() {
		switch http.CanonicalHeaderKey(name) {
		case "Host":
			req.Host = value
		case "Transfer-Encoding":
			chunked = true
		case "Content-Length", "Proxy-Authorization":
			// said by the framing; for a proxy that only the transport knows
		default:
			req.Header.Add(name, value)
		}
	}
	if !p.Headers.Has("User-Agent") {
		req.Header["User-Agent"] = nil
	}
	if !p.Headers.Has("Accept-Encoding") && !p.Headers.Has("Range") && p.Method != "HEAD" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	return chunked
}

// trace tells waiting for a connection from waiting for the response.
func (w *watch) trace(opts requests.SendOptions) *httptrace.ClientTrace {
	t := &httptrace.ClientTrace{
		GetConn: func(string) { w.start(opts.Timeouts.Connect, connecting) },
		GotConn: func(httptrace.GotConnInfo) { w.start(opts.Timeouts.Read, reading) },
	}
	if opts.Interim != nil {
		t.Got1xxResponse = func(status int, header textproto.MIMEHeader) error {
			return w.interim(opts.Interim, status, sorted(http.Header(header)))
		}
	}
	return t
}

// incoming makes a response of net/http's.
func incoming(p *requests.PreparedRequest, w *watch, sent *sentBody, resp *http.Response) *requests.Response {
	headers := sorted(resp.Header)
	if len(resp.TransferEncoding) > 0 && !headers.Has("Transfer-Encoding") {
		headers.Add("Transfer-Encoding", strings.Join(resp.TransferEncoding, ", "))
	}
	if len(resp.Trailer) > 0 {
		headers.Add("Trailer", strings.Join(slices.Sorted(maps.Keys(resp.Trailer)), ", "))
	}
	if resp.Close && resp.ProtoMajor == 1 && !headers.Has("Connection") {
		headers.Add("Connection", "close") // net/http takes it out
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	raw := &receivedBody{watch: w, request: p, sent: sent, resp: resp, left: lengthOf(p, resp)}
	var body io.ReadCloser = raw
	if w, ok := resp.Body.(io.Writer); ok {
		body = receivedConn{raw, w}
	}
	r := requests.NewResponse(p, resp.StatusCode, headers, body)
	if _, reason, ok := strings.Cut(resp.Status, " "); ok {
		r.Reason = reason
	}
	if resp.Proto != "" {
		r.Proto = resp.Proto
	}
	r.TLS = resp.TLS
	return r
}

// lengthOf is how long the body will be, -1 if that is not known. Handmade responses often
// forget their length: a 0 counts where something else says so, too. An HTTP/2 transport of
// net/http means it.
func lengthOf(p *requests.PreparedRequest, resp *http.Response) int64 {
	switch {
	case p.Method == "HEAD" || resp.Body == http.NoBody || resp.StatusCode == 204 || resp.StatusCode == 304:
		return 0
	case resp.ContentLength == 0 && resp.ProtoMajor != 2 && resp.Header.Get("Content-Length") != "0":
		return -1
	}
	return resp.ContentLength
}

// receivedBody is the body of net/http's response under the time limits of the send.
type receivedBody struct {
	watch   *watch
	request *requests.PreparedRequest
	sent    *sentBody // nil for none
	resp    *http.Response
	left    int64
}

// receivedConn is the connection behind a response that has left HTTP.
type receivedConn struct {
	*receivedBody
	io.Writer
}

// Read implements [io.Reader], without the limits of the request.
func (c receivedConn) Read(p []byte) (int, error) { return c.resp.Body.Read(p) }

// Read implements [io.Reader].
func (b *receivedBody) Read(p []byte) (int, error) {
	b.watch.start(b.watch.opts.Read, inBody)
	n, err := b.resp.Body.Read(p)
	b.watch.stop()
	if b.left > 0 {
		b.left = max(b.left-int64(n), 0)
	}
	if err != nil && (err != io.EOF || b.left != 0) {
		// A server that sees the connection of a canceled request end may end the body as
		// if it were whole, and net/http may still read that: no such end counts.
		if failure := b.watch.failure(b.request); failure != nil {
			err = failure
		}
	}
	if err != nil {
		b.watch.end()
		if b.sent != nil {
			b.sent.rethrow()
		}
	}
	return n, err
}

// Close implements [io.Closer].
func (b *receivedBody) Close() error {
	err := b.resp.Body.Close()
	b.watch.end()
	return err
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (b *receivedBody) Remaining() int64 { return b.left }

// Verifiable is false for a body of HTTP/1 that ends with its connection.
func (b *receivedBody) Verifiable() bool {
	return b.resp.ContentLength >= 0 || len(b.resp.TransferEncoding) > 0 || b.resp.ProtoMajor != 1
}

// Trailers are the fields after the body.
func (b *receivedBody) Trailers() [][2]string { return sorted(b.resp.Trailer) }

// sorted gives a header an order: that of the names.
func sorted(h http.Header) requests.Headers {
	headers := make(requests.Headers, 0, len(h))
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			headers.Add(name, value)
		}
	}
	return headers
}
