package adapters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/wire"
)

// Mock answers from a table, for tests of what uses requests:
//
//	m := adapters.NewMock()
//	m.On("GET", "https://api.test/users/*", adapters.Match{Query: requests.Params{{"page", "2"}}}).Reply(adapters.Reply{JSON: users})
//	s.Mount("https://", m)
//	…
//	if err := m.Check(); err != nil { t.Error(err) }
//
// Expectations are tried in the order they were made; the first that fits, and has not
// had its [Expectation.Times] yet, answers. A request that none fits is
// [requests.ErrConnection] with the one that came closest and what was missing.
type Mock struct {
	// mu protects the fields below.
	mu        sync.Mutex
	expected  []*Expectation
	sent      []Sent
	unmatched []error
}

// NewMock returns a Mock that answers nothing yet.
func NewMock() *Mock { return &Mock{} }

// Sent is a request that reached a [Mock].
type Sent struct {
	Method  string
	URL     string
	Headers requests.Headers
	Body    []byte
	Options requests.SendOptions
}

// Expectation is a request that a [Mock] answers, with its replies.
type Expectation struct {
	mock       *Mock
	method     string
	url        pattern
	conditions []condition
	replies    []Reply
	function   func(*Sent) Reply
	times      int // 0 for any number
	sent       []Sent
	err        error
}

// Reply is what a [Mock] answers. The zero value is an empty 200.
type Reply struct {
	Status   int              // 200 if 0
	Reason   string           // that of the status if empty
	Headers  requests.Headers // Content-Length is added, and the Content-Type of JSON
	Text     string           // the body
	JSON     any              // the body instead of Text, unless nil
	Trailers requests.Headers
	Delay    time.Duration // before the head; contexts and time limits count
	Err      error         // instead of a response: a Kind, or a cause of ErrConnection
}

// On expects requests with a method ("" for any) to a URL. In the URL "*" stands for any run
// of characters without "/", and "**" for any at all; the empty text is any URL. A query in
// it must be there as it is, any order of names; without one the query does not matter. All
// that the matches ask for must hold besides. A Match.JSON that does not marshal is the
// error of every request.
func (m *Mock) On(method, url string, matches ...Match) *Expectation {
	e := &Expectation{mock: m, method: strings.ToUpper(method), url: newPattern(url)}
	for _, match := range matches {
		conditions, err := match.conditions()
		e.conditions = append(e.conditions, conditions...)
		if e.err == nil {
			e.err = err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expected = append(m.expected, e)
	return e
}

// Reply gives the replies, one after the other; the last one repeats. A JSON value that
// does not marshal is the error of every request then.
func (e *Expectation) Reply(replies ...Reply) *Expectation {
	e.mock.mu.Lock()
	defer e.mock.mu.Unlock()
	for _, r := range replies {
		if _, err := r.content(); err != nil && e.err == nil {
			e.err = err
		}
		e.replies = append(e.replies, r)
	}
	return e
}

// ReplyFunc makes the replies. f may be called by several goroutines.
func (e *Expectation) ReplyFunc(f func(*Sent) Reply) *Expectation {
	e.mock.mu.Lock()
	defer e.mock.mu.Unlock()
	e.function = f
	return e
}

// Times expects exactly n requests; those beyond are left to later expectations.
func (e *Expectation) Times(n int) *Expectation {
	e.mock.mu.Lock()
	defer e.mock.mu.Unlock()
	e.times = n
	if n < 1 && e.err == nil {
		e.err = invalid("Times: n is %d: expected 1 or more", n)
	}
	return e
}

// Sent returns the requests this expectation has answered.
func (e *Expectation) Sent() []Sent {
	e.mock.mu.Lock()
	defer e.mock.mu.Unlock()
	return append([]Sent{}, e.sent...)
}

// shown describes the expectation.
func (e Expectation) shown() string {
	parts := []string{e.method, secret.URL(e.url.text)}
	if e.method == "" {
		parts[0] = "any method"
	}
	if e.url.text == "" {
		parts[1] = "any URL"
	}
	for _, c := range e.conditions {
		parts = append(parts, c.what)
	}
	return strings.Join(parts, " ")
}

// Sent returns every request that came, in order.
func (m *Mock) Sent() []Sent {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Sent{}, m.sent...)
}

// Check returns an error for every request that had no reply, and for every expectation
// that was not met: never, or not as often as Times says. nil if all is well.
func (m *Mock) Check() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	problems := append([]error{}, m.unmatched...)
	for _, e := range m.expected {
		switch {
		case e.err != nil:
			problems = append(problems, e.err)
		case e.times > 0 && len(e.sent) != e.times:
			problems = append(problems, fmt.Errorf("%v: sent %d times, expected %d", e, len(e.sent), e.times))
		case len(e.sent) == 0:
			problems = append(problems, fmt.Errorf("%v: never sent", e))
		}
	}
	return errors.Join(problems...)
}

