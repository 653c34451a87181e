package backoff

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWait: nothing before the first repeat, then doubled up to the limit, whatever the
// factor.
func TestWait(t *testing.T) {
	const limit = 120 * time.Second
	var got []time.Duration
	for _, n := range []int{-1, 0, 1, 2, 3, 8, 11, 5000} {
		got = append(got, Wait(n, 100*time.Millisecond, 0, limit))
	}
	want := []time.Duration{0, 0, 0, 200 * time.Millisecond, 400 * time.Millisecond, 12800 * time.Millisecond, 102400 * time.Millisecond, limit}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if d := Wait(2, time.Second, time.Second, limit); d < 2*time.Second || d > 3*time.Second {
		t.Errorf("with jitter: %v", d)
	}
}

// TestRetryAfter: the longest of what can be read counts, within the limit.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const none = -1
	for _, c := range []struct {
		fields []string
		want   time.Duration
	}{
		{nil, none},
		{[]string{""}, none},
		{[]string{"soon"}, none},
		{[]string{"-1"}, none},
		{[]string{"0"}, 0},
		{[]string{" 3 "}, 3 * time.Second},
		{[]string{"1.5"}, 1500 * time.Millisecond},
		{[]string{"1, 7"}, 7 * time.Second},
		{[]string{"2", "soon", "5"}, 5 * time.Second},
		{[]string{"99999999999999999999"}, time.Hour},
		{[]string{"99999999999999999999.5"}, time.Hour},
		{[]string{"Sun, 01 Mar 2026 12:00:09 GMT"}, 9 * time.Second},
		{[]string{"Sun, 01 Mar 2026 11:00:00 GMT"}, 0},
		{[]string{"Mon, 02 Mar 2026 12:00:00 GMT"}, time.Hour},
	} {
		got, ok := RetryAfter(c.fields, now, time.Hour)
		if !ok {
			got = none
		}
		if got != c.want {
			t.Errorf("%q: %v, want %v", c.fields, got, c.want)
		}
	}
}

// TestBudget: as many retries as there are tokens, and as many more as are refunded.
func TestBudget(t *testing.T) {
	b, taken := NewBudget(2, 0.5), 0
	for range 5 {
		if b.Take() {
			taken++
		}
	}
	for range 20 {
		b.Refund() // no more than the bucket holds
	}
	for b.Take() {
		taken++
	}
	if taken != 4 {
		t.Errorf("%d tokens taken, want 4", taken)
	}
	if none := (*Budget)(nil); !none.Take() {
		t.Error("no budget is an empty one")
	}
}
