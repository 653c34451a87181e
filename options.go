package requests

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/pairs"
	"github.com/mountable/requests/internal/template"
	"github.com/mountable/requests/internal/values"
)

// Option fills in one keyword of a [Request]. Options are applied in order; a
// later one wins over an earlier one. [Headers], [Params], [Form], [Files],
// [Cookies], [Proxies], [Timeouts], [Limits], [Codecs], [Verification] and [Certificate] are
// options by themselves, and [Authenticate] makes one of an [Auth]; other packages can
// write their own, with [OptionFunc] or as types.
type Option interface {
	// Apply changes r. An error ends the call before anything is sent.
	Apply(r *Request) error
}

// OptionFunc makes an [Option] of a function.
type OptionFunc func(r *Request) error

// Apply calls f. A nil f changes nothing.
func (f OptionFunc) Apply(r *Request) error {
	if f == nil {
		return nil
	}
	return f(r)
}

// JoinOptions combines options into one.
func JoinOptions(options ...Option) Option {
	return OptionFunc(func(r *Request) error { return r.apply(options) })
}

// apply runs the options; a nil option is skipped.
func (r *Request) apply(options []Option) error {
	for _, o := range options {
		if o == nil {
			continue
		}
		if err := o.Apply(r); err != nil {
			return err
		}
	}
	return nil
}

// pooledRequest is a Request that is used again, with room for the fields of Headers options.
type pooledRequest struct {
	request Request
	fields  [8][2]string
}

var requestPool = sync.Pool{New: func() any { return new(pooledRequest) }}

// newRequest returns an empty Request for options. It is one that is used again where they
// are all of this package: those of others may keep the Request.
func newRequest(options []Option) *Request {
	for _, o := range options {
		switch o.(type) {
		case nil, Headers, Params, Form, Files, Cookies, Proxies, Timeouts, Limits, Codecs, Verification, Certificate, setting:
		default:
			return new(Request)
		}
	}
	pooled := requestPool.Get().(*pooledRequest)
	pooled.request.pooled = pooled
	return &pooled.request
}

// release lets r be used again if it is a pooled one.
func (r *Request) release() {
	if pooled := r.pooled; pooled != nil {
		*pooled = pooledRequest{} // it must not keep credentials alive
		requestPool.Put(pooled)
	}
}

// setting is an Option that cannot fail.
type setting func(r *Request)

func (f setting) Apply(r *Request) error {
	f(r)
	return nil
}

// WithoutHeader leaves headers of the session out of this request. What no header has, a User-Agent
// included, is not sent; Host and what frames a body are.
func WithoutHeader(names ...string) Option {
	return setting(func(r *Request) { r.WithoutHeaders = append(r.WithoutHeaders, names...) })
}

// WithoutParam leaves params of the session out of this request.
func WithoutParam(names ...string) Option {
	return setting(func(r *Request) { r.WithoutParams = append(r.WithoutParams, names...) })
}

// Query appends text to the URL's query as it is, encoding only what no URL may
// hold. As in Requests, it takes the place of the session's Params.
func Query(text string) Option {
	return setting(func(r *Request) { r.Query = text })
}

// AsIs sends the request to url, which is absolute and replaces that of the call, with its path and query
// exactly as written: dot segments stay, and nothing is percent-encoded or decoded. The session's Params
// are left out; those of the call are [ErrInvalidArgument], and a blank, a control character or what is not
// UTF-8 is [ErrInvalidURL]. A redirect is followed as usual.
func AsIs(url string) Option {
	return setting(func(r *Request) { r.URL, r.asIs = url, true })
}

// OnlyParams is Params that replaces the session's instead of being merged, as
// a list of pairs does in Requests. Empty params count as not given.
func OnlyParams(p Params) Option {
	return setting(func(r *Request) { r.Params, r.ReplaceParams = p, len(p) > 0 })
}

// JSON sends v as JSON with Content-Type application/json. A nil v means no body; use
// json.RawMessage("null") to send null. A value that does not marshal, NaN
// included, is [ErrInvalidJSON] before anything is sent.
func JSON(v any) Option {
	return setting(func(r *Request) { r.JSON = v })
}

// Body sends v: a string, a []byte, an [io.Reader], an iterator over []byte or string
// (iter.Seq, or iter.Seq2 with an error) or a [Streamer]. A reader whose length can be known
// (files, bytes.Reader, anything with Len or Size and io.Seeker) is sent from its
// current position with Content-Length, others are sent chunked. Any other type
// is [ErrInvalidBody]. The reader is not closed.
func Body(v any) Option {
	return setting(func(r *Request) { r.Body = v })
}

// Authenticate authenticates this request with a instead of the session's Auth,
// netrc and the URL's user info. A nil a, or [NoAuth], sends none.
func Authenticate(a Auth) Option {
	return setting(func(r *Request) {
		if a == nil {
			a = NoAuth
		}
		r.Auth = a
	})
}

// ReplaceHooks gives this call hooks of its own. They replace the session's, as in
// Requests; given twice, it adds to those of the call.
func ReplaceHooks(hooks ...Hook) Option {
	return setting(func(r *Request) { r.Hooks = append(r.Hooks, hooks...) })
}

// OnInterim calls f with each 1xx response (RFC 9110 section 15.2), 103 Early
// Hints for example, before the final one. Its error ends the request.
func OnInterim(f func(status int, headers Headers) error) Option {
	return setting(func(r *Request) { r.Send.Interim = f })
}

// Stream leaves the body on the connection until it is read. The caller must
// read it to its end or Close the response.
func Stream(on bool) Option {
	return setting(func(r *Request) { r.Send.Stream = toggle(on) })
}

