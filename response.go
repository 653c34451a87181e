package requests

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/codec"
	"github.com/mountable/requests/internal/content"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/jsontext"
	"github.com/mountable/requests/internal/uri"
	"github.com/mountable/requests/internal/wire"
)

// Response is what a server sent back. Unless it was streamed its body has been read and
// its connection is free again; a streamed one holds its connection until the
// body has been read to its end or Close is called.
//
// A Response is an [io.ReadCloser] over the decoded body. It is not safe for concurrent use.
type Response struct {
	StatusCode int
	Reason     string // text of the status line, may be empty
	Proto      string // "HTTP/1.1"
	URL        string // of this response, after redirects
	Headers    Headers
	History    []*Response          // the responses that led here, oldest first
	Elapsed    time.Duration        // until the head arrived, with retries and without redirects
	Request    *PreparedRequest     // what it is the response to
	Cookies    *CookieJar           // those set by this response; nil, which is usable, if none
	Encoding   string               // of the text, from Content-Type; set it to override, "" means detect
	Raw        io.ReadCloser        // the body before content decoding, for those who want it raw
	Next       *PreparedRequest     // the redirect that was not followed; nil if there is none
	TLS        *tls.ConnectionState // nil without TLS
	Attempts   []Attempt            // the tries that retries made before this response
	Codecs     Codecs               // that read the body; those of the call, unless an adapter or a hook has set others

	body     *content.Body
	values   map[any]any // of SetValue
	apparent string      // detected encoding, remembered
	adapter  Adapter
	opts     SendOptions
	held     *content.Held[*Response] // of the hop whose hooks are running

	span      span // for Timing
	proxyAuth bool // the request carried Proxy-Authorization
	tunnel    bool // it went through a proxy's tunnel
	renewed   bool // it is a 304 with the content of IfChanged's previous response
}

// NewResponse makes a response for an [Adapter]: status, headers, and a body that
// is still in its content coding. The session reads and closes the body. A nil body is empty.
func NewResponse(p *PreparedRequest, status int, headers Headers, body io.ReadCloser) *Response {
	return new(responseBlock).fill(p, status, headers, body)
}

// responseBlock is a Response and what belongs to it, in one allocation.
type responseBlock struct {
	response Response
	state    content.Body
	raw      wire.Telling
}

func (block *responseBlock) fill(p *PreparedRequest, status int, headers Headers, body io.ReadCloser) *Response {
	r := &block.response
	*r = Response{StatusCode: status, Headers: headers, Raw: body, Request: p, Proto: "HTTP/1.1", body: &block.state}
	r.Reason = http.StatusText(status)
	r.Encoding = charset.FromContentType(headers.Get("Content-Type"))
	if p != nil {
		r.URL = p.URL
	}
	return r
}

// complete adds what the session knows to a response an adapter has made.
func (r *Response) complete(p *PreparedRequest, a Adapter, opts *SendOptions) {
	if r.Request == nil {
		r.Request = p
	}
	if r.URL == "" {
		r.URL = p.URL
	}
	r.adapter, r.opts = a, *opts
	if r.Codecs == nil {
		r.Codecs = opts.Codecs
	}
	if r.Cookies == nil && r.Headers.Has("Set-Cookie") {
		r.Cookies = (*CookieJar)(nil).forCall(opts.policy)
		r.Cookies.store(r, nil)
	}
}

// standInFor lets the hooks behind the one that made r know of the call, too.
func (r *Response) standInFor(replaced *Response) {
	if r.adapter == nil {
		r.adapter, r.opts = replaced.adapter, replaced.opts
	}
}

// Resend sends p over the adapter and with the settings that brought r, and
// returns the response with neither hooks run nor redirects followed: what a hook
// that answers a challenge needs. The body of r must have been read or closed
// first for its connection to be used again.
func (r *Response) Resend(ctx context.Context, p *PreparedRequest) (*Response, error) {
	if r.adapter == nil {
		return nil, fail(ErrInvalidArgument, "Resend on a response that no adapter brought")
	}
	start := time.Now()
	again, err := sendThrough(ctx, r.adapter, p, &r.opts)
	if err != nil {
		return nil, withRequest(err, p)
	}
	again.Elapsed = time.Since(start)
	again.span.measured(start, again.Elapsed)
	again.hold(r.held)
	return again, nil
}

// Options returns a copy of the settings that r was sent with: those of the call, the session and the environment put
// together. A response that a hook made up has those of the one it replaces, any other that no session sent for has none.
func (r *Response) Options() SendOptions {
	opts := r.opts
	opts.Proxies = maps.Clone(opts.Proxies) // the next hop reads r's
	return opts
}

// SetValue keeps a value with r, for [Response.Value]: what a hook leaves for the caller or for another hook. Keys are
// compared as those of a context are, and packages define types of their own for them. A nil key does nothing.
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

