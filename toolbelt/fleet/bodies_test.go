package fleet

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
)

func objects(t *testing.T, f *Fleet) int {
	t.Helper()
	left, err := f.bodies.List(t.Context())
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		t.Fatal(err)
	}
	return len(left)
}

// TestSameLongBody: a job that is there already leaves no body behind, and has the body it was
// enqueued with first.
func TestSameLongBody(t *testing.T) {
	o := newOrigin(t, nil)
	f := open(t, Embedded(t.TempDir()))
	long := func(n int) []*requests.Request {
		return []*requests.Request{{Method: "PUT", URL: o.URL + "/put", Body: strings.Repeat("x", 2<<20+n)}}
	}
	id := JobID(func(*requests.Request) string { return "same" })
	enqueue(t, f, slices.Values(long(1)), 1, id)
	enqueue(t, f, slices.Values(long(2)), 0, id)
	enqueue(t, f, slices.Values(append(long(3), long(4)...)), 0, id)
	if n := objects(t, f); n != 1 {
		t.Errorf("%d bodies are stored for one job", n)
	}
	run(t, f, session(t))
	if diff := cmp.Diff(map[string]int{fmt.Sprintf("PUT /put %d", 2<<20+1): 1}, o.counts()); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	enqueue(t, f, slices.Values(long(5)), 0, id)
	if n := objects(t, f); n != 0 {
		t.Errorf("%d bodies are stored for no job", n)
	}
}

// TestIDOfHost: an ID is one of its host, on the queue, among the results and in the object store.
func TestIDOfHost(t *testing.T) {
	answer := func(c string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat(c, 2<<20)) }
	}
	one, two := newOrigin(t, answer("1")), newOrigin(t, answer("2"))
	f := open(t, Embedded(t.TempDir()))
	jobs := []*requests.Request{{Method: "PUT", URL: one.URL, Body: strings.Repeat("x", 2<<20)}, {Method: "PUT", URL: two.URL, Body: strings.Repeat("y", 3<<20)}}
	enqueue(t, f, slices.Values(jobs), 2, JobID(func(*requests.Request) string { return "same" }))
	run(t, f, session(t))
	got := map[string]string{}
	for _, r := range results(t, f) {
		body, err := f.Body(t.Context(), r)
		got["http://"+r.Host] = fmt.Sprintf("%.1s %d %v", body, len(body), err)
	}
	want := map[string]string{one.URL: "1 2097152 <nil>", two.URL: "2 2097152 <nil>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
