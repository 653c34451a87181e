package parity

import (
	"fmt"
	"sync"
	"testing"
)

// outcome is what became of one case.
type outcome int

const (
	passed outcome = iota
	failed
	skipped   // the format allows it, or Go's types cannot express the input
	different // a documented difference covers it, and its expectation held
	outcomes
)

// tally counts outcomes per file; the lines are printed when the test and all its parallel cases are over.
type tally struct {
	test   string
	mu     sync.Mutex
	names  []string
	counts map[string]*[outcomes]int
	tried  map[string]bool // rules of scenarios that were given broken results
	differ map[string]bool // cases in which a departure from the recordings was found to hold
}

// newTally prints its lines when t ends.
func newTally(t *testing.T) *tally {
	tl := &tally{test: t.Name(), counts: map[string]*[outcomes]int{}, differ: map[string]bool{}, tried: map[string]bool{}}
	t.Cleanup(tl.print)
	return tl
}

// run makes one subtest of a case. The body returns what is wrong, "" if nothing is; it may skip the case. A case that
// a documented difference covers counts as different where nothing is wrong.
func (tl *tally) run(t *testing.T, file, id string, covered bool, body func(t *testing.T) string) {
	t.Run(id, func(t *testing.T) {
		t.Cleanup(func() { tl.add(file, outcomeOf(t, covered || tl.isDifferent(id))) })
		if wrong := body(t); wrong != "" {
			t.Error(wrong)
		}
	})
}

// markDifferent notes that a case is not as recorded, but as a rule of departures says.
func (tl *tally) markDifferent(id string) {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	tl.differ[id] = true
}

func (tl *tally) isDifferent(id string) bool {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	return tl.differ[id]
}

func outcomeOf(t *testing.T, covered bool) outcome {
	switch {
	case t.Failed():
		return failed
	case t.Skipped():
		return skipped
	case covered:
		return different
	}
	return passed
}

func (tl *tally) add(file string, o outcome) {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	c := tl.counts[file]
	if c == nil {
		c = new([outcomes]int)
		tl.counts[file] = c
		tl.names = append(tl.names, file)
	}
	c[o]++
}

func (tl *tally) print() {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	var total [outcomes]int
	for _, name := range tl.names {
		printCounts(name, tl.counts[name])
		for o, n := range tl.counts[name] {
			total[o] += n
		}
	}
	printCounts(tl.test, &total)
}

func printCounts(name string, c *[outcomes]int) {
	fmt.Printf("%s: %d passed, %d failed, %d skipped", name, c[passed], c[failed], c[skipped])
	if c[different] > 0 {
		fmt.Printf(", %d different", c[different])
	}
	fmt.Println()
}