// RaiseForStatus returns [ErrHTTP] for a status from 400 to 599, with Requests' text behind the
// method, and nil for any other. If the body has been read, Error.Snippet has its beginning, and a
// [Problem] its problem details.
func (r *Response) RaiseForStatus() error {
	if r.OK() {
		return nil
	}
	side := [...]string{"Client", "Server"}[r.StatusCode/500]
	text := fmt.Sprintf("%d %s Error: %s for url: %s", r.StatusCode, side, r.Reason, redactURL(r.URL))
	return (&Error{Kind: ErrHTTP, Request: r.Request, Response: r, Detail: text}).tell(r)
}

// isRedirectStatus reports whether a Location that comes with status is followed, as in Requests.
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

// ApparentEncoding is the encoding detected in a sample of the body, remembered. It reads the body.
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

// Text returns the body as text: decoded by Encoding, or as detected where that is empty. An
// unknown encoding is taken for UTF-8, and invalid bytes become U+FFFD.
func (r *Response) Text() (string, error) {
	content, err := r.Content()
	if err != nil || len(content) == 0 {
		return "", err
	}
	encoding := r.Encoding
	if encoding == "" {
		encoding = r.ApparentEncoding()
	}
	return charset.DecodeOr(content, encoding, "utf-8"), nil
}

// Trailers returns the fields that came after a chunked body, once it has been read to its end.
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

// leftHTTP reports whether what follows the head is not a body.
func (r *Response) leftHTTP() bool {
	return r.StatusCode == 101 || r.Request != nil && r.Request.Method == "CONNECT" && r.StatusCode/100 == 2
}

// JSON decodes the body into v, which must be a pointer. UTF-16, UTF-32 and a byte order
// mark are told by the bytes, whatever charset is declared; other text is decoded by
// Encoding, or as detected where that is empty. A body that is not JSON is
// [ErrJSONDecode], whose text shows how the body begins, secrets masked.
func (r *Response) JSON(v any) error {
	text, err := r.jsonText()
	if err != nil {
		return err
	}
	return r.unmarshal(jsontext.Text{Data: text}, v)
}

// jsonText returns the body in UTF-8.
func (r *Response) jsonText() ([]byte, error) {
	content, err := r.Content()
	if err != nil {
		return nil, err
	}
	if text, ok := charset.JSONText(content, r.Encoding); ok {
		return text, nil
	}
	text, err := r.Text()
	return []byte(text), err
}

func (r *Response) unmarshal(text jsontext.Text, v any) error {
	unmarshal := codec.Of(r.Codecs, codec.JSONType).Unmarshal
	if unmarshal == nil {
		unmarshal = json.Unmarshal
	}
	err := unmarshal(text.Data, v)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*json.InvalidUnmarshalError](err); ok {
		return &Error{Kind: ErrInvalidArgument, Request: r.Request, Response: r, Err: err, Detail: fmt.Sprintf("JSON decodes into a pointer, not into a %T", v)}
	}
	detail := jsontext.Diagnose(text, err, r.StatusCode, r.Headers.Get("Content-Type"))
	return &Error{Kind: ErrJSONDecode, Request: r.Request, Response: r, Err: err, Detail: detail}
}

// Link is one link of a Link header (RFC 8288): its target as the server wrote it,
// which may be relative, under "url", and its parameters, names in lower case. The
// value of an extended parameter, "title*", is decoded and stands under "title" too.
type Link map[string]string

// Links returns the links of the Link header, each under every one of its relation
// types in lower case, else under its target. Of two links with one key the last
// counts. See [Response.Link] for a URL that can be requested.
func (r *Response) Links() map[string]Link {
	table := fieldvalue.LinkTable
	if r.opts.policy.linksAsRequests() {
		table = fieldvalue.LinkTableAsRequests
	}
	links := map[string]Link{}
	for key, link := range table(r.Headers.Values("Link")) {
		links[key] = link
	}
	return links
}

// Link returns the URL that the link with this relation type leads to, resolved against
// URL, as a browser would follow it. ok is false without such a link, or if its target is
// not a URL. Types are compared without case. A link about another resource, which its
// "anchor" names, does not count.
//
// The URL may be one of another server; a session's credentials go where it is sent.
func (r *Response) Link(rel string) (url string, ok bool) {
	target, ok := r.linkTarget(rel)
	if !ok {
		return "", false
	}
	return uri.Follow(r.URL, target)
}

// linkTarget is the target of a link as the header has it.
func (r *Response) linkTarget(rel string) (target string, ok bool) {
	if r.opts.policy.linksAsRequests() {
		link, ok := r.Links()[rel]
		return link["url"], ok
	}
	return fieldvalue.FindLink(r.Headers.Values("Link"), rel, func(anchor string) bool { return uri.SameResource(r.URL, anchor) })
}

func (p *Policy) linksAsRequests() bool { return p != nil && p.LinksAsRequests }
