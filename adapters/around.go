package adapters

import (
	"context"

	"github.com/mountable/requests"
)

// BeforeSend calls f with a copy of each request that is about to be sent, redirects, answers to
// challenges and all, which f may change. A response that f returns is taken instead, and nothing is
// sent (see [requests.NewResponse]); its error is that of the request.
//
// The order of a call is: for each hop BeforeSend, the tries of [requests.HTTPAdapter], OnError, the
// hooks of session and call, cookies, and Session.OnRedirect. A nil f makes every Send
// [requests.ErrInvalidArgument].
func BeforeSend(f func(ctx context.Context, p *requests.PreparedRequest) (*requests.Response, error)) requests.Wrapper {
	return around(func(ctx context.Context, base requests.Adapter, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
		if f == nil {
			return nil, invalid("BeforeSend: the function is nil")
		}
		p = p.Clone()
		if r, err := f(ctx, p); r != nil || err != nil {
			return r, err
		}
		return base.Send(ctx, p, opts)
	})
}

// OnError calls f with the error of each request that has failed, all its tries together. f
// returns the error that the caller gets, or a response instead. It is not called for a later
// error of reading a body. A nil f makes every Send [requests.ErrInvalidArgument].
func OnError(f func(ctx context.Context, p *requests.PreparedRequest, err error) (*requests.Response, error)) requests.Wrapper {
	return around(func(ctx context.Context, base requests.Adapter, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
		if f == nil {
			return nil, invalid("OnError: the function is nil")
		}
		r, err := base.Send(ctx, p, opts)
		if err == nil {
			return r, nil
		}
		if r, replaced := f(ctx, p, err); r != nil || replaced != nil {
			return r, replaced
		}
		return nil, err
	})
}

// Codecs decodes response bodies with codecs, whatever those of the session are. Requests are
// encoded with the session's, because that happens before an adapter is chosen.
func Codecs(codecs requests.Codecs) requests.Wrapper {
	return around(func(ctx context.Context, base requests.Adapter, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
		r, err := base.Send(ctx, p, opts)
		if err == nil && r != nil {
			r.Codecs = codecs
		}
		return r, err
	})
}

// around is the wrapper that sends by way of a function.
func around(send func(context.Context, requests.Adapter, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error)) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter { return &sendAround{orNone(base), send} }
}

type sendAround struct {
	requests.Adapter
	send func(context.Context, requests.Adapter, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error)
}

// CloseIdle passes on.
func (a *sendAround) CloseIdle() { closeIdle(a.Adapter) }

// Send implements [requests.Adapter].
func (a *sendAround) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	return a.send(ctx, a.Adapter, p, opts)
}
