package requests

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/content"
	"github.com/mountable/requests/internal/wire"
)

// Response is a server's reply. Unless it was streamed its body has been read and
// its connection is free again; a streamed one holds its connection until the
// body has been read to its end or Close is called.
//
// A Response is an [io.ReadCloser] over the decoded body. It is not safe for
// concurrent use.
type Response struct {
	StatusCode int
	Reason     string // text of the status line, may be empty
	Proto      string // "HTTP/1.1"
	URL        string // of this reply, after redirects
	Headers    Headers
	History    []*Response // the replies that led here, oldest first
	Elapsed    time.Duration
	Request    *PreparedRequest
	Cookies    *CookieJar    // those set by this reply; nil, which is usable, if none
	Encoding   string        // of the text, from Content-Type; set it to override, "" means detect
	Raw        io.ReadCloser // the body before content decoding, for those who want it raw
	Next       *PreparedRequest
	TLS        *tls.ConnectionState // nil without TLS
	Attempts   []Attempt            // the tries that retries made before this reply

	body     *content.Body
	values   map[any]any // of SetValue
	apparent string      // detected encoding, remembered
	adapter  Adapter
	opts     SendOptions
	holding  *holding // of the hop whose hooks are running

	proxyAuth bool // the request carried Proxy-Authorization
	tunnel    bool // it went through a proxy's tunnel
}

// NewResponse makes a response for an [Adapter]: status, headers, and a body that
// is still in its content coding. The session reads and closes the body. A nil
// body is empty.
func NewResponse(p *PreparedRequest, status int, headers Headers, body io.ReadCloser) *Response {
	both := new(struct {
		Response
		state content.Body
	})
	r := &both.Response
	*r = Response{StatusCode: status, Headers: headers, Raw: body, Request: p, Proto: "HTTP/1.1", body: &both.state}
	r.Reason = http.StatusText(status)
	r.Encoding = charset.FromContentType(headers.Get("Content-Type"))
	if p != nil {
		r.URL = p.URL
	}
	return r
}

// complete adds what the session knows to a response an adapter has made.
func (r *Response) complete(p *PreparedRequest, a Adapter, opts SendOptions) {
	if r.Request == nil {
		r.Request = p
	}
	if r.URL == "" {
		r.URL = p.URL
	}
	r.adapter, r.opts = a, opts
	if r.Cookies == nil && r.Headers.Has("Set-Cookie") {
		r.Cookies = (*CookieJar)(nil).forCall(opts.policy)
		r.Cookies.store(r, nil)
	}
}

// Resend sends p over the adapter and with the settings that brought r, and
// returns the reply with neither hooks run nor redirects followed: what a hook
// that answers a challenge needs. The body of r must have been read or closed
// first for its connection to be used again.
func (r *Response) Resend(ctx context.Context, p *PreparedRequest) (*Response, error) {
	if r.adapter == nil {
		return nil, fail(ErrInvalidArgument, "Resend on a response that no adapter brought")
	}
	start := time.Now()
	again, err := sendThrough(ctx, r.adapter, p, r.opts)
	if err != nil {
		return nil, withRequest(err, p)
	}
	again.Elapsed = time.Since(start)
	r.holding.add(again)
	return again, nil
}

// Options returns the settings that r was sent with, those of the call, the session and
// the environment put together: what a hook needs to know of the call. They are zero for
// a response that no session sent for.
func (r *Response) Options() SendOptions { return r.opts }

// SetValue keeps a value with r, for [Response.Value]: what a hook leaves for the caller or
// for another hook. Keys are compared as those of a context are, and packages define types
// of their own for them. A nil key is no key, and does nothing.
func (r *Response) SetValue(key, value any) {
	if key == nil {
		return
	}
	if r.values == nil {
		r.values = map[any]any{}
	}
	r.values[key] = value
}

// Value returns what SetValue has kept with r under key, nil if nothing. Each response has
// its own; those that led to r are in History.
func (r *Response) Value(key any) any { return r.values[key] }

// OK reports whether RaiseForStatus would find nothing wrong.
func (r *Response) OK() bool { return r.StatusCode < 400 || r.StatusCode >= 600 }

// RaiseForStatus returns [ErrHTTP] for a status from 400 to 599, with Requests'
// text behind the method, and nil for any other.
func (r *Response) RaiseForStatus() error {
	var side string
	switch {
	case r.OK():
		return nil
	case r.StatusCode < 500:
		side = "Client"
	default:
		side = "Server"
	}
	text := fmt.Sprintf("%d %s Error: %s for url: %s", r.StatusCode, side, r.Reason, redactURL(r.URL))
	return &Error{Kind: ErrHTTP, Request: r.Request, Response: r, Detail: text}
}

// redirectStatuses are those with a Location that Requests follows.
func isRedirectStatus(status int) bool {
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308
}

// IsRedirect reports whether r has a Location and a status that goes with it.
func (r *Response) IsRedirect() bool {
	return isRedirectStatus(r.StatusCode) && r.Headers.Has("Location")
}

// IsPermanentRedirect is IsRedirect for 301 and 308.
func (r *Response) IsPermanentRedirect() bool {
	return (r.StatusCode == 301 || r.StatusCode == 308) && r.Headers.Has("Location")
}

// ApparentEncoding is the encoding detected in a sample of the body, remembered.
// It reads the body.
func (r *Response) ApparentEncoding() string {
	if r.apparent == "" {
		content, err := r.Content()
		if err != nil {
			return ""
		}
		r.apparent = charset.Detect(content)
	}
	return r.apparent
}

// Text returns the body as text: decoded by Encoding, or as detected where that
// is empty. An encoding nobody knows is taken for UTF-8, and bad bytes become U+FFFD.
func (r *Response) Text() (string, error) {
	content, err := r.Content()
	if err != nil || len(content) == 0 {
		return "", err
	}
	encoding := r.Encoding
	if encoding == "" {
		encoding = r.ApparentEncoding()
	}
	if text, ok := charset.Decode(content, encoding); ok {
		return text, nil
	}
	text, _ := charset.Decode(content, "utf-8")
	return text, nil
}

// Trailers returns the fields that came after a chunked body, once it has been
// read to its end.
func (r *Response) Trailers() Headers {
	return wire.StreamOf(r.Raw).Trailers()
}

// Conn returns the connection behind a response after which HTTP has ended on it: 101 to a
// request that asked for it, and success to CONNECT. The caller closes it. ok is false for
// every other response.
func (r *Response) Conn() (conn io.ReadWriteCloser, ok bool) {
	if !r.leftHTTP() {
		return nil, false
	}
	conn, ok = r.Raw.(io.ReadWriteCloser)
	return conn, ok
}

// leftHTTP reports whether what follows the head is no body.
func (r *Response) leftHTTP() bool {
	return r.StatusCode == 101 || r.Request != nil && r.Request.Method == "CONNECT" && r.StatusCode/100 == 2
}
