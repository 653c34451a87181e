package adapters

import (
	"context"
	"sync"
	"time"

	"github.com/mountable/requests"
)

// Hedge sends a request a second time where no response has come within after, and
// returns whichever response comes first; the other is canceled. It cuts the slowest
// responses of a service that is mostly fast, for a few requests more: set after to
// the time within which all but one in twenty responses come.
//
// Only requests that may be repeated are hedged: GET, HEAD, PUT, DELETE, OPTIONS, TRACE
// and QUERY, without a body or with one in memory, and without trailers. A failure is returned as it is unless
// the other try brings a response. With after below or at 0 every Send is
// [requests.ErrInvalidArgument].
func Hedge(after time.Duration) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter { return &hedged{base, after} }
}

type hedged struct {
	requests.Adapter
	after time.Duration
}

// CloseIdle passes on.
func (h *hedged) CloseIdle() { closeIdle(h.Adapter) }

// Send implements [requests.Adapter].
func (h *hedged) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	switch {
	case h.after <= 0:
		return nil, invalid("Hedge(%v): expected more than 0", h.after)
	case !mayRepeat(p):
		return h.Adapter.Send(ctx, p, opts)
	}
	gate := &interimGate{call: opts.Interim}
	if opts.Interim != nil {
		opts.Interim = gate.pass
		defer gate.close()
	}
	r := &race{send: h.Adapter.Send, ctx: ctx, p: p, opts: opts, tries: make(chan *try, 2)}
	defer r.end()
	r.start()
	timer := time.NewTimer(h.after)
	defer timer.Stop()
	select {
	case t := <-r.tries:
		return r.first(t)
	case <-timer.C:
	}
	r.start()
	return r.first(<-r.tries)
}

// mayRepeat reports whether sending p twice, even at the same time, is not more than
// sending it once (RFC 9110 section 9.2.2; QUERY by RFC 10008).
func mayRepeat(p *requests.PreparedRequest) bool {
	switch p.Method {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY":
		_, inMemory := p.Body()
		return inMemory && p.Trailers == nil // which both tries would call
	}
	return false
}

// interimGate keeps two tries from calling the caller at once, and the one that nobody waits
// for from calling at all.
type interimGate struct {
	call func(int, requests.Headers) error

	// mu protects the fields below.
	mu   sync.Mutex
	over bool
}

func (g *interimGate) pass(status int, h requests.Headers) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return context.Canceled
	}
	return g.call(status, h)
}

func (g *interimGate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
}

// race is one request that is under way up to twice.
type race struct {
	send  func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error)
	ctx   context.Context
	p     *requests.PreparedRequest
	opts  requests.SendOptions
	tries chan *try // those that have come to an end
	begun []*try    // all of them
	over  int       // how many have been taken from tries
}

// try is one of them. It has a request of its own: what has lost may still be sending when the
// caller changes its own again.
type try struct {
	request  *requests.PreparedRequest
	cancel   context.CancelFunc
	response *requests.Response
	err      error
	panicked any
	kept     bool // its response is the caller's
}

// start sends the request on a goroutine of its own.
func (r *race) start() {
	ctx, cancel := context.WithCancel(r.ctx)
	t := &try{request: r.p.Clone(), cancel: cancel}
	r.begun = append(r.begun, t)
	t.err = invalid("the adapter ended its goroutine") // unless it returns
	go func() {
		defer func() {
			t.panicked = recover()
			r.tries <- t
		}()
		t.response, t.err = r.send(ctx, t.request, r.opts)
	}()
}

// first returns the first response, else the first failure. A panic of the adapter goes
// on in the caller's goroutine.
func (r *race) first(t *try) (*requests.Response, error) {
	var failure error
	for {
		r.over++
		switch {
		case t.panicked != nil:
			panic(t.panicked)
		case t.err == nil && t.response != nil:
			t.kept = true
			if t.response.Request == t.request {
				t.response.Request = r.p
			}
			whenEnded(t.response, t.cancel)
			return t.response, nil
		case failure == nil:
			failure = t.failure(r.p)
		}
		if r.over == len(r.begun) {
			return nil, failure
		}
		t = <-r.tries
	}
}

// failure is the error of t for who sent p.
func (t *try) failure(p *requests.PreparedRequest) error {
	e, ok := t.err.(*requests.Error)
	if !ok || e.Request != t.request {
		return t.err
	}
	own := *e
	own.Request = p
	return &own
}

// end cancels what the caller does not get, and closes it when it comes.
func (r *race) end() {
	for _, t := range r.begun {
		if !t.kept {
			t.cancel()
		}
	}
	if late := len(r.begun) - r.over; late > 0 {
		go r.discard(late)
	}
}

func (r *race) discard(late int) {
	for range late {
		if t := <-r.tries; t.response != nil {
			t.response.Close()
		}
	}
}
