// Package appengine sends requests by App Engine's URL Fetch service, for programs on
// its sandboxed runtimes, which have no sockets: the AppEngineAdapter of the
// requests-toolbelt.
//
//	func handle(w http.ResponseWriter, r *http.Request) {
//		s := requests.NewSession()
//		appengine.Install(s)
//		resp, err := s.Get(gae.NewContext(r), "https://api.example.com/")
//
// The context of each call must be one of App Engine's. What the service cannot do is
// left out: it has GET, HEAD, POST, PUT, PATCH and DELETE, bodies in memory both ways,
// no Host header, no trailers, no 1xx responses, and its own certificates: of a request's
// Verify only on and off count, Cert and Proxies not at all. Timeouts.Read and Total
// reach the service, which gives up after five seconds where neither is set.
package appengine

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"google.golang.org/appengine/v2/urlfetch"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// Option configures an adapter.
type Option func(*settings)

type settings struct{ validate bool }

// ValidateCertificate says whether the service checks the certificates of servers, which
// it does by default. A request with Verify(false) is sent unchecked in any case.
func ValidateCertificate(on bool) Option {
	return func(s *settings) { s.validate = on }
}

// Adapter returns an adapter that sends by URL Fetch.
func Adapter(options ...Option) requests.Adapter {
	s := settings{validate: true}
	for _, o := range options {
		o(&s)
	}
	return newAdapter(s)
}

// ErrIgnoringCertificateValidation warns that an adapter which never checks certificates
// was asked to: the toolbelt's IgnoringGAECertificateValidation.
var ErrIgnoringCertificateValidation = errors.New("appengine: the insecure adapter does not validate certificates, though ValidateCertificate(true) was given")

// InsecureAdapter returns an adapter that never checks certificates. It can be used
// whatever the error is: that is [ErrIgnoringCertificateValidation], a warning, where
// ValidateCertificate(true) was given, and nil otherwise.
func InsecureAdapter(options ...Option) (requests.Adapter, error) {
	var s settings
	for _, o := range options {
		o(&s)
	}
	if s.validate {
		return newAdapter(settings{}), ErrIgnoringCertificateValidation
	}
	return newAdapter(s), nil
}

// Install mounts an adapter for every http and https URL of a session, instead of
// the toolbelt's monkeypatch.
func Install(s *requests.Session, options ...Option) {
	a := Adapter(options...)
	s.Mount("https://", a)
	s.Mount("http://", a)
}

// adapter chooses between two transports by a request's Verify.
type adapter struct {
	settings
	checked, unchecked requests.Adapter
}

func newAdapter(s settings) *adapter {
	return &adapter{s, adapters.RoundTripper(fetcher{false}), adapters.RoundTripper(fetcher{true})}
}

// Close implements [requests.Adapter]; there is nothing to close.
func (a *adapter) Close() error { return nil }

// Send implements [requests.Adapter].
func (a *adapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	carrier := a.checked
	if !a.validate || !opts.Verify.Enabled() {
		carrier = a.unchecked
	}
	if limit := opts.Timeouts.Read; limit > 0 && limit != requests.Forever {
		var cancel context.CancelFunc // the body is in memory when Send returns
		ctx, cancel = context.WithTimeout(ctx, limit+afterwards)
		defer cancel()
	}
	r, err := carrier.Send(ctx, p, opts)
	if e, ok := errors.AsType[*requests.Error](err); ok && e.Kind == requests.ErrConnection {
		e.Kind = kindOf(e)
	}
	return r, err
}

// afterwards is how much later than the caller the service may give up.
const afterwards = 500 * time.Millisecond

// kindOf tells the errors of the service apart: their type is internal to its package,
// their names are in the text.
func kindOf(err error) requests.Kind {
	text := err.Error()
	for name, kind := range map[string]requests.Kind{
		"urlfetch: SSL_CERTIFICATE_ERROR": requests.ErrSSL,
		"urlfetch: DEADLINE_EXCEEDED":     requests.ErrReadTimeout,
		"urlfetch: INVALID_URL":           requests.ErrInvalidURL,
		"urlfetch: RESPONSE_TOO_LARGE":    requests.ErrLimit,
		"unsupported HTTP method":         requests.ErrInvalidMethod,
	} {
		if strings.Contains(text, name) {
			return kind
		}
	}
	return requests.ErrConnection
}

// fetcher is an http.RoundTripper that takes the service's context from the request.
type fetcher struct{ unchecked bool }

// RoundTrip implements [http.RoundTripper]. The service's call cannot be canceled: it
// is left to end by itself then, which it does within its own time limit.
func (f fetcher) RoundTrip(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	done := make(chan result, 1)
	go func() {
		transport := urlfetch.Transport{Context: req.Context(), AllowInvalidServerCertificate: f.unchecked}
		resp, err := transport.RoundTrip(req)
		done <- result{resp, err}
	}()
	select {
	case r := <-done:
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return r.resp, overdue(req.Context(), r.err)
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// overdue gives the context's own error to a call that ended for its deadline: the
// service's package looks at the same clock, and may see it a moment earlier.
func overdue(ctx context.Context, err error) error {
	timeout, ok := errors.AsType[interface {
		error
		IsTimeout() bool
	}](err)
	if !ok || !timeout.IsTimeout() {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(moment):
		return err
	}
}

// moment is how far two timers for one deadline may be apart.
const moment = 20 * time.Millisecond
