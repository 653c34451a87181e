package requests

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/codec"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/jsontext"
	"github.com/mountable/requests/internal/multipart"
	"github.com/mountable/requests/internal/pairs"
	"github.com/mountable/requests/internal/uri"
)

// prepare runs the steps in Requests' order, from which the order of the header
// fields follows: method, URL, headers, cookies, body, auth, hooks.
func (r *Request) prepare(d *defaults) (*PreparedRequest, error) {
	block := new(preparedBlock)
	p := &block.prepared
	p.Headers = block.fields[:0]
	err := r.prepareMethod(p)
	if err == nil {
		err = r.prepareURL(p, d)
	}
	if err == nil {
		err = r.prepareHeaders(p, d)
	}
	if err == nil {
		err = r.prepareCookies(p, d)
	}
	if err == nil {
		err = r.prepareBody(p, d)
	}
	if err == nil {
		err = r.prepareAuth(p, d)
	}
	if err != nil {
		return nil, r.named(err)
	}
	r.prepareHooks(p, d)
	return p, nil
}

// preparedBlock is a PreparedRequest and its header fields, in one allocation: the four of a
// session, and what most calls add to them.
type preparedBlock struct {
	prepared PreparedRequest
	fields   [10][2]string
}

// named adds method and URL to an error of this package: there is no prepared request yet
// that could name them.
func (r *Request) named(err error) error {
	e, ok := err.(*Error)
	if !ok || e.Request != nil || e.Op != "" {
		return err
	}
	named := e.copy()
	named.Op = strings.TrimSpace(r.method() + " " + redactURL(r.URL))
	return named
}

// method is upper-case, GET if none is given. That of an http.Request stays as it is.
func (r *Request) method() string {
	switch {
	case r.Method == "":
		return "GET"
	case r.given != nil:
		return r.Method
	}
	return strings.ToUpper(r.Method)
}

func (r *Request) prepareMethod(p *PreparedRequest) error {
	p.Method = r.method()
	if !ascii.IsToken(p.Method) {
		return fail(ErrInvalidMethod, "the method %q is not a token", p.Method)
	}
	return nil
}

func (r *Request) prepareURL(p *PreparedRequest, d *defaults) error {
	var err error
	url := d.resolve(r.URL)
	if d.beyond && r.relative {
		return fail(ErrInvalidURL, "Path: a value leads to another origin than that of BaseURL")
	}
	switch params := r.mergeParams(d.params); {
	case r.asIs:
		p.URL, err = uri.Prepare(url, nil)
	case r.Query != "":
		p.URL, err = uri.PrepareText(url, r.Query)
	default:
		p.URL, err = uri.Prepare(url, params)
	}
	if e, ok := err.(*uri.Error); ok {
		return &Error{Kind: urlKind(e), Detail: e.Reason()} // named names the URL
	}
	if r.given != nil {
		r.given.AddParams(r.mergeParams(d.params))
	}
	p.setURL(d.hsts.upgrade(p.URL))
	if err == nil && r.asIs {
		err = r.prepareTarget(p)
	}
	return err
}

// prepareTarget takes path and query over as they are written.
func (r *Request) prepareTarget(p *PreparedRequest) error {
	if r.Query != "" || len(r.Params) > 0 {
		return fail(ErrInvalidArgument, "AsIs and Params cannot both have a say in the query")
	}
	target, ok := uri.ExactTarget(r.URL)
	if !ok {
		return fail(ErrInvalidURL, "AsIs: the URL is not absolute, or its path or query holds a blank or a control character")
	}
	p.address.Target = target
	return nil
}

func (r *Request) prepareHeaders(p *PreparedRequest, d *defaults) error {
	p.given, p.Trailers = r.given, r.Trailers
	p.Headers = pairs.OverlayFields(p.Headers, d.headers, r.Headers)
	for _, name := range r.WithoutHeaders {
		p.Headers.Del(name)
	}
	for _, f := range p.Headers {
		if err := checkHeader(f[0], f[1]); err != nil {
			return err
		}
	}
	return nil
}

