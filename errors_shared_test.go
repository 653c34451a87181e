package requests_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestSharedError: an adapter may return one *Error every time. Nobody changes it, and each
// request's error names that request.
func TestSharedError(t *testing.T) {
	shared := &requests.Error{Kind: requests.ErrConnection, Detail: "the line is down"}
	before := *shared
	s := newTestSession(t)
	s.Mount("down://", requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		return nil, shared
	}))
	got := make([]string, 8)
	var calls sync.WaitGroup
	for i := range got {
		calls.Go(func() {
			_, err := s.Get(t.Context(), "down://host/"+string(rune('a'+i)))
			if errors.Is(err, shared) && errors.Is(err, requests.ErrConnection) {
				got[i] = err.Error()
			}
		})
	}
	calls.Wait()
	want := make([]string, len(got))
	for i := range want {
		want[i] = "GET down://host/" + string(rune('a'+i)) + ": the line is down"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if *shared.MarkWritten() == before || shared.Request != nil || !shared.SafeToRetry() {
		t.Errorf("the shared error was changed: %+v", shared)
	}
}
