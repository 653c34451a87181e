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
	"github.com/mountable/requests/internal/wiretest"
)

// endingWith is a body that ends as if it were whole when its request is canceled, as
// net/http's may where the server sees the end of the connection first.
type endingWith struct {
	ctx   context.Context
	began chan<- struct{}
}

func (b endingWith) Read(p []byte) (int, error) {
	select {
	case b.began <- struct{}{}:
		return copy(p, "part"), nil
	case <-b.ctx.Done():
		return 0, io.EOF
	}
}

func (endingWith) Close() error { return nil }

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestCanceledBodyIsNotWhole checks that no end of a body counts once its request has ended.
func TestCanceledBodyIsNotWhole(t *testing.T) {
	s := requests.NewSession()
	defer s.Close()
	began := make(chan struct{}, 1)
	s.Mount("http://", adapters.RoundTripper(tripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Body: endingWith{req.Context(), began}}, nil
	})))
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := s.Get(ctx, "http://h.test/", requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.ReadFull(resp, make([]byte, 4)); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	cancel()
	if got, err := io.ReadAll(resp); !errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
		t.Errorf("canceled: %q, %v", got, err)
	}
	for want, limits := range map[error]requests.Timeouts{requests.ErrBodyTimeout: {Read: 10 * time.Millisecond}, requests.ErrTotalTimeout: {Total: 10 * time.Millisecond}} {
		wiretest.Patiently(t, func(slower time.Duration) error {
			limits.Read *= slower // a busy machine may be too late with the head
			if _, err := s.Get(t.Context(), "http://h.test/", limits); !errors.Is(err, want) {
				return fmt.Errorf("%w is not %w", err, want)
			}
			return nil
		})
	}
	client := &http.Client{Transport: s.RoundTripper(), Timeout: 10 * time.Millisecond}
	got, err := client.Get("http://h.test/")
	if err == nil {
		_, err = io.ReadAll(got.Body)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("http.Client: %v", err)
	}
}
