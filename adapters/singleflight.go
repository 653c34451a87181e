package adapters

import (
	"context"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// SingleFlight lets identical GET and HEAD requests that are under way at the same time share one
// response: one is sent, and each caller gets a copy. What an adapter below has kept with
// [requests.Response.SetValue], and its Timing, are in that of the first. Identical are requests with
// the same URL, header, credentials, whether they are sent already or are the call's own that an
// adapter has to respect, origin of their redirects and settings, but for deadlines, which are each
// caller's own: a caller that gives up leaves the others waiting, and the request is canceled when
// nobody waits any more.
//
// Requests with a body, to be streamed or with [requests.OnInterim] are sent by
// themselves. So are the later ones where a response turns out to be longer than 1 MiB, asks for
// credentials of a proxy, or gives cookies to a request that had none, which is how a server
// begins a session with one visitor: the first caller gets that.
//
// What a context holds is not compared: a wrapper that goes by it, such as one that takes a user's
// token from it, belongs around SingleFlight.
func SingleFlight() requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter {
		return &singleFlight{Adapter: base, flights: map[string][]*flight{}}
	}
}

// maxShared is the longest body that is kept to be shared.
const maxShared = 1 << 20

type singleFlight struct {
	requests.Adapter

	// mu protects the fields below, and those of the flights that say so.
	mu      sync.Mutex
	flights map[string][]*flight
}

// flight is a request that is under way for several callers.
type flight struct {
	key     string
	opts    requests.SendOptions
	asked   *requests.PreparedRequest // by the first caller, never changed
	proxies requests.ProxyCredentials // of asked
	cookies bool                      // the request had some
	cancel  context.CancelFunc
	waiting int  // by singleFlight.mu
	left    bool // the first caller has gone; by singleFlight.mu

	done     chan struct{}      // closed when the fields below are set
	response *requests.Response // the first caller's
	shared   *snapshot          // of response, or of that of err, for the others
	rest     io.ReadCloser      // of a body beyond maxShared
	err      error
	panicked any
}

// CloseIdle passes on.
func (s *singleFlight) CloseIdle() { closeIdle(s.Adapter) }

// Send implements [requests.Adapter].
func (s *singleFlight) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if !shareable(p, opts) {
		return s.Adapter.Send(ctx, p, opts)
	}
	w := newWatch(ctx, opts)
	defer w.end()
	if e := w.unsent(p); e != nil {
		return nil, e
	}
	f, first := s.join(ctx, p, opts)
	select {
	case <-f.done:
	case <-w.ctx.Done():
		s.leave(f, first)
		return nil, w.failure(p)
	}
	switch {
	case f.panicked != nil:
		panic(f.panicked)
	case f.err != nil:
		return nil, f.failure(p, first)
	case first:
		return f.whole(p), nil
	case f.rest != nil || f.personal():
		return s.Adapter.Send(ctx, p, opts)
	}
	return f.shared.copy(p), nil
}

func shareable(p *requests.PreparedRequest, opts requests.SendOptions) bool {
	body, inMemory := p.Body()
	return (p.Method == "GET" || p.Method == "HEAD") && inMemory && len(body) == 0 && opts.Stream != requests.On && opts.Interim == nil
}

