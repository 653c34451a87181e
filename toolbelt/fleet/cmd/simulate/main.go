// Command simulate computes what a fleet of many workers does with many URLs, and what bounds it:
//
//	simulate -workers 1000 -slots 16 -urls 1e9 -hosts 1e6 -skew 1 -rate 10 -latency 200ms -streams 1 -store 25000
//
// Hosts have shares of the URLs by Zipf's law with the exponent skew. Time goes in steps, in each of
// which every host that has URLs left is served up to its rate, the fleet up to what its workers can
// have under way and what its streams can store, shared evenly between the hosts. Assumptions, and
// what it shows, are in docs/scale.md.
package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

func main() {
	var f setup
	flag.Float64Var(&f.workers, "workers", 1000, "worker processes")
	flag.Float64Var(&f.slots, "slots", 16, "requests under way in each")
	flag.Float64Var(&f.urls, "urls", 1e9, "URLs")
	flag.IntVar(&f.hosts, "hosts", 1e6, "hosts")
	flag.Float64Var(&f.skew, "skew", 1, "exponent of Zipf's law; 0 is none")
	flag.Float64Var(&f.rate, "rate", 10, "requests a second that a host allows")
	flag.DurationVar(&f.latency, "latency", 200*time.Millisecond, "of one request")
	flag.Float64Var(&f.streams, "streams", 1, "servers that the queue is spread over")
	flag.Float64Var(&f.store, "store", 25_000, "jobs a second that one of them can lease, store and acknowledge")
	flag.Parse()
	report(os.Stdout, f, simulate(f))
}

type setup struct {
	workers, slots, urls, skew, rate, streams, store float64
	hosts                                            int
	latency                                          time.Duration
}

// outcome is how long each part of the work took, in seconds, and what bounded it for how long.
type outcome struct {
	half, most, all float64 // until half, 99% and all URLs were done
	peak            float64 // requests a second
	bound           map[string]float64
	longest         float64 // URLs of the largest host
}

const (
	byWorkers = "workers"
	byStreams = "streams"
	byHosts   = "the hosts' rates"
)

// shares are the URLs of each host, the largest first.
func shares(f setup) []float64 {
	left := make([]float64, f.hosts)
	sum := 0.0
	for i := range left {
		left[i] = math.Pow(float64(i+1), -f.skew)
		sum += left[i]
	}
	for i := range left {
		left[i] *= f.urls / sum
	}
	return left
}

// simulate goes from one event to the next: the end of the smallest host that is left, or of a
// fraction of the rest. All hosts that are left are served alike, so what each has had is one number.
func simulate(f setup) outcome {
	left := shares(f)
	o := outcome{bound: map[string]float64{}, longest: left[0]}
	slices.Sort(left)
	now, served, done, first := 0.0, 0.0, 0.0, 0
	for first < len(left) {
		active := float64(len(left) - first)
		speed, by := f.speed(active)
		o.peak = max(o.peak, speed)
		each := left[first] - served // of every host, until the smallest one is through
		step := each * active / speed
		for _, mark := range []struct {
			part float64
			at   *float64
		}{{0.5, &o.half}, {0.99, &o.most}} {
			if rest := mark.part*f.urls - done; *mark.at == 0 && rest <= each*active {
				*mark.at = now + rest/speed
			}
		}
		now, done, served = now+step, done+each*active, left[first]
		o.bound[by] += step
		for first < len(left) && left[first] <= served {
			first++
		}
	}
	o.all = now
	return o
}

// speed is how many requests a second the fleet sends to so many hosts, and what bounds that.
func (f setup) speed(active float64) (perSecond float64, by string) {
	perSecond, by = f.workers*f.slots/f.latency.Seconds(), byWorkers
	if s := f.streams * f.store; s < perSecond {
		perSecond, by = s, byStreams
	}
	if h := active * f.rate; h < perSecond {
		perSecond, by = h, byHosts
	}
	return perSecond, by
}

func report(w io.Writer, f setup, o outcome) {
	span := func(seconds float64) string { return fmt.Sprintf("%.1f hours", seconds/3600) }
	fmt.Fprintf(w, "%.0f URLs of %d hosts (the largest has %.0f), %.0f workers with %.0f slots\n", f.urls, f.hosts, o.longest, f.workers, f.slots)
	fmt.Fprintf(w, "peak %.0f requests a second; half done after %s, 99%% after %s, all after %s\n", o.peak, span(o.half), span(o.most), span(o.all))
	for _, by := range []string{byWorkers, byStreams, byHosts} {
		fmt.Fprintf(w, "bounded by %s for %s\n", by, span(o.bound[by]))
	}
}
