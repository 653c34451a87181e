package fleet

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// grants remembers when requests were let through, by host.
type grants struct {
	// mu protects the field below.
	mu sync.Mutex
	at map[string][]time.Time
}

func (g *grants) note(host string, t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at[host] = append(g.at[host], t)
}

// excess is by how many tokens any second exceeds the rate.
func excess(at []time.Time, perSecond int) int {
	slices.SortFunc(at, time.Time.Compare)
	worst, from := 0, 0
	for i, t := range at {
		for t.Sub(at[from]) >= time.Second {
			from++
		}
		worst = max(worst, i-from+1-perSecond)
	}
	return worst
}

func limit(t testing.TB, f *Fleet, perHost float64, g *grants) requests.Wrapper {
	t.Helper()
	w, err := f.RateLimit(t.Context(), perHost)
	if err != nil {
		t.Fatal(err)
	}
	return func(base requests.Adapter) requests.Adapter {
		a := w(base).(*limited)
		a.limits.granted = g.note
		return a
	}
}

// TestRateLimit: two members share one rate, and a host that is not limited by it waits for neither.
func TestRateLimit(t *testing.T) {
	wiretest.NoLeak(t)
	o := newOrigin(t, nil)
	one := open(t, Embedded(t.TempDir()))
	two := open(t, Connect(one.URL()))
	g := &grants{at: map[string][]time.Time{}}
	enqueue(t, one, gets(o.URL, 60), 60)
	var members sync.WaitGroup
	for _, f := range []*Fleet{one, two} {
		s := session(t)
		s.Mount("http://", limit(t, f, 20, g)(requests.NewHTTPAdapter(requests.PoolMaxSize(64))))
		members.Go(func() {
			if err := f.Run(t.Context(), s, Workers(2), UntilEmpty); err != nil {
				t.Error(err)
			}
		})
	}
	members.Wait()
	at := g.at[hostToken(o.URL)]
	if n := excess(at, 20); len(at) != 60 || n > 1 {
		t.Errorf("%d requests, %d above the rate", len(at), n)
	}
}

// TestFair: a host whose rate is used up holds no worker.
func TestFair(t *testing.T) {
	o := newOrigin(t, nil)
	slow := strings.Replace(o.URL, "127.0.0.1", "localhost", 1)
	f := open(t, Embedded(t.TempDir()))
	g := &grants{at: map[string][]time.Time{}}
	s := session(t)
	base := requests.NewHTTPAdapter(requests.ResolveTo(map[string]string{"localhost": "127.0.0.1"}))
	s.Mount("http://", base)
	s.Mount(slow, limit(t, f, 4, g)(base))
	enqueue(t, f, gets(slow, 6), 6)
	enqueue(t, f, gets(o.URL, 50), 50)
	run(t, f, s, Workers(1))
	all := results(t, f)
	last := all[len(all)-1]
	if len(all) != 56 || last.Host != strings.TrimPrefix(slow, "http://") {
		t.Errorf("%d results, the last of %s", len(all), last.Host)
	}
}

// TestRetryAfter: what a server tells one member holds for the others.
func TestRetryAfter(t *testing.T) {
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}
	})
	one := open(t, Embedded(t.TempDir()))
	two := open(t, Connect(one.URL()))
	g := &grants{at: map[string][]time.Time{}}
	sessions := []*requests.Session{session(t), session(t)}
	for i, f := range []*Fleet{one, two} {
		sessions[i].Mount("http://", limit(t, f, 1000, g)(requests.NewHTTPAdapter()))
	}
	if _, err := sessions[0].Get(t.Context(), o.URL+"/busy"); err != nil {
		t.Fatal(err)
	}
	for _, s := range sessions {
		_, err := s.Get(t.Context(), o.URL+"/later", requests.Timeouts{Total: time.Minute})
		if !errors.Is(err, requests.ErrTotalTimeout) {
			t.Errorf("after Retry-After: %v", err)
		}
	}
	if n := len(o.counts()); n != 1 {
		t.Errorf("%v arrived", o.counts())
	}
}

func TestRateLimitArguments(t *testing.T) {
	f := open(t, Embedded(t.TempDir()))
	for _, rate := range []float64{0, -1, 1e10} {
		if _, err := f.RateLimit(t.Context(), rate); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("RateLimit(%v): %v", rate, err)
		}
	}
}
