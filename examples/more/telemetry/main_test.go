package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRun: a redirect is two hops, and a busy server two attempts of one.
func TestRun(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Traceparent") == "":
			w.WriteHeader(http.StatusTeapot)
		case r.URL.Path == "/":
			http.Redirect(w, r, "/next", http.StatusFound)
		case requests.Add(1) == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	var out strings.Builder
	if err := run(t.Context(), server.URL, &out); err != nil {
		t.Fatal(err)
	}
	want := "200\nGET client\nattempt 1 internal\nattempt 2 internal\nGET client\nfetch internal\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
