package pool

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeys: the most recently used key comes first, one that gave way and is in
// use last, and nobody is listed twice.
func TestKeys(t *testing.T) {
	p := New[string, int](Config{Keys: 2}, nil)
	get := func(key string) Lease[string, int] {
		l, err := p.Get(context.Background(), key, Wait{})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	held := get("a")
	for _, key := range []string{"b", "c", "b"} {
		p.Put(get(key), 1)
	}
	want := []KeyStats[string]{
		{Key: "b", Idle: 1, Opened: 1, Reused: 1},
		{Key: "c", Idle: 1, Opened: 1},
		{Key: "a", InUse: 1, Opened: 1},
	}
	if diff := cmp.Diff(want, p.Keys()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.Drop(held)
	if n := len(p.Keys()); n != 2 {
		t.Errorf("%d keys, want 2", n)
	}
	if n := len(New[string, int](Config{}, nil).Keys()); n != 0 {
		t.Errorf("an empty pool has %d keys", n)
	}
}
