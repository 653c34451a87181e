package adapters_test

import (
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// TestHandlerEndsItsGoroutine: a handler that calls runtime.Goexit, as testing.T.FailNow does, has not responded: neither
// with an empty 200, nor with the part it has written.
func TestHandlerEndsItsGoroutine(t *testing.T) {
	for _, written := range []string{"", "half"} {
		s := requests.NewSession()
		defer s.Close()
		s.Mount("http://h.test/", adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, written)
			runtime.Goexit()
		})))
		if r, err := s.Get(t.Context(), "http://h.test/"); err == nil {
			t.Errorf("%q: %v", written, r)
		}
	}
}
