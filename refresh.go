package requests

import (
	"context"
	"net/http"
	"sync"
)

// Token is a credential that can expire. A *Token of golang.org/x/oauth2 is one, and so
// is a [*Bearer].
type Token interface {
	// Valid reports whether the token can still be used.
	Valid() bool
	// SetAuthHeader sets the Authorization of r, of which only the header counts.
	SetAuthHeader(r *http.Request)
}

// TokenSource gives tokens, a new one with each call: the shape of
// golang.org/x/oauth2's TokenSource.
type TokenSource[T Token] interface {
	Token() (T, error)
}

// TokenFunc makes a [TokenSource] of a function.
type TokenFunc[T Token] func() (T, error)

// Token calls f.
func (f TokenFunc[T]) Token() (T, error) { return f() }

// Refresh authenticates with tokens of a source, and gets a new one where the last has
// expired or the server refuses it:
//
//	the token                 what happens
//	valid                     it is sent
//	none, or no longer valid  the source is asked before the request is sent
//	refused with a 401        the source is asked, unless somebody has already; the request
//	                          is sent once more, and what comes back is the response
//
// The source is never asked twice at the same time: requests that need a new token wait
// for the one that is being fetched, and get its error if it fails. So a refresh token
// that can be used once is used once. A source keeps no token of its own: around
// oauth2's, which does, write one that asks with the last refresh token.
//
// A 401 from an origin that a redirect led to is left as it is, and a request whose body
// cannot be sent again ends as [ErrUnrewindableBody]. The errors of the source are
// returned as they are.
//
// A Refresh is an [Option] and safe for concurrent use. Make one with [RefreshAuth].
type Refresh struct {
	source func() (Token, error)

	// mu protects the fields below.
	mu     sync.Mutex
	token  Token
	value  string // of Authorization
	flight *tokenFlight
}

// tokenFlight is a call of the source that is under way.
type tokenFlight struct {
	done  chan struct{} // closed when the fields below are set
	value string
	err   error
	ended bool // false where the source has panicked
}

// RefreshAuth authenticates with the tokens of source.
func RefreshAuth[T Token](source TokenSource[T]) *Refresh {
	if isNil(source) {
		return &Refresh{source: func() (Token, error) { return nil, fail(ErrInvalidArgument, "RefreshAuth: the source is nil") }}
	}
	return &Refresh{source: func() (Token, error) { return source.Token() }}
}

// Apply makes a the auth of r.
func (a *Refresh) Apply(r *Request) error {
	r.Auth = a
	return nil
}

// Authenticate sets the Authorization header, and adds a hook that gets a new token where
// this one is refused. It waits for the source where there is no valid token.
func (a *Refresh) Authenticate(p *PreparedRequest) error {
	value, err := a.authorization(context.Background(), "")
	if err != nil {
		return err
	}
	p.Headers.Set("Authorization", value)
	p.Hooks = append(p.Hooks, a.answer)
	return nil
}

// answer is the hook that Authenticate adds.
func (a *Refresh) answer(ctx context.Context, r *Response) (*Response, error) {
	if r.StatusCode != http.StatusUnauthorized || r.Request == nil || !r.Auth().MayAnswer() {
		return r, nil
	}
	refused := r.Request.Headers.Get("Authorization")
	value, err := a.authorization(ctx, refused)
	if err != nil {
		return nil, err
	}
	if value == refused {
		return r, nil // the source has nothing better
	}
	return r.Auth().Answer(ctx, func(p *PreparedRequest) error {
		p.Headers.Set("Authorization", value)
		return nil
	})
}

// authorization returns the header value of a valid token that is not the refused one.
func (a *Refresh) authorization(ctx context.Context, refused string) (string, error) {
	for {
		value, flight, first := a.board(refused)
		switch {
		case value != "":
			return value, nil
		case first:
			return a.fetch(flight)
		}
		select {
		case <-flight.done:
		case <-ctx.Done():
			return "", contextError(ctx)
		}
		if flight.ended {
			return flight.value, flight.err
		}
	}
}

// board returns the value that can be used, else the call that is under way; first says
// that it is the caller's to make.
func (a *Refresh) board(refused string) (value string, flight *tokenFlight, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != nil && a.value != refused && a.token.Valid() {
		return a.value, nil, false
	}
	if a.flight != nil {
		return "", a.flight, false
	}
	a.flight = &tokenFlight{done: make(chan struct{})}
	return "", a.flight, true
}

// fetch asks the source. Whatever happens there, those who wait go on.
func (a *Refresh) fetch(f *tokenFlight) (string, error) {
	var token Token
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.flight = nil
		if f.ended && f.err == nil {
			a.token, a.value = token, f.value
		}
		close(f.done)
	}()
	token, f.err = a.source()
	if f.err == nil {
		f.value, f.err = valueOf(token)
	}
	f.ended = true
	return f.value, f.err
}

// valueOf is the header value of a token.
func valueOf(token Token) (string, error) {
	if isNil(token) || !token.Valid() {
		return "", fail(ErrInvalidArgument, "RefreshAuth: the source gave a token that is not valid")
	}
	r := &http.Request{Header: http.Header{}}
	token.SetAuthHeader(r)
	if value := r.Header.Get("Authorization"); value != "" {
		return value, nil
	}
	return "", fail(ErrInvalidArgument, "RefreshAuth: the token sets no Authorization")
}
