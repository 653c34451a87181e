package requests

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/curl"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/uri"
)

// PreparedRequest is a request as it will be sent: a pure value, independent of
// the session that made it. Its fields may be edited before sending; editing
// them changes nothing else (a new body set with SetBody does set
// Content-Length). It must not be changed while it is being sent.
type PreparedRequest struct {
	Method  string
	URL     string
	Headers Headers
	Hooks   []Hook

	// Trailers is called when the body has been sent, in chunks, for the fields behind it; nil sends none.
	Trailers func() Headers
	address  uri.Address // of URL, as it was when p was prepared

	body body.Body
	jar  *CookieJar // the cookies of the call; nil means nothing but the session's
	home string     // origin of the first hop of the chain, for credentials bound to it

	ownAuth bool // the call has an auth of its own
	ambient bool // Authorization is the session's, netrc's or the URL's, and nobody wrote it for this call
	beyond  bool // it is for another origin than the session's BaseURL
	crossed bool // a redirect to another origin is among the hops that led here
	strayed bool // and so is one to where Authorization may not go

	given *nethttp.Given // what goes on the wire as an http.Request has it; may be nil

	during           *call            // that an Auth may wait for; nil but while it is called
	original         *PreparedRequest // what was sent before a challenge, if p answers one
	proxyCredentials ProxyCredentials // asked for Proxy-Authorization
}

// Clone returns a copy whose headers and hooks can be edited apart. A streamed body is shared.
func (p *PreparedRequest) Clone() *PreparedRequest {
	c := *p
	c.Headers = p.Headers.Clone()
	c.Hooks = slices.Clone(p.Hooks)
	if p.jar != nil {
		c.jar = p.jar.Clone()
	}
	return &c
}

// Origin returns scheme, host and port of the first request of the redirect
// chain that p belongs to, as "https://h.example:443". Credentials of a caller
// are meant for it.
func (p *PreparedRequest) Origin() string {
	if p.home != "" {
		return p.home
	}
	return p.at().Origin()
}

// Target returns what stands in the request line between method and version: path and
// query of the URL, those that [AsIs] gave, or what an [http.Request] that came over a
// [Session.RoundTripper] asks for. An [Adapter] sends this, and not the path of URL.
func (p *PreparedRequest) Target() string {
	if p.given != nil && p.given.Target != "" {
		return p.given.Target
	}
	if exact := p.at().Target; exact != "" {
		return exact
	}
	return uri.RequestTarget(p.URL)
}

// CurlOption changes what [AsCurl] writes.
type CurlOption uint8

// CurlSecrets writes credentials as they are, where "***" stands for them otherwise.
const CurlSecrets CurlOption = 1

// AsCurl writes p as a command of curl, in the quotes of a POSIX shell: method, URL, header
// fields and the body by value. A body that no argument can hold comes through a pipe, and
// where it is a stream the command takes it from its standard input; a comment at its end
// says so, and whether secrets are masked. [AddSecretNames] names them. Proxies, certificates
// and time limits are settings of the send, and not part of p.
func AsCurl(p *PreparedRequest, options ...CurlOption) string {
	if p == nil {
		return ""
	}
	data, memory := p.Body()
	r := curl.Request{
		Method: p.Method, URL: p.URL, Target: p.Target(), Headers: p.Headers,
		Body: data, None: p.body.None(), Streamed: !memory, Trailers: p.Trailers != nil,
	}
	return r.String(slices.Contains(options, CurlSecrets))
}

// unanswered is the request as it was before a challenge was answered.
func (p *PreparedRequest) unanswered() *PreparedRequest {
	if p.original != nil {
		return p.original
	}
	return p
}

// --- the body ---

// Streamer is a request body that knows its length and can start over: what the
// toolbelt's multipart encoder is. Read gives its bytes, Len is how many there are in
// all, and Rewind makes it start again for a redirect, a retry or a challenge. If it
// has a WriteTo method, that is what sends it, to a writer that is an [io.ReaderFrom]
// and moves the *os.File in an *[io.LimitedReader] without copying where it can.
type Streamer interface {
	io.Reader
	Len() int64
	Rewind() error
}

// SetBody replaces the body by bytes and sets Content-Length. Content-Type is left alone.
func (p *PreparedRequest) SetBody(data []byte) {
	p.body = body.Bytes(data)
	p.Headers.Del("Transfer-Encoding")
	if p.body.None() {
		p.Headers.Del("Content-Length")
	}
	p.setContentLength()
}

