package adaptertest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/mountable/requests"
)

// TestRun: the contract holds for an adapter of the simplest kind, without what it says
// that it cannot do; nothing but that is left out.
func TestRun(t *testing.T) {
	start := func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		a := requests.NewHTTPAdapter()
		t.Cleanup(func() { _ = a.Close() })
		return requests.AdapterFunc(a.Send), server.URL
	}
	Run(t, start, Without(Interim, Trailers))
	s := &suite{}
	Without(Interim, Trailers)(s)
	if !s.lacks(Interim) || !s.lacks(Trailers) || s.lacks(Host) || s.lacks("") {
		t.Errorf("left out: %v", s.without)
	}
}
