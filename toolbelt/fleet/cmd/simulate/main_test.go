package main

import (
	"math"
	"testing"
	"time"
)

// TestSimulate: what can be computed by hand comes out.
func TestSimulate(t *testing.T) {
	base := setup{workers: 10, slots: 10, urls: 1000, hosts: 10, rate: 1, latency: time.Second, streams: 1, store: 1e9}
	tests := map[string]struct {
		edit func(f *setup)
		all  float64
		by   string
	}{
		"even hosts at their rate":  {func(f *setup) {}, 100, byHosts},
		"few workers":               {func(f *setup) { f.workers = 0.5 }, 200, byWorkers},
		"a slow stream":             {func(f *setup) { f.store = 2 }, 500, byStreams},
		"one host with all of them": {func(f *setup) { f.hosts = 1 }, 1000, byHosts},
	}
	for name, test := range tests {
		f := base
		test.edit(&f)
		if o := simulate(f); math.Abs(o.all-test.all) > 1e-6 || math.Abs(o.bound[test.by]-test.all) > 1e-6 || math.Abs(o.half-test.all/2) > 1e-6 {
			t.Errorf("%s: %+v, want %v by %s", name, o, test.all, test.by)
		}
	}
	skewed := base
	skewed.skew = 1
	if o := simulate(skewed); math.Abs(o.all-o.longest/skewed.rate) > 1e-6 {
		t.Errorf("with skewed hosts the largest one ends last: %+v", o)
	}
}
