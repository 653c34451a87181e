package adapters

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

// Handler makes an [http.Handler] the server of whatever is mounted on it, in the
// process and without a socket. It sees what a server's handler sees: the request target,
// Host, the streamed body, a context that ends when the client has lost interest. The
// response streams as it is written, with 1xx responses, Flush, trailers, HEAD, and the
// Content-Length, Content-Type and Date that net/http would add.
//
// The handler runs on a goroutine of its own for each request, until it returns. Its
// panic, [http.ErrAbortHandler] included, cuts the response short as net/http's server does.
// For https, Request.TLS is set without there being any TLS. A nil handler makes every Send
// [requests.ErrInvalidArgument].
func Handler(h http.Handler) requests.Adapter { return handlerAdapter{h} }

type handlerAdapter struct{ handler http.Handler }

// Close implements [requests.Adapter]; there is nothing to close.
func (a handlerAdapter) Close() error { return nil }

// Send implements [requests.Adapter].
func (a handlerAdapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if f, ok := a.handler.(http.HandlerFunc); a.handler == nil || ok && f == nil {
		return nil, invalid("Handler: the handler is a nil %T", a.handler)
	}
	w := newWatch(ctx, opts)
	if w.ctx.Err() != nil {
		defer w.end()
		return nil, w.failure(p)
	}
	x := &served{watch: w, head: make(chan head), body: newStream(), method: p.Method}
	req, err := x.request(p)
	if err != nil {
		w.end()
		return nil, err
	}
	opts.Interim = withTrace(ctx, opts.Interim)
	w.start(opts.Timeouts.Read, reading)
	go x.serve(a.handler, req)
	var r *requests.Response
	defer func() {
		if r == nil { // failed, or Interim has panicked
			x.abandon()
		}
	}()
	r, err = x.await(p, opts)
	if x.sent != nil && x.sent.panicked.Load() != nil {
		r = nil
		x.sent.rethrow()
	}
	return r, err
}

// withTrace is interim, behind what the trace of the context is told of it.
func withTrace(ctx context.Context, interim func(int, requests.Headers) error) func(int, requests.Headers) error {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil || trace.Got1xxResponse == nil {
		return interim
	}
	return func(status int, headers requests.Headers) error {
		fields := textproto.MIMEHeader{}
		for name, value := range headers.All() {
			fields.Add(name, value)
		}
		if err := trace.Got1xxResponse(status, fields); err != nil || interim == nil {
			return err
		}
		return interim(status, headers)
	}
}

// served is one request on its way through a handler.
type served struct {
	watch  *watch
	cancel context.CancelFunc // of the handler's context
	method string
	sent   *sentBody
	head   chan head // 1xx, then the final one; closed where there will be none
	body   *stream
	failed error // why there is no final head; read after head is closed
}

// head is the start of a response.
type head struct {
	status  int
	headers requests.Headers
}

// request is what a server would have read.
func (x *served) request(p *requests.PreparedRequest) (*http.Request, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, &requests.Error{Kind: requests.ErrInvalidURL, Request: p, Err: withoutURL(err)}
	}
	ctx, cancel := context.WithCancel(context.Background())
	x.cancel = cancel
	target, err := url.ParseRequestURI(p.Target())
	if err != nil { // a server would answer 400
		cancel()
		return nil, &requests.Error{Kind: requests.ErrInvalidURL, Request: p, Err: withoutURL(err)}
	}
	req := (&http.Request{
		Method: p.Method, URL: target, RequestURI: p.Target(), Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, RemoteAddr: "127.0.0.1:0", Body: http.NoBody,
	}).WithContext(ctx)
	if u.Scheme == "https" {
		req.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: u.Hostname()}
	}
	if setHeader(req, p) {
		req.TransferEncoding = []string{"chunked"}
	}
	if p.ContentLength() != 0 {
		x.sent = newSentBody(p, x.watch)
		req.Body, req.ContentLength = x.sent, x.sent.length
	}
	if req.ContentLength > 0 {
		req.Header.Set("Content-Length", strconv.FormatInt(req.ContentLength, 10))
	}
	return req, nil
}

// serve runs the handler. It owns the writing side.
func (x *served) serve(h http.Handler, req *http.Request) {
	rw := &responseWriter{served: x, header: http.Header{}}
	failed := errHandlerExited // unless it returns
	defer func() {
		_ = req.Body.Close()
		if v := recover(); v != nil {
			failed = panicError(v)
		}
		rw.finish(failed)
		x.cancel()
	}()
	h.ServeHTTP(rw, req)
	failed = nil
}

// errHandlerExited is what runtime.Goexit in a handler, which testing.T.FailNow calls, means to the client.
var errHandlerExited = errors.New("the handler ended its goroutine")

// panicError is what a panic means to the client.
func panicError(v any) error {
	if v == http.ErrAbortHandler {
		return http.ErrAbortHandler
	}
	return fmt.Errorf("the handler panicked: %v", v)
}

// await waits for the final head, passing on those before it.
func (x *served) await(p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	for {
		select {
		case <-x.watch.ctx.Done():
			return nil, x.watch.failure(p)
		case h, ok := <-x.head:
			switch {
			case !ok:
				return nil, x.noReply(p)
			case h.status >= 200 || h.status == http.StatusSwitchingProtocols:
				x.watch.stop()
				r := requests.NewResponse(p, h.status, h.headers, &servedBody{served: x, request: p})
				return r, nil
			case opts.Interim != nil:
				if x.watch.interim(opts.Interim, h.status, h.headers) != nil {
					return nil, x.watch.failure(p)
				}
			}
			x.watch.start(opts.Timeouts.Read, reading)
		}
	}
}

// noReply is the error of a handler that ended without one.
func (x *served) noReply(p *requests.PreparedRequest) error {
	if x.sent != nil {
		if failed := x.sent.failed.Load(); failed != nil {
			failed.Request = p
			return failed
		}
	}
	e := &requests.Error{Kind: requests.ErrConnection, Request: p, Err: x.failed}
	return e.MarkWritten()
}

// abandon tells the handler that nobody listens any more.
func (x *served) abandon() {
	x.body.close()
	x.cancel()
	if x.sent != nil {
		_ = x.sent.Close()
	}
	x.watch.end()
}

// servedBody is the client's side of the response.
type servedBody struct {
	*served
	request *requests.PreparedRequest
}

// Read implements [io.Reader].
func (b *servedBody) Read(p []byte) (int, error) {
	b.watch.start(b.watch.opts.Read, inBody)
	n, err := b.body.read(b.watch.ctx, p)
	b.watch.stop()
	if err == nil || err == io.EOF && n > 0 {
		return n, nil
	}
	if failure := b.watch.failure(b.request); failure != nil && err != io.EOF && !errors.Is(err, errStreamClosed) {
		err = failure
	}
	b.abandon()
	return n, err
}

// Close implements [io.Closer].
func (b *servedBody) Close() error {
	b.abandon()
	return nil
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (b *servedBody) Remaining() int64 { return b.body.remaining() }

// Trailers are the fields after the body.
func (b *servedBody) Trailers() [][2]string { return b.body.trailing() }

// bodyAllowed: RFC 9110 section 6.4.1.
func bodyAllowed(status int) bool { return status >= 200 && status != 204 && status != 304 }

// announced returns a valid Content-Length, -1 for none.
func announced(h http.Header) int64 {
	n, err := strconv.ParseUint(strings.TrimSpace(h.Get("Content-Length")), 10, 62)
	if err != nil {
		return -1
	}
	return int64(n)
}
