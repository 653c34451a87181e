package requests

import (
	"net/http"
	"slices"

	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/uri"
)

// limitRedirected holds requests that an http.Client's redirects lead to, to the rules
// that the session's own redirects keep: where they may lead, that the session's params
// are added once, and what may travel to another origin, of what the session adds and of
// what the client carries along.
func (s *Session) limitRedirected(r *Request, req *http.Request) error {
	if req.Response == nil || req.Response.Request == nil {
		return nil
	}
	before := req.Response.Request
	if err := s.allowRedirect(s.HSTS.upgrade(nethttp.Text(before.URL)), s.HSTS.upgrade(r.URL)); err != nil {
		return err
	}
	for _, kv := range s.Params {
		if !slices.ContainsFunc(r.Params, func(own [2]string) bool { return own[0] == kv[0] }) {
			r.WithoutParams = append(r.WithoutParams, kv[0])
		}
	}
	if req.Method != before.Method {
		r.Headers.delBody()
	}
	r.dropForwarded(before.Header, func(name string) bool { return name == "proxy-authorization" })
	if !nethttp.LeftOrigin(req, uri.ShareOrigin) {
		return nil
	}
	r.Auth = NoAuth
	if s.Policy.KeepCrossOriginHeaders {
		r.dropForwarded(before.Header, func(name string) bool { return name == "cookie" && s.Cookies != nil })
	} else {
		r.Headers.Del("Referer") // the client's own doing
		r.dropForwarded(before.Header, func(name string) bool { return !redirect.MayCross(name) && (name != "cookie" || s.Cookies != nil) })
		s.omitSessionHeaders(r, req)
	}
	if nethttp.LeftOrigin(req, keepsAuth) {
		r.dropForwarded(before.Header, func(name string) bool { return name == "authorization" })
	}
	r.given.Away = !s.Policy.NetscapeCookies && !keepsAuth(nethttp.Text(nethttp.First(req).URL), r.URL)
	return nil
}

// refuseRedirect is what holds without a session: only http and https are followed.
func refuseRedirect(req *http.Request) error {
	if req.Response == nil || req.Response.Request == nil {
		return nil
	}
	return allowScheme(nethttp.Text(req.Response.Request.URL), nethttp.Text(req.URL))
}

// dropForwarded removes what the client has carried along.
func (r *Request) dropForwarded(before http.Header, mayNot func(name string) bool) {
	r.Headers = nethttp.WithoutForwarded(r.Headers, before, mayNot)
}

// omitSessionHeaders keeps the session's headers that may not travel from being added.
func (s *Session) omitSessionHeaders(r *Request, req *http.Request) {
	for _, f := range s.Headers {
		if !redirect.MayCross(f[0]) && !r.Headers.Has(f[0]) {
			r.WithoutHeaders = append(r.WithoutHeaders, f[0])
		}
	}
}

// keepsAuth reports whether Authorization may go from one URL to the other.
func keepsAuth(from, to string) bool {
	strip, err := uri.ShouldStripAuth(from, to)
	return err == nil && !strip
}
