package requests

import (
	"cmp"
	"context"
	"time"
)

// Adapter sends one prepared request to a server and returns the response. Mount it on a [Session]
// by URL prefix. It must be safe for concurrent use.
//
// Send must honor ctx and opts, must not change p, and must leave redirects,
// cookies and hooks to the session. The response's body is read by the caller
// after Send has returned; its Close must release whatever it holds. Close
// releases what the adapter holds; it may be used again afterwards.
type Adapter interface {
	Send(ctx context.Context, p *PreparedRequest, opts SendOptions) (*Response, error)
	Close() error
}

// AdapterFunc makes an [Adapter] of a function, with nothing to close.
type AdapterFunc func(ctx context.Context, p *PreparedRequest, opts SendOptions) (*Response, error)

// Send calls f; a nil f is [ErrInvalidArgument].
func (f AdapterFunc) Send(ctx context.Context, p *PreparedRequest, opts SendOptions) (*Response, error) {
	if f == nil {
		return nil, fail(ErrInvalidArgument, "the AdapterFunc is nil")
	}
	return f(ctx, p, opts)
}

// Close does nothing.
func (f AdapterFunc) Close() error { return nil }

// Wrapper acts around the sends of an adapter: a cache, a recorder, a rate limit.
type Wrapper func(Adapter) Adapter

// SendOptions are the settings of a send that are not part of the request. The
// zero value takes everything from the session.
type SendOptions struct {
	Stream    Toggle       // leave the body to the caller
	Redirects Toggle       // follow redirects; On by default, except for Head
	Timeouts  Timeouts     // zero fields are taken from the session
	Limits    Limits       // zero fields are taken from the session
	Verify    Verification // zero: the session's
	Cert      Certificate  // zero: the session's
	Proxies   Proxies      // by scheme, "scheme://host", "all"

	Codecs Codecs // nil: the session's

	// Deadline is when Timeouts.Total runs out, zero for never. Session.Send sets it
	// for the whole chain; adapters must keep it.
	Deadline time.Time

	// Interim is called with each 1xx response before the final one, its status and
	// header. Its error ends the request.
	Interim func(status int, headers Headers) error

	redirects *int      // at most; nil: the session's
	previous  *Response // whose content a 304 has; see IfChanged

	policy   *Policy
	given    Proxies // of the call itself, before session and environment
	proxyBy  proxyChoice
	merged   bool // made by Session.MergeEnvironment: nothing is left to look up
	trustEnv bool // the session's

	environmentVerify Verification // what the environment says, where nobody else has spoken
}

// Toggle is a switch that a call may leave to its session.
type Toggle uint8

// The states of a Toggle.
const (
	Inherit Toggle = iota
	On
	Off
)

func toggle(on bool) Toggle {
	if on {
		return On
	}
	return Off
}

// or returns t unless it is Inherit.
func (t Toggle) or(other Toggle) Toggle { return cmp.Or(t, other) }