// Close implements [requests.Adapter]; there is nothing to close.
func (m *Mock) Close() error { return nil }

// Send implements [requests.Adapter].
func (m *Mock) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	w := newWatch(ctx, opts)
	defer w.end()
	if failure := w.failure(p); failure != nil {
		return nil, failure
	}
	sent, err := record(p, opts)
	if err != nil {
		return nil, err
	}
	reply, err := m.choose(p, sent)
	if err != nil {
		return nil, err
	}
	return reply.response(p, w)
}

// record reads the body that would be sent.
func record(p *requests.PreparedRequest, opts requests.SendOptions) (*Sent, error) {
	body := p.OpenBody()
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, &requests.Error{Kind: requests.ErrInvalidBody, Request: p, Err: err}
	}
	return &Sent{p.Method, p.URL, p.Headers.Clone(), data, opts}, nil
}

// choose finds the reply, and counts.
func (m *Mock) choose(p *requests.PreparedRequest, sent *Sent) (Reply, error) {
	reply, function, err := m.match(p, sent)
	if function != nil {
		return function(sent), nil
	}
	return reply, err
}

// match finds the reply whose turn it is, or the function that makes it. The caller's functions that it calls may panic.
func (m *Mock) match(p *requests.PreparedRequest, sent *Sent) (Reply, func(*Sent) Reply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, *sent)
	var closest miss
	for _, e := range m.expected {
		missing := e.missing(sent)
		switch {
		case e.err != nil:
			return Reply{}, nil, e.err
		case missing.reason == "":
			e.sent = append(e.sent, *sent)
			return e.next(), e.function, nil
		case closest.of == nil || missing.hits > closest.hits:
			closest = missing
		}
	}
	err := &requests.Error{Kind: requests.ErrConnection, Request: p, Detail: "the mock has no response: " + closest.String()}
	m.unmatched = append(m.unmatched, err)
	return Reply{}, nil, err
}

// next is the reply whose turn it is.
func (e *Expectation) next() Reply {
	if len(e.replies) == 0 {
		return Reply{}
	}
	return e.replies[min(len(e.sent), len(e.replies))-1]
}

// miss says how far an expectation was from fitting.
type miss struct {
	of     *Expectation
	hits   int    // conditions that held
	reason string // the first that did not; empty for a fit
}

// String says what came closest.
func (m miss) String() string {
	if m.of == nil {
		return "nothing is expected"
	}
	return fmt.Sprintf("closest is %v, but %s", m.of, m.reason)
}

// missing tries all conditions.
func (e *Expectation) missing(sent *Sent) miss {
	result := miss{of: e}
	try := func(weight int, reason string) {
		if reason == "" {
			result.hits += weight
		} else if result.reason == "" {
			result.reason = reason
		}
	}
	try(4, e.url.missing(sent.URL))
	if e.method != "" && e.method != sent.Method {
		try(2, "the method is "+sent.Method)
	} else {
		try(2, "")
	}
	for _, c := range e.conditions {
		try(1, c.missing(sent))
	}
	if e.times > 0 && len(e.sent) >= e.times {
		try(1, fmt.Sprintf("it has had its %d requests", e.times))
	}
	return result
}

// response makes the response, after the delay.
func (r Reply) response(p *requests.PreparedRequest, w *watch) (*requests.Response, error) {
	if r.Delay > 0 {
		w.start(w.opts.Read, reading)
		timer := time.NewTimer(r.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-w.ctx.Done():
			return nil, w.failure(p)
		}
	}
	if r.Err != nil {
		return nil, replyError(p, r.Err)
	}
	content, err := r.content()
	if err != nil {
		return nil, err
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	headers := r.Headers.Clone()
	r.describe(&headers, status, len(content))
	if p.Method == "HEAD" || !bodyAllowed(status) {
		content = nil
	}
	resp := requests.NewResponse(p, status, headers, &wire.Held{Content: content, Fields: r.Trailers})
	if r.Reason != "" {
		resp.Reason = r.Reason
	}
	return resp, nil
}
