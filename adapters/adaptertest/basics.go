package adaptertest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/mountable/requests"
)

// RunBasics tests what holds of every adapter, wherever its responses come from: that a GET
// of url gives a response any number of times, at the same time too, that the request is
// not changed, that a canceled context is an error, and that Close can be called twice
// and the adapter be used again.
func RunBasics(t *testing.T, a requests.Adapter, url string) {
	before := runtime.NumGoroutine()
	p := prepare(t, "GET", url, requests.Headers{{"x-lower", "1"}})
	unsent := fmt.Sprint(p.Method, p.URL, p.Headers)
	r, content := fetch(t, a, p)
	if r.StatusCode < 200 || r.Request == nil || r.URL != p.URL {
		t.Errorf("status %d, request %v, URL %q", r.StatusCode, r.Request, r.URL)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			r, err := a.Send(t.Context(), prepare(t, "GET", url), requests.SendOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			if again, err := r.Content(); err != nil || string(again) != content {
				t.Errorf("at the same time came %q, %v", again, err)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Send(ctx, prepare(t, "GET", url), requests.SendOptions{})
	check(t, err, requests.ErrCanceled, context.Canceled)
	for range 2 {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, again := fetch(t, a, p); again != content {
		t.Errorf("after Close came %q", again)
	}
	if after := fmt.Sprint(p.Method, p.URL, p.Headers); after != unsent {
		t.Errorf("before: %s\nafter:  %s", unsent, after)
	}
	_ = a.Close()
	noLeak(t, before)
}
