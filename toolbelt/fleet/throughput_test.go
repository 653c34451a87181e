package fleet

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/mountable/requests/toolbelt"
)

// TestThroughput compares a worker of a fleet with a Pool, on the same jobs, in turns. The origin takes
// five milliseconds, as one in the same building does. With
// FLEET_JOBS it fails below 0.7, which needs a machine that does little else.
func TestThroughput(t *testing.T) {
	const workers, rounds, jobs, latency = 16, 2, 1500, 5 * time.Millisecond
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(latency) })
	f := open(t, Embedded(t.TempDir()))
	s := session(t)
	var pooled, fleeted time.Duration
	for range rounds {
		begun := time.Now()
		pool, err := toolbelt.NewPool(gets(o.URL, jobs), toolbelt.Workers(workers), toolbelt.SharedSession(s))
		if err != nil {
			t.Fatal(err)
		}
		if err := pool.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		pooled += time.Since(begun)
		enqueue(t, f, gets(o.URL, jobs), jobs)
		begun = time.Now()
		run(t, f, s, Workers(workers))
		fleeted += time.Since(begun)
		if err := f.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ratio := pooled.Seconds() / fleeted.Seconds()
	perSecond := func(d time.Duration) float64 { return rounds * jobs / d.Seconds() }
	t.Logf("a Pool sends %.0f a second, a worker of a fleet %.0f: %.2f", perSecond(pooled), perSecond(fleeted), ratio)
	if os.Getenv("FLEET_JOBS") != "" && ratio < 0.7 {
		t.Errorf("the ratio is %.2f, want 0.7", ratio)
	}
}