// checkHeader is Requests' check_header_validity. What no HTTP message may hold
// besides is refused when the head is written.
func checkHeader(name, value string) error {
	if why := h1.CheckAsRequests(name, value); why != "" {
		return &Error{Kind: ErrInvalidHeader, Detail: why}
	}
	return nil
}

func (r *Request) prepareCookies(p *PreparedRequest, d *defaults) error {
	jar := d.jar
	p.beyond = d.beyond
	if len(r.Cookies) > 0 || r.Jar != nil || d.beyond {
		own, err := r.ownCookies(d.jar, d.policy)
		if err != nil {
			return err
		}
		jar, p.jar = own, own
	}
	p.setCookieHeader(jar, d.policy, r.given == nil || !r.given.Away)
	return nil
}

// ownCookies returns the jar of this call: the session's cookies and over them
// those of the call, which a filter of the session's jar does not keep from being sent.
func (r *Request) ownCookies(session *CookieJar, policy *Policy) (*CookieJar, error) {
	jar := session.forCall(policy)
	if r.Jar != nil {
		jar.Update(r.Jar)
	}
	for _, c := range r.Cookies {
		if err := jar.Set(Cookie{Name: c[0], Value: c[1], Path: "/"}); err != nil {
			return nil, err
		}
	}
	return jar, nil
}

// setCookieHeader adds the Cookie line of the jar, unless the caller wrote one.
// Cookies that are bound to no domain may be left out.
func (p *PreparedRequest) setCookieHeader(jar *CookieJar, policy *Policy, unbound bool) {
	if jar == nil || p.Headers.Has("Cookie") {
		return
	}
	if line := jar.header(p.at(), policy, unbound); line != "" {
		p.Headers.Add("Cookie", line)
	}
}

func (r *Request) prepareBody(p *PreparedRequest, d *defaults) error {
	b, contentType, err := r.encodeBody(d)
	if err != nil {
		return err
	}
	if p.body = b; b.None() && p.Trailers != nil && p.given == nil {
		return fail(ErrInvalidBody, "Trailers come behind a body, and there is none")
	}
	if b.Streamed() {
		p.frameStream()
	} else {
		p.setContentLength()
	}
	if contentType != "" {
		p.Headers.setDefault("Content-Type", contentType)
	}
	if coding := b.Coding(); coding != "" {
		p.Headers.setDefault("Content-Encoding", coding)
		if given := p.Headers.Get("Content-Encoding"); !ascii.EqualFold(given, coding) {
			return fail(ErrInvalidArgument, "Compress(%q), but the header has Content-Encoding %q", coding, given)
		}
	}
	return nil
}

// encodeBody encodes the one body that is given: Form with Files are one, any other two are
// a mistake. Empty text, bytes and lists count as not given. A Request that has been sent
// before starts again where its readers first stood.
func (r *Request) encodeBody(d *defaults) (body.Body, string, error) {
	if e := r.encoded; e.isOf(r) {
		if err := e.body.Restart(); err != nil || !e.renewable {
			return e.body, e.contentType, bodyFault(err)
		}
	}
	data, err := newBody(r.Body)
	if err != nil {
		return body.Body{}, "", err
	}
	asRequests := d.policy != nil && d.policy.BodiesAsRequests
	if why := body.Conflict(!data.None(), len(r.Form) > 0, len(r.Files) > 0, r.JSON != nil && !asRequests); why != "" {
		return body.Body{}, "", fail(ErrInvalidBody, "%s", why)
	}
	switch {
	case len(r.Files) > 0:
		return r.encodeFilesDuring(d.call, asRequests)
	case len(r.Form) > 0:
		return body.Bytes([]byte(uri.EncodePairs(r.Form))), "application/x-www-form-urlencoded", nil
	case data.None() && r.JSON != nil:
		return r.encodeJSON(d)
	}
	r.remember(data, "", data.Replayable())
	return data, "", nil
}

