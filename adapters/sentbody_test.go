package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// stuck is a body that can start over, and of which nothing comes until it is released.
type stuck struct {
	reading chan struct{} // gets an element with each read
	release chan struct{}
}

func newStuck() *stuck { return &stuck{make(chan struct{}, 9), make(chan struct{})} }

func (s *stuck) Read(p []byte) (int, error) {
	s.reading <- struct{}{}
	<-s.release
	return copy(p, "body"), nil
}

func (s *stuck) Len() int64    { return 4 }
func (s *stuck) Rewind() error { return nil }

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// beginReading has somebody read the body of req, until it waits.
func beginReading(req *http.Request, body *stuck, ended chan<- struct{}) {
	go func() {
		_, _ = req.Body.Read(make([]byte, 4))
		close(ended)
	}()
	<-body.reading
}

func posted(t *testing.T, body any) *requests.PreparedRequest {
	t.Helper()
	p, err := (&requests.Request{Method: "POST", URL: "http://h.test/", Body: body}).Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestStuckBodyAgain: a transport that wants a body from its beginning waits for the one who reads it,
// and no longer than the send may last.
func TestStuckBodyAgain(t *testing.T) {
	for _, want := range []error{context.Canceled, requests.ErrTotalTimeout} {
		body, ended, done := newStuck(), make(chan struct{}), make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var opts requests.SendOptions
		if want == requests.ErrTotalTimeout {
			opts.Deadline = time.Now().Add(50 * time.Millisecond)
		}
		a := adapters.RoundTripper(transportFunc(func(req *http.Request) (*http.Response, error) {
			beginReading(req, body, ended)
			_ = req.Body.Close()
			if want == context.Canceled {
				cancel()
			}
			_, err := req.GetBody()
			return nil, err
		}))
		p := posted(t, body)
		go func() {
			_, err := a.Send(ctx, p, opts)
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("it waits for the body, beyond %v", want)
		}
		close(body.release)
		<-ended
		cancel()
	}
}

// TestStuckBodyIsNotSentElsewhere: where somebody may still read a body, nobody else is to be told that
// it can be sent again.
func TestStuckBodyIsNotSentElsewhere(t *testing.T) {
	refused := &requests.Error{Kind: requests.ErrConnection, Detail: "not looked at"}
	for _, waits := range []bool{true, false} {
		body, ended := newStuck(), make(chan struct{})
		a := adapters.RoundTripper(transportFunc(func(req *http.Request) (*http.Response, error) {
			beginReading(req, body, ended)
			if !waits {
				close(body.release)
				<-ended
			}
			return nil, refused
		}))
		_, err := a.Send(t.Context(), posted(t, body), requests.SendOptions{})
		if e, ok := errors.AsType[*requests.Error](err); !ok || e.SafeToRetry() == waits {
			t.Errorf("waits %t: %v, %v", waits, err, e)
		}
		if waits {
			close(body.release)
		}
		<-ended
	}
}

// TestBodyAgainFails: what goes wrong with a body that is sent once more is told as with the first.
func TestBodyAgainFails(t *testing.T) {
	a := adapters.RoundTripper(transportFunc(func(req *http.Request) (*http.Response, error) {
		again, err := req.GetBody()
		if err == nil {
			_, err = io.Copy(io.Discard, again) // which is longer than announced
		}
		return nil, fmt.Errorf("the transport gave up: %v", err)
	}))
	body := newStuck()
	close(body.release)
	_, err := a.Send(t.Context(), posted(t, body), requests.SendOptions{})
	if !errors.Is(err, requests.ErrBodyLength) {
		t.Errorf("got %v", err)
	}
}
