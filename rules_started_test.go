package requests_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// started is one use of a way that starts requests.
type started struct {
	*testing.T
	l       lane
	s       *requests.Session
	url     string
	headers requests.Headers
}

// all are the options of a call that has no session to take them from.
func (c *started) all() []requests.Option {
	return []requests.Option{c.headers, c.l.proxies(""), requests.CABundlePEM(wiretest.TestCA().PEM())}
}

func (c *started) request() *requests.Request {
	return &requests.Request{URL: c.url, Headers: c.headers}
}

func (c *started) adapter() requests.Adapter {
	a, err := c.s.Adapter(c.url)
	if err != nil {
		c.Fatal(err)
	}
	return a
}

type verb = func(context.Context, string, ...requests.Option) (*requests.Response, error)

func byFunction(f verb) func(*started) error {
	return func(c *started) error {
		if c.l.hop == "direct" {
			return errNoNames
		}
		return second(f(c.Context(), c.url, c.all()...))
	}
}

var errNoNames = errors.New("without a session, names lead nowhere but through a proxy")

func second(_ *requests.Response, err error) error { return err }

func byMethod(f func(*requests.Session, context.Context, string, ...requests.Option) (*requests.Response, error)) func(*started) error {
	return func(c *started) error { return second(f(c.s, c.Context(), c.url, c.headers)) }
}

// byHook calls f once, with the first response.
func byHook(f func(ctx context.Context, r *requests.Response) (*requests.Response, error)) func(*started) error {
	return func(c *started) error {
		called := false
		hook := func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
			if called {
				return nil, nil
			}
			called = true
			return f(ctx, r)
		}
		return second(c.s.Get(c.Context(), c.url, c.headers, requests.ReplaceHooks(hook)))
	}
}

func byPool(make func(c *started, options ...toolbelt.PoolOption) (*toolbelt.Pool, error), take func(*toolbelt.Pool, context.Context)) func(*started) error {
	return func(c *started) error {
		p, err := make(c, toolbelt.SharedSession(c.s))
		if err == nil {
			take(p, c.Context())
		}
		return err
	}
}

func ofJobs(c *started, options ...toolbelt.PoolOption) (*toolbelt.Pool, error) {
	return toolbelt.NewPool(slices.Values([]*requests.Request{c.request()}), options...)
}

func ofChannel(c *started, options ...toolbelt.PoolOption) (*toolbelt.Pool, error) {
	jobs := make(chan *requests.Request, 1)
	jobs <- c.request()
	close(jobs)
	return toolbelt.FromChannel(jobs, options...)
}

func ofURLs(c *started, options ...toolbelt.PoolOption) (*toolbelt.Pool, error) {
	return toolbelt.FromURLs(slices.Values([]string{c.url}), append(options, toolbelt.EachRequest(c.headers))...)
}

func ofExceptions(c *started, options ...toolbelt.PoolOption) (*toolbelt.Pool, error) {
	failed := func(yield func(toolbelt.PoolResult) bool) {
		yield(toolbelt.PoolResult{Job: c.request(), Err: io.EOF})
	}
	return toolbelt.FromExceptions(failed, options...)
}

func results(p *toolbelt.Pool, ctx context.Context) {
	for range p.Results(ctx) {
	}
}

// joined waits for a pool, and looks at what it has then.
func joined(list func(*toolbelt.Pool) iter.Seq[toolbelt.PoolResult]) func(*toolbelt.Pool, context.Context) {
	return func(p *toolbelt.Pool, ctx context.Context) {
		_ = p.Join(ctx)
		for range list(p) {
		}
	}
}
