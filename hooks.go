package requests

import "context"

// Hook is called with each reply before its cookies are stored, before
// redirects are looked at and before its body is read. It may look at the
// response, change it, or return another one, which takes its place for the
// later hooks and for the caller; nil keeps the one it was given. An error ends
// the call and reaches the caller unchanged. A hook may send again with
// [Response.Resend].
//
// Hooks run in order, for every hop of a redirect chain. Those of a request
// replace the session's. A nil hook is skipped.
type Hook func(ctx context.Context, r *Response) (*Response, error)

// dispatch runs the hooks over a response.
func dispatch(ctx context.Context, hooks []Hook, r *Response) (*Response, error) {
	for _, hook := range hooks {
		if hook == nil {
			continue
		}
		replaced, err := hook(ctx, r)
		if err != nil {
			return nil, err
		}
		if replaced != nil {
			r = replaced
		}
	}
	return r, nil
}
