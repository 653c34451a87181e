package fleet

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// TestThroughput compares a worker of a fleet with a Pool, on the same jobs, in turns: with an origin
// that takes five milliseconds, as one in the same building does, and with one that responds at once.
// With FLEET_JOBS it fails where the first is below 0.7, which needs a machine that does little else;
// for the second see docs/scale.md.
func TestThroughput(t *testing.T) {
	for _, c := range []struct {
		name    string
		jobs    int
		latency time.Duration
		wanted  float64
	}{
		{"5 ms", 1500, 5 * time.Millisecond, 0.7},
		{"at once", 2000, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(c.latency) })
			f := open(t, Embedded(t.TempDir()))
			s := session(t)
			var pooled, fleeted time.Duration
			const rounds = 2
			for range rounds {
				pooled += byPool(t, s, o.URL, c.jobs)
				fleeted += byFleet(t, f, s, o.URL, c.jobs)
			}
			ratio := pooled.Seconds() / fleeted.Seconds()
			perSecond := func(d time.Duration) float64 { return float64(rounds*c.jobs) / d.Seconds() }
			t.Logf("a Pool sends %.0f a second, a worker of a fleet %.0f: %.2f", perSecond(pooled), perSecond(fleeted), ratio)
			if os.Getenv("FLEET_JOBS") != "" && ratio < c.wanted {
				t.Errorf("the ratio is %.2f, want %v", ratio, c.wanted)
			}
		})
	}
}

const throughputWorkers = 16

func byPool(t *testing.T, s *requests.Session, url string, jobs int) time.Duration {
	begun := time.Now()
	pool, err := toolbelt.NewPool(gets(url, jobs), toolbelt.Workers(throughputWorkers), toolbelt.SharedSession(s))
	if err == nil {
		err = pool.Join(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return time.Since(begun)
}

func byFleet(t *testing.T, f *Fleet, s *requests.Session, url string, jobs int) time.Duration {
	enqueue(t, f, gets(url, jobs), jobs)
	begun := time.Now()
	run(t, f, s, Workers(throughputWorkers))
	took := time.Since(begun)
	if err := f.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	return took
}
