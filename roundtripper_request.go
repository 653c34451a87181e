package requests

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/uri"
)

// asGiven is what an http.Request asks to be sent, where Requests would normalize it.
type asGiven struct {
	target string // of the request line
}

func newGiven(req *http.Request) *asGiven {
	g := &asGiven{target: req.URL.RequestURI()}
	if req.Method == http.MethodConnect && req.URL.Path == "" {
		g.target = cmpOr(req.URL.Opaque, req.Host, req.URL.Host)
	}
	return g
}

func cmpOr(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// addParams appends a session's params to the target.
func (g *asGiven) addParams(params Params) {
	if len(params) == 0 || g.target == "*" {
		return
	}
	join := "?"
	if strings.Contains(g.target, "?") {
		join = "&"
	}
	g.target += join + uri.EncodePairs(params)
}

// absolute is the target in the form in which a proxy is asked for it.
func (g *asGiven) absolute(u *uri.URL) string {
	if strings.HasPrefix(g.target, "/") {
		return u.Scheme + "://" + u.Netloc() + g.target
	}
	return g.target
}

// trailersOf returns the fields that follow the body, nil if none are announced. They are
// filled in while the body is read.
func trailersOf(req *http.Request) func() Headers {
	if len(req.Trailer) == 0 {
		return nil
	}
	return func() Headers {
		var fields Headers
		for _, name := range sortedNames(req.Trailer) {
			for _, value := range req.Trailer[name] {
				fields.Add(name, value)
			}
		}
		return fields
	}
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkHTTPRequest refuses what no transport can send.
func checkHTTPRequest(req *http.Request) error {
	switch {
	case req.URL == nil:
		return fail(ErrInvalidURL, "the http.Request has no URL")
	case req.Header == nil && req.URL.Host == "" && req.URL.Path == "":
		return fail(ErrInvalidURL, "the http.Request has no host in its URL")
	case req.Method != "" && !ascii.IsToken(req.Method):
		return fail(ErrInvalidMethod, "the method %q is not a token", req.Method)
	}
	for name, values := range req.Header {
		if !ascii.IsToken(name) {
			return fail(ErrInvalidHeader, "invalid header name %q", name)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return fail(ErrInvalidHeader, "the value of header %q contains a control character", name)
			}
		}
	}
	return nil
}

// framingFields are said by the http.Request's own fields, and skipped in its Header.
var framingFields = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true}

// headersOf gives a request's header an order: net/http's own, the names sorted.
func headersOf(req *http.Request) Headers {
	headers := make(Headers, 0, len(req.Header)+2)
	if req.Host != "" && req.Host != req.URL.Host {
		headers.Add("Host", req.Host)
	}
	if req.Close {
		headers.Add("Connection", "close")
	}
	for _, name := range sortedNames(req.Header) {
		if framingFields[name] {
			continue
		}
		if name == "User-Agent" && len(req.Header[name]) == 0 {
			headers.Add(name, "") // suppresses the session's
		}
		for _, value := range req.Header[name] {
			headers.Add(name, strings.Trim(value, " \t"))
		}
	}
	if len(req.Trailer) > 0 {
		headers.Add("Trailer", strings.Join(sortedNames(req.Trailer), ", "))
	}
	return headers
}

// plainURL is the URL that decides where a request goes: the path of one that is opaque,
// or asks for everything ("*"), counts for nothing.
func plainURL(u *url.URL) *url.URL {
	if u.Opaque == "" && u.Path != "*" {
		return u
	}
	plain := *u
	plain.Opaque, plain.Path, plain.RawPath = "", "/", ""
	return &plain
}

// transit is one http.Request on its way: its context, and its body, which is closed once.
type transit struct {
	req    *http.Request
	ctx    context.Context
	cancel context.CancelCauseFunc // nil unless req.Cancel is set
	close  func() error
}

var errRequestCanceled = errors.New("net/http: request canceled") // the text programs know

func newTransit(req *http.Request) *transit {
	x := &transit{req: req, ctx: req.Context(), close: func() error { return nil }}
	if req.Body != nil {
		x.close = sync.OnceValue(req.Body.Close)
	}
	//lint:ignore SA1019 the contract still has it
	if done := req.Cancel; done != nil {
		x.ctx, x.cancel = context.WithCancelCause(x.ctx)
		go func() {
			select {
			case <-done:
				x.cancel(errRequestCanceled)
			case <-x.ctx.Done():
			}
		}()
	}
	return x
}

// end closes the body, if it is open, and ends what waits for req.Cancel.
func (x *transit) end() {
	_ = x.close()
	if x.cancel != nil {
		x.cancel(nil)
	}
}

// body is the body of the http.Request as a session sends it, nil for none.
func (x *transit) body() any {
	if x.req.Body == nil || x.req.Body == http.NoBody {
		return nil
	}
	b := &httpBody{Reader: x.req.Body, transit: x}
	if x.req.GetBody == nil {
		return body.Stream(b, b.length(), nil)
	}
	return body.Stream(b, b.length(), b.rewind)
}

// httpBody is the body of an http.Request, which is closed when it has been read.
type httpBody struct {
	io.Reader
	transit *transit
}

// Read closes the body at its end, as nothing more is wanted of it.
func (b *httpBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		_ = b.transit.close()
	}
	return n, err
}

// length is the announced one, -1 if there is none, or if the body is to be chunked.
func (b *httpBody) length() int64 {
	req := b.transit.req
	if req.ContentLength <= 0 || len(req.TransferEncoding) > 0 && req.TransferEncoding[0] == "chunked" {
		return -1
	}
	return req.ContentLength
}

// rewind starts the body again with GetBody.
func (b *httpBody) rewind() error {
	again, err := b.transit.req.GetBody()
	if err != nil {
		return err
	}
	_ = b.transit.close()
	b.Reader, b.transit.close = again, sync.OnceValue(again.Close)
	return nil
}

// certificateError finds the error of a server's certificate.
func certificateError(err error) error {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	return nil
}
