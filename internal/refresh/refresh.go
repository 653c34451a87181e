// Package refresh keeps a token that can expire, and asks its source for a new one where it
// has, or where a server refuses it: never twice at the same time.
package refresh

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"time"
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
	ErrWaiting  = errors.New("the context ended while the source was asked for the token")
	ErrOverdue  = errors.New("the time ended while the source was asked for the token")
)

// Tokens is the last token of a source. It is safe for concurrent use.
//
//	the token                 what Value does
//	valid                     returns it
//	none, expired or refused  asks the source on a goroutine, and waits
//	being fetched             waits; where the source has panicked, asks by itself
//
// Who waits does so within its own context. The source is called to its end for the others, and
// what it gives is kept; the goroutine ends with the call. A panic goes on in the caller that asked,
// if it still waits.
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
	ended bool // false where the source has panicked, or ended its goroutine

	panicked any
}

// Value returns the header value of a valid token that is not the refused one. A zero deadline is
// none.
func (t *Tokens) Value(ctx context.Context, deadline time.Time, refused string) (string, error) {
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, deadline, ErrOverdue)
		defer cancel()
	}
	for {
		value, f, first := t.board(refused)
		switch {
		case value != "":
			return value, nil
		case first:
			go t.fetch(f)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			if context.Cause(ctx) == ErrOverdue {
				return "", ErrOverdue
			}
			return "", ErrWaiting
		}
		switch {
		case f.ended:
			return f.value, f.err
		case first && f.panicked != nil:
			panic(f.panicked)
		case first:
			runtime.Goexit() // as the source did
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
func (t *Tokens) fetch(f *flight) {
	var token Token
	defer func() {
		if !f.ended {
			f.panicked = recover()
		}
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