// SetBodyReader replaces the body by a stream, framed as the Body option says.
func (p *PreparedRequest) SetBodyReader(r io.Reader) error {
	b, err := newBody(r)
	if err == nil {
		p.body = b
		p.Headers.Del("Content-Length")
		p.Headers.Del("Transfer-Encoding")
		p.frameStream()
	}
	return err
}

// Body returns the body's bytes if it is in memory (nil, true for no body); a
// streamed body gives nil, false: [PreparedRequest.OpenBody] reads it.
func (p *PreparedRequest) Body() (data []byte, ok bool) {
	return p.body.Bytes()
}

// ContentLength returns the number of bytes the body will have, -1 if unknown.
func (p *PreparedRequest) ContentLength() int64 { return p.body.Len() }

// Rewind brings a streamed body back to where it was first read from, for
// sending p again. It is [ErrUnrewindableBody] where that is known to be
// impossible; plain readers and iterators cannot be rewound and stay as they are.
func (p *PreparedRequest) Rewind() error { return bodyFault(p.body.Restart()) }

// Replayable reports whether p can be sent again with the same body.
func (p *PreparedRequest) Replayable() bool { return p.body.Replayable() }

// OpenBody returns the body as a reader, for adapters: from where a stream stands, and
// empty if there is none. The caller must Close it, which ends the reading of an iterator
// and leaves readers open, which are their owners'. Read and Close must not be called at
// the same time.
func (p *PreparedRequest) OpenBody() io.ReadCloser {
	return p.body.OpenAs(bodyFault)
}

// dropBody removes the body, what follows it and every header that describes it.
func (p *PreparedRequest) dropBody() {
	p.body, p.Trailers = body.Body{}, nil
	p.Headers.delBody()
}

// checkFraming refuses fields that two readers of the request could take for two requests,
// or for one whose body is still to come.
func (p *PreparedRequest) checkFraming(policy *Policy) error {
	if err := h1.CheckRequest(p.Headers); err != nil {
		return &Error{Kind: ErrInvalidHeader, Detail: err.Error()}
	}
	if !p.body.None() || policy != nil && policy.BodiesAsRequests {
		return nil
	}
	if length := p.Headers.Get("Content-Length"); strings.Trim(length, "0") != "" {
		return fail(ErrInvalidHeader, "Content-Length is %s and there is no body: the server would wait for it", length)
	}
	return nil
}

// setContentLength sets the header for a body in memory. Without a body it is 0
// where the method usually has one and the caller gave none.
func (p *PreparedRequest) setContentLength() {
	switch {
	case p.trailed():
		p.Headers.Set("Transfer-Encoding", "chunked")
	case p.body.Len() > 0 && !p.body.Streamed():
		p.Headers.Set("Content-Length", strconv.FormatInt(p.body.Len(), 10))
	case p.body.None() && p.Method != "GET" && p.Method != "HEAD":
		p.Headers.setDefault("Content-Length", "0")
	}
}

// trailed reports whether fields are to follow the body, which they can behind chunks only.
// An http.Request says by itself how it is framed.
func (p *PreparedRequest) trailed() bool {
	return p.Trailers != nil && p.given == nil && !p.body.None()
}

// frameStream announces the length of a stream, if it is known and not 0, else chunks.
func (p *PreparedRequest) frameStream() {
	if n := p.body.Len(); n > 0 && !p.trailed() {
		p.Headers.Set("Content-Length", strconv.FormatInt(n, 10))
		return
	}
	p.Headers.Set("Transfer-Encoding", "chunked")
}

// upgrades reports whether p asks for another protocol.
func (p *PreparedRequest) upgrades() bool {
	return h1.HasToken(p.Headers, "connection", "upgrade") && strings.TrimSpace(p.Headers.Get("Upgrade")) != ""
}

// at returns the address of p's URL, which its owner may have changed since p was
// prepared. It changes nothing in p, which several goroutines may be sending.
func (p *PreparedRequest) at() *uri.Address {
	if p.URL != "" && p.address.Text == p.URL {
		return &p.address
	}
	a := uri.AddressOf(p.URL)
	return &a
}

// setURL changes the URL of p, which nobody else has seen yet.
func (p *PreparedRequest) setURL(text string) {
	p.URL, p.address = text, uri.AddressOf(text)
}