func (r *Request) encodeFiles(asRequests bool) (body.Body, string, error) {
	f, err := r.newFilesBody(asRequests)
	if err != nil {
		return body.Body{}, "", err
	}
	contentType := multipart.ContentType(f.Boundary)
	b, renewable, err := f.Encode()
	if err == nil {
		r.remember(b, contentType, renewable)
	}
	return b, contentType, bodyFault(err)
}

// newBody makes the body of what a caller gave.
func newBody(v any) (body.Body, error) {
	if v == http.NoBody {
		return body.Body{}, nil
	}
	b, err := body.New(v)
	return b, bodyFault(err)
}

func (r *Request) encodeJSON(d *defaults) (body.Body, string, error) {
	codecs := r.Send.Codecs
	if codecs == nil {
		codecs = d.codecs
	}
	marshal := codec.Of(codecs, codec.JSONType).Marshal
	if marshal == nil {
		marshal = jsontext.Encode
	}
	text, err := marshal(r.JSON)
	if err != nil {
		return body.Body{}, "", &Error{Kind: ErrInvalidJSON, Err: err, Detail: fmt.Sprintf("JSON cannot hold a %T", r.JSON)}
	}
	return body.Bytes(text), codec.JSONType, nil
}

// prepareAuth lets the auth that chooseAuth names put its credentials on p.
func (r *Request) prepareAuth(p *PreparedRequest, d *defaults) error {
	auth, err := r.chooseAuth(p, d)
	switch {
	case err != nil || auth == nil:
		return err
	case body.IsNil(auth):
		return fail(ErrInvalidArgument, "the Auth is a nil %T", auth)
	}
	written := p.Headers.Get("Authorization")
	p.ownAuth, p.during = r.Auth != nil, d.call
	if err := auth.Authenticate(p); err != nil {
		return err
	}
	p.during = nil
	p.ambient = r.Auth == nil && p.Headers.Get("Authorization") != written
	if !p.body.Streamed() {
		p.setContentLength()
	}
	return nil
}

// chooseAuth takes the request's auth, else the session's, else, where nobody wrote an
// Authorization field, netrc's or the URL's user info.
func (r *Request) chooseAuth(p *PreparedRequest, d *defaults) (Auth, error) {
	switch {
	case r.Auth != nil:
		return r.Auth, nil
	case d.auth != nil:
		return d.auth, nil
	case p.hasWrittenAuthorization() && (d.policy == nil || !d.policy.NetrcReplacesAuthorization):
		return nil, nil
	}
	if d.netrc != nil {
		if found, err := d.netrc.netrcAuth(p); err != nil || found != nil {
			return found, err
		}
	}
	if to := p.at(); to.Err == nil && !to.URL.HasUser {
		return nil, nil
	}
	if user, password, ok := uri.SplitAuth(p.URL); ok && user+password != "" {
		return BasicAuth(user, password), nil
	}
	return nil, nil
}

// hasWrittenAuthorization reports whether somebody wrote an Authorization field. One that
// an http.Client has made of the URL's user info says no more than the URL.
func (p *PreparedRequest) hasWrittenAuthorization() bool {
	written := p.Headers.Get("Authorization")
	if written == "" {
		return p.Headers.Has("Authorization")
	}
	to := p.at()
	if to.Err != nil || !to.URL.HasUser {
		return true
	}
	_, password, _ := to.URL.Userinfo()
	return written != "Basic "+base64.StdEncoding.EncodeToString([]byte(to.URL.Username()+":"+password))
}

func (r *Request) prepareHooks(p *PreparedRequest, d *defaults) {
	hooks := r.Hooks
	if len(hooks) == 0 {
		hooks = d.hooks
	}
	p.Hooks = append(p.Hooks, hooks...)
}

// urlError gives an error of internal/uri its kind.
func urlError(err error) error {
	if err == nil {
		return nil
	}
	e, ok := err.(*uri.Error)
	if !ok {
		return wrap(ErrInvalidURL, err, "")
	}
	return &Error{Kind: urlKind(e), Detail: e.Error()}
}

func urlKind(e *uri.Error) Kind {
	if e.Code == uri.MissingScheme {
		return ErrMissingSchema
	}
	return ErrInvalidURL
}
