// Package refresh keeps a token that can expire, and asks its source for a new one where it
// has, or where a server refuses it: never twice at the same time.
package refresh

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
)

// Token is a credential that can expire.
type Token interface {
	Valid() bool
	SetAuthHeader(r *http.Request)
}

// Errors of Tokens, besides those of the source.
var (
	ErrInvalid  = errors.New("the source gave a token that is not valid")
	ErrNoHeader = errors.New("the token sets no Authorization")
	ErrWaiting  = errors.New("the context ended while another request asked for the token")
)

// Tokens is the last token of a source. It is safe for concurrent use.
//
//	the token                 what Value does
//	valid                     returns it
//	none, expired or refused  asks the source, unless somebody is asking: then it waits
//	being fetched             waits; where the source has panicked, asks by itself
type Tokens struct {
	Source func() (Token, error)

	// mu protects the fields below.
	mu     sync.Mutex
	token  Token
	value  string // of Authorization
	flight *flight
}

// flight is a call of the source that is under way.
type flight struct {
	done  chan struct{} // closed when the fields below are set
	value string
	err   error
	ended bool // false where the source has panicked
}

// Value returns the header value of a valid token that is not the refused one.
func (t *Tokens) Value(ctx context.Context, refused string) (string, error) {
	for {
		value, f, first := t.board(refused)
		switch {
		case value != "":
			return value, nil
		case first:
			return t.fetch(f)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", ErrWaiting
		}
		if f.ended {
			return f.value, f.err
		}
	}
}

// board returns the value that can be used, else the call that is under way; first says
// that it is the caller's to make.
func (t *Tokens) board(refused string) (value string, f *flight, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != nil && t.value != refused && t.token.Valid() {
		return t.value, nil, false
	}
	if t.flight != nil {
		return "", t.flight, false
	}
	t.flight = &flight{done: make(chan struct{})}
	return "", t.flight, true
}

// fetch asks the source. Whatever happens there, those who wait go on.
func (t *Tokens) fetch(f *flight) (string, error) {
	var token Token
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.flight = nil
		if f.ended && f.err == nil {
			t.token, t.value = token, f.value
		}
		close(f.done)
	}()
	token, f.err = t.Source()
	if f.err == nil {
		f.value, f.err = valueOf(token)
	}
	f.ended = true
	return f.value, f.err
}

// valueOf is the header value of a token.
func valueOf(token Token) (string, error) {
	if v := reflect.ValueOf(token); !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() || !token.Valid() {
		return "", ErrInvalid
	}
	r := &http.Request{Header: http.Header{}}
	token.SetAuthHeader(r)
	if value := r.Header.Get("Authorization"); value != "" {
		return value, nil
	}
	return "", ErrNoHeader
}
