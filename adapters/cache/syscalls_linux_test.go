package cache

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// reads returns how many times this process has read or written, sockets included.
func reads(t *testing.T) (n int) {
	t.Helper()
	counts, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skipf("the kernel counts no system calls: %v", err)
	}
	for _, m := range regexp.MustCompile(`sysc[rw]: (\d+)`).FindAllSubmatch(counts, -1) {
		count, _ := strconv.Atoi(string(m[1]))
		n += count
	}
	return n
}

// TestHitWithoutSystemCalls: hits of the memory store do not read or write anything; those of the disk do, which shows
// that it would be seen.
func TestHitWithoutSystemCalls(t *testing.T) {
	origin := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, requests.Headers{{"Cache-Control", "max-age=3600"}, {"Date", date(0)}}, &wire.Held{Content: make([]byte, 200)}), nil
	})
	disk, err := Disk(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	const hits = 1000
	for name, store := range map[string]Store{"memory": Memory(1 << 20), "disk": disk} {
		s := mounted(t, New(store)(origin))
		get := func() {
			if _, err := s.Get(t.Context(), "http://h.test/path?q=1"); err != nil {
				t.Fatal(err)
			}
		}
		get()
		before := reads(t)
		for range hits {
			get()
		}
		calls := reads(t) - before // of the counting itself, and of the runtime's poller now and then
		if few := calls < hits/2; few != (name == "memory") {
			t.Errorf("%s: %d hits made %d reads and writes", name, hits, calls)
		}
	}
}
