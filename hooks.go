package requests

import (
	"context"

	"github.com/mountable/requests/internal/content"
)

// Hook is called with each response before its cookies are stored, before
// redirects are looked at and before its body is read. It may look at the
// response, change it, or return another one, which replaces it for the
// later hooks and for the caller; nil keeps the one it was given. An error ends
// the call and reaches the caller unchanged. A hook may send again with [Response.Resend].
//
// Hooks run in order, for every hop of a redirect chain. Those of a request
// replace the session's. A nil hook is skipped.
//
// A hook need not close the response it replaces, which may be read by what replaces
// it: it is closed together with that. After an error or a panic of a hook
// every response that it was given, or got from Resend, is closed.
type Hook func(ctx context.Context, r *Response) (*Response, error)

// dispatch runs the hooks over a response. Until the last one has returned, it holds every
// response that has come in this hop.
func dispatch(ctx context.Context, hooks []Hook, r *Response) (last *Response, err error) {
	held := new(content.Held[*Response])
	r.hold(held)
	defer func() { held.End(last == nil) }()
	for _, hook := range hooks {
		if hook == nil {
			continue
		}
		replaced, err := hook(ctx, r)
		if err != nil {
			return nil, err
		}
		if replaced != nil && replaced != r {
			replaced.hold(held)
			replaced.content().Replace(r) // it may read from r
			replaced.standInFor(r)
			r = replaced
		}
	}
	return r, nil
}

// hold keeps r until the hooks of its hop have returned.
func (r *Response) hold(held *content.Held[*Response]) {
	r.held = held
	held.Add(r)
}
