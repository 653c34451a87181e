package fleet

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestRobotsBomb: a robots.txt takes no more memory than some times its length, whatever it repeats.
func TestRobotsBomb(t *testing.T) {
	var different strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&different, "user-agent: %c%c%c\n", 'a'+i%26, 'a'+i/26%26, 'a'+i/676)
	}
	rules := strings.Repeat("disallow: /\n", 2000)
	for name, text := range map[string]string{
		"many products":         different.String() + rules,
		"one product, often":    strings.Repeat("user-agent: a\n", 2000) + rules,
		"many products, delays": different.String() + strings.Repeat("crawl-delay: 1\n", 2000),
		"many records":          strings.Repeat("user-agent: a\nuser-agent: b\ndisallow: /\n", 2000),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		robots := parseRobots(text)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 100*uint64(len(text)) {
			t.Errorf("%s: %d bytes for %d", name, took, len(text))
		}
		for agent, g := range robots.groups {
			looked := 0 // at rules, for each URL
			for _, b := range g.blocks {
				looked += len(b.rules)
			}
			if looked > 2000 {
				t.Errorf("%s: %s has %d rules", name, agent, looked)
			}
		}
	}
}

// TestMovedToAnotherHost: whoever reaches the server and has no key cannot make the job or the result of one host
// that of another, where both have the same ID.
func TestMovedToAnotherHost(t *testing.T) {
	o := newOrigin(t, nil)
	f := open(t, Embedded(t.TempDir()), SealWith(make([]byte, 16)))
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL}}), 1, JobID(func(*requests.Request) string { return "same" }))
	job, err := f.jobs.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	run(t, f, session(t))
	result, err := f.results.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for subject, data := range map[string][]byte{f.subject("jobs", "0", "other", "same"): job.Data, f.subject("results", "another", "same"): result.Data} {
		if _, err := f.js.Publish(t.Context(), subject, data); err != nil {
			t.Fatal(err)
		}
	}
	run(t, f, session(t))
	got := map[string]bool{} // whether it was taken
	for r, err := range f.Results(t.Context(), UntilEmpty) {
		if err == nil {
			err = r.Err
		}
		if got[r.Host] = err == nil; err != nil && !errors.Is(err, requests.ErrDecode) {
			t.Errorf("%s: %v", r.Host, err)
		}
	}
	own := strings.TrimPrefix(o.URL, "http://")
	if diff := cmp.Diff(map[string]bool{own: true, "other": false, "another": false}, got); diff != "" {
		t.Errorf("taken (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"GET / 0": 1}, o.counts()); diff != "" {
		t.Errorf("arrived (-want +got)\n%s", diff)
	}
}

// TestStoredBodyBound: of a body in the object store, which a stranger may have stored, no more is read than members store.
func TestStoredBodyBound(t *testing.T) {
	f := open(t, Embedded(t.TempDir()), MaxBody(10))
	for size, want := range map[int]error{10: nil, 10 + sealing: nil, 10 + sealing + 1: requests.ErrBodyTooLarge, 1 << 20: requests.ErrBodyTooLarge} {
		r := &Result{ID: "a", Host: "h", Object: true}
		if _, err := f.bodies.PutBytes(t.Context(), objectOf(r), make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		body, err := f.Body(t.Context(), r)
		if !errors.Is(err, want) || want == nil && len(body) != size {
			t.Errorf("%d bytes: %d, %v", size, len(body), err)
		}
	}
}