// AllowRedirects says whether redirects are followed. They are by default, except by Head.
func AllowRedirects(on bool) Option {
	return setting(func(r *Request) { r.Send.Redirects = toggle(on) })
}

// Redirects follows n redirects at most; one more is [ErrTooManyRedirects].
func Redirects(n int) Option {
	return OptionFunc(func(r *Request) error {
		if n < 0 {
			return fail(ErrInvalidArgument, "Redirects(%d): a number of redirects cannot be negative", n)
		}
		r.Send.Redirects, r.Send.redirects = On, &n
		return nil
	})
}

// Path has the values for the names in the URL of a call, a URI template (RFC 6570):
//
//	s.Get(ctx, "https://h.example/users/{id}{?page}", requests.Path{"id": "a/b", "page": 2})
//
// Values, which are escaped, are those of ParamsFrom, and nil for what RFC 6570 calls undefined;
// others are [ErrInvalidArgument]. A name without a value, a value without a name, and a value that
// would make an empty segment of the path, or "." or "..", or another host or, in a URL relative to
// BaseURL, another origin, are [ErrInvalidURL]. It is for calls with a URL, and has all their values.
type Path map[string]any

// Apply expands the URL of r.
func (p Path) Apply(r *Request) error {
	url, err := template.Expand(r.URL, p)
	if _, unfit := errors.AsType[values.Unfit](err); unfit {
		return fail(ErrInvalidArgument, "Path: %v", err)
	} else if err != nil {
		return fail(ErrInvalidURL, "Path: %v", err)
	}
	r.relative = r.relative || !strings.Contains(r.URL, "://")
	r.URL = url
	return nil
}

// ParamsFrom is [Params] of url.Values, a map with texts as keys, or a struct with the "url" tags of
// github.com/google/go-querystring, sorted by name. Values are strings, a [Secret] among them, which is
// sent as it is, bytes, numbers, bools, times, a fmt.Stringer, an encoding.TextMarshaler, or lists of
// these. Anything else is [ErrInvalidArgument].
func ParamsFrom(v any) Option {
	return pairsFrom("ParamsFrom", v, func(r *Request, p [][2]string) error { return Params(p).Apply(r) })
}

// FormFrom is [Form] made of what ParamsFrom takes.
func FormFrom(v any) Option {
	return pairsFrom("FormFrom", v, func(r *Request, p [][2]string) error { return Form(p).Apply(r) })
}

func pairsFrom(what string, v any, apply func(*Request, [][2]string) error) Option {
	return OptionFunc(func(r *Request) error {
		pairs, err := values.Pairs(v)
		if err != nil {
			return fail(ErrInvalidArgument, "%s: %v", what, err)
		}
		return apply(r, pairs)
	})
}

// Compress sends v, which is anything that [Body] takes, in the content coding "gzip", "zstd" or "br", in any
// case: chunked and while it is read, unless it is in memory. It is sent again where v could be, and v has to keep
// its length, else [ErrBodyLength]. The header must not name another Content-Encoding.
func Compress(name string, v any) Option {
	return OptionFunc(func(r *Request) error {
		name := ascii.Lower(name)
		given, err := newBody(v)
		if err != nil {
			return err
		}
		coded, err := body.Coded(given, name, func(w io.Writer) (io.WriteCloser, error) { return coding.NewWriter(name, w) })
		if err != nil {
			return fail(ErrInvalidArgument, "Compress: %v", err)
		}
		r.Body = coded
		return nil
	})
}

// IfChanged asks again for what previous has, if it has changed: with If-None-Match and
// If-Modified-Since. A 304 response then has the content of previous and the fields that describe
// it, and can be the next call's previous. A previous that is nil, of another method than GET,
// or without validators changes nothing; one whose content is not in memory is
// [ErrInvalidArgument], as is a 304 for another URL or method.
func IfChanged(previous *Response) Option {
	return OptionFunc(func(r *Request) error {
		if previous == nil || previous.StatusCode != 200 && previous.StatusCode != 304 || previous.Request != nil && previous.Request.Method != "GET" && previous.Request.Method != "HEAD" {
			return nil
		}
		if !previous.content().InMemory() || previous.StatusCode == 304 && !previous.renewed || previous.Request != nil && previous.Request.Method == "HEAD" {
			return fail(ErrInvalidArgument, "IfChanged: the content of the previous response is not in memory")
		}
		for _, f := range [...][2]string{{"If-None-Match", "ETag"}, {"If-Modified-Since", "Last-Modified"}} {
			if value := previous.Headers.Get(f[1]); value != "" {
				r.Headers, r.Send.previous = append(r.Headers.Clone(), [2]string{f[0], value}), previous
			}
		}
		return nil
	})
}

// unchanged gives a 304 the content of the previous response.
func (r *Response) unchanged(previous *Response) error {
	was, _, _ := strings.Cut(previous.URL, "#")
	if now, _, _ := strings.Cut(r.URL, "#"); now != was || r.Request != nil && (r.Request.Method != "GET" && r.Request.Method != "HEAD" || previous.Request != nil && r.Request.Target() != previous.Request.Target()) {
		_ = r.Close()
		return fail(ErrInvalidArgument, "IfChanged: the previous response is that of a GET of %q", redactURL(previous.URL))
	}
	content, err := previous.Content()
	_ = r.Close()
	r.content().Keep(bytes.Clone(content)) // whose owner may change it
	r.renewed = true
	r.Headers, r.Encoding = pairs.Complete(r.Headers, previous.Headers, "Content-Type", "Content-Language", "ETag", "Last-Modified", "Link"), previous.Encoding
	return err
}
