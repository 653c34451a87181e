package interop

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameOver runs a program over http.Transport and over each of ours, on a server of the
// given protocol, and compares what it says.
func sameOver(t *testing.T, protocol string, serveWith func() http.Handler, run func(t *testing.T, rt http.RoundTripper, url string) any) {
	t.Helper()
	over := func(t *testing.T, c carrier) any {
		url, link := serve(t, protocol, serveWith())
		shown := run(t, c.make(t, link), url)
		if err, failed := shown.(error); failed {
			t.Fatalf("over %s: %v", c.name, err)
		}
		return shown
	}
	want := over(t, reference)
	t.Logf("over %s: %v", reference.name, want)
	for _, c := range carriers {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(want, over(t, c)); diff != "" {
				t.Errorf("not as over http.Transport (-want +got)\n%s", diff)
			}
		})
	}
}

// must ends a test that cannot go on.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