// join waits for a flight that is under way, or begins one.
func (s *singleFlight) join(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (f *flight, first bool) {
	opts.Deadline = time.Time{} // each caller watches its own
	key, asked := flightKey(p), identity(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &flight{key: key, opts: opts, asked: asked, proxies: p.ProxyCredentials(), cookies: p.Headers.Has("Cookie"), waiting: 1, done: make(chan struct{})}
	for _, f := range s.flights[key] {
		if f.isLike(next) {
			f.waiting++
			return f, false
		}
	}
	f = next
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.flights[key] = append(s.flights[key], f)
	go s.fly(ctx, f, p.Clone()) // the caller may leave, and edit its own
	return f, true
}

// flightKey is what identical requests have in common, but for their settings.
func flightKey(p *requests.PreparedRequest) string {
	var b strings.Builder
	b.WriteString(p.Method + " " + p.URL)
	for name, value := range p.Headers.All() {
		b.WriteString("\n" + strings.ToLower(name) + ":" + value)
	}
	return b.String()
}

// identity is what else decides about a response: whether the call has an auth of its own,
// whose the Authorization is, to whom the chain of redirects belongs, the credentials for
// proxies. An adapter below, such as [Authenticate], goes by it, so all of it has to be
// equal, whatever that will be some day. Hooks and trailers do not reach an adapter that
// sends no body; the header is part of the key.
func identity(p *requests.PreparedRequest) *requests.PreparedRequest {
	own := p.Clone()
	own.Headers, own.Hooks, own.Trailers = nil, nil, nil
	return own
}

// isLike reports whether two flights are of identical requests. What has a state of its own,
// under a lock of its own, is compared first, so that nothing looks into it: there is one of
// it, or there are two.
func (f *flight) isLike(other *flight) bool {
	a, b := f.opts, other.opts
	if f.proxies != other.proxies || a.Cert != b.Cert || a.Verify != b.Verify {
		return false
	}
	a.Cert, a.Verify = b.Cert, b.Verify
	return reflect.DeepEqual(f.asked, other.asked) && reflect.DeepEqual(a, b)
}

// fly sends the request and reads the response.
func (s *singleFlight) fly(ctx context.Context, f *flight, p *requests.PreparedRequest) {
	ended := false
	defer func() {
		if f.panicked = recover(); !ended {
			f.crash()
		}
		s.land(f)
	}()
	s.send(ctx, f, p)
	ended = true
}

// crash ends a flight whose adapter, or the body it gave, has panicked or ended its goroutine.
func (f *flight) crash() {
	f.err = invalid("the adapter ended its goroutine")
	if f.response != nil {
		f.response.Close()
	}
}

func (s *singleFlight) send(ctx context.Context, f *flight, p *requests.PreparedRequest) {
	if f.response, f.err = s.Adapter.Send(ctx, p, f.opts); f.err != nil {
		if e, ok := f.err.(*requests.Error); ok && e.Response != nil {
			f.shared = readSnapshot(e.Response)
		}
		return
	}
	if f.response == nil {
		f.err = invalid("the adapter returned neither a response nor an error")
		return
	}
	f.shared = snapshotOf(f.response)
	f.read()
}

// read takes the body, unless it is too long to be kept.
func (f *flight) read() {
	raw := f.response.Raw
	if raw == nil {
		return
	}
	content, cut := io.ReadAll(io.LimitReader(raw, maxShared+1))
	if len(content) > maxShared {
		f.rest = wire.Resume(content, raw)
		return
	}
	f.shared.body = wire.Held{Content: content, Cut: cut, Fields: f.response.Trailers()}
	_ = raw.Close()
}

// land ends a flight: nobody joins it any more, and those who wait have their response.
func (s *singleFlight) land(f *flight) {
	s.mu.Lock()
	s.remove(f)
	abandoned := f.left
	close(f.done)
	s.mu.Unlock()
	if f.rest == nil || abandoned {
		f.drop()
	}
}

// leave is for a caller that does not wait any longer.
func (s *singleFlight) leave(f *flight, first bool) {
	s.mu.Lock()
	f.waiting--
	f.left = f.left || first
	landed := f.landed()
	if f.waiting == 0 {
		s.remove(f)
		f.cancel()
	}
	s.mu.Unlock()
	if landed && first {
		f.drop()
	}
}

func (f *flight) landed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// drop lets go of the connection.
func (f *flight) drop() {
	if f.rest != nil {
		_ = f.rest.Close()
	}
	f.cancel()
}

func (s *singleFlight) remove(f *flight) {
	flights := slices.DeleteFunc(s.flights[f.key], func(other *flight) bool { return other == f })
	if len(flights) == 0 {
		delete(s.flights, f.key)
		return
	}
	s.flights[f.key] = flights
}

// personal reports whether the response is meant for one caller: it is the beginning of a
// session, or a challenge by a proxy, which only the connection that it came over tells from
// one by a server.
func (f *flight) personal() bool {
	return f.shared.head.StatusCode == 407 || f.shared.head.Headers.Has("Set-Cookie") && !f.cookies
}

// whole is the response for the first caller.
func (f *flight) whole(p *requests.PreparedRequest) *requests.Response {
	r := f.response
	r.Request = p
	if f.rest == nil {
		body := f.shared.body
		r.Raw = &body
		return r
	}
	r.Raw = f.rest
	whenEnded(r, f.cancel)
	return r
}

// failure is the error for one caller, with the request of that one, and a response of its own.
func (f *flight) failure(p *requests.PreparedRequest, first bool) error {
	e, ok := f.err.(*requests.Error)
	if !ok {
		return f.err
	}
	own := *e
	own.Request = p
	if e.Response != nil && !first {
		own.Response = f.shared.again()
	}
	return &own
}
