package toolbelt

import (
	"context"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// BaseURLSession is a [requests.Session] whose URLs are joined to a base, by the
// rules of RFC 3986 section 5 as Python's urljoin keeps them:
//
//	base                          url          request
//	https://h.example/v1/         users        https://h.example/v1/users
//	https://h.example/v1          users        https://h.example/users
//	https://h.example/v1/         /users       https://h.example/users
//	https://h.example/v1/         //o.example  https://o.example
//	https://h.example/v1/         https://o/x  https://o/x
//
// So a base usually ends with a slash, and URLs do not start with one. Every method
// that takes a URL joins it, Prepare and Do included; the embedded Session, which
// joins nothing, is for what asks for a *requests.Session. It is safe for concurrent
// requests once configured.
type BaseURLSession struct {
	*requests.Session
	BaseURL string

	// CreateURL makes the URL of a request, in the place of JoinURL, if set.
	CreateURL func(base, url string) string
}

// NewBaseURLSession returns a BaseURLSession with a new [requests.Session] in it.
func NewBaseURLSession(base string) *BaseURLSession {
	return &BaseURLSession{Session: requests.NewSession(), BaseURL: base}
}

// JoinURL resolves url against base as [BaseURLSession] says. With an empty base, or
// one of a scheme that has no relative references, it is url alone.
func JoinURL(base, url string) string { return uri.Join(base, url) }

// URL returns the URL a request for url goes to.
func (s *BaseURLSession) URL(url string) string {
	if s.CreateURL != nil {
		return s.CreateURL(s.BaseURL, url)
	}
	return JoinURL(s.BaseURL, url)
}

// joined returns a copy of r with its URL joined.
func (s *BaseURLSession) joined(r *requests.Request) *requests.Request {
	c := *r
	c.URL = s.URL(r.URL)
	return &c
}

// Prepare is [requests.Session.Prepare]. r is not changed.
func (s *BaseURLSession) Prepare(r *requests.Request) (*requests.PreparedRequest, error) {
	return s.Session.Prepare(s.joined(r))
}

// Do is [requests.Session.Do]. r is not changed.
func (s *BaseURLSession) Do(ctx context.Context, r *requests.Request) (*requests.Response, error) {
	return s.Session.Do(ctx, s.joined(r))
}

// Request is [requests.Session.Request].
func (s *BaseURLSession) Request(ctx context.Context, method, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Request(ctx, method, s.URL(url), options...)
}

// Get is [requests.Session.Get].
func (s *BaseURLSession) Get(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Get(ctx, s.URL(url), options...)
}

// Options is [requests.Session.Options].
func (s *BaseURLSession) Options(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Options(ctx, s.URL(url), options...)
}

// Head is [requests.Session.Head].
func (s *BaseURLSession) Head(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Head(ctx, s.URL(url), options...)
}

// Post is [requests.Session.Post].
func (s *BaseURLSession) Post(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Post(ctx, s.URL(url), options...)
}

// Put is [requests.Session.Put].
func (s *BaseURLSession) Put(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Put(ctx, s.URL(url), options...)
}

// Patch is [requests.Session.Patch].
func (s *BaseURLSession) Patch(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Patch(ctx, s.URL(url), options...)
}

// Delete is [requests.Session.Delete].
func (s *BaseURLSession) Delete(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return s.Session.Delete(ctx, s.URL(url), options...)
}
