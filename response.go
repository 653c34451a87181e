package requests

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mountable/requests/internal/charset"
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

	body     *responseBody
	apparent string // detected encoding, remembered
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
		state responseBody
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

// OK reports whether RaiseForStatus would find nothing wrong.
func (r *Response) OK() bool { return r.StatusCode < 400 || r.StatusCode >= 600 }

// RaiseForStatus returns [ErrHTTP] for a status from 400 to 599, with Requests'
// text, and nil for any other.
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

// JSON decodes the body into v. UTF-8, UTF-16 and UTF-32 are told apart where the
// reply does not name its charset. A body that is not JSON is [ErrJSONDecode].
func (r *Response) JSON(v any) error {
	content, err := r.Content()
	if err != nil {
		return err
	}
	if r.Encoding == "" && len(content) > 3 {
		name := charset.GuessJSON(content)
		if name == "utf-8" && utf8.Valid(content) {
			return r.unmarshal(content, v)
		}
		if name != "" {
			text, err := charset.DecodeStrict(content, name)
			if err == nil {
				return r.unmarshal([]byte(text), v)
			}
		}
	}
	if isUTF8Name(r.Encoding) {
		return r.unmarshal(content, v)
	}
	text, err := r.Text()
	if err != nil {
		return err
	}
	return r.unmarshal([]byte(text), v)
}

func isUTF8Name(name string) bool {
	return strings.EqualFold(name, "utf-8") || strings.EqualFold(name, "utf8")
}

func (r *Response) unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*json.InvalidUnmarshalError](err); ok {
		return &Error{Kind: ErrInvalidArgument, Request: r.Request, Response: r, Err: err, Detail: fmt.Sprintf("JSON decodes into a pointer, not into a %T", v)}
	}
	detail := "the body is not the JSON that was expected"
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		detail = fmt.Sprintf("the body is not JSON: line %d, offset %d", line, syntax.Offset)
	}
	return &Error{Kind: ErrJSONDecode, Request: r.Request, Response: r, Err: err, Detail: detail}
}

// Trailers returns the fields that came after a chunked body, once it has been
// read to its end.
func (r *Response) Trailers() Headers {
	return wire.StreamOf(r.Raw).Trailers()
}
