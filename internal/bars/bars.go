// Package bars draws phases that follow each other as bars on one line of time.
package bars

import (
	"fmt"
	"strings"
	"time"
)

// width is that of the bars, so that a line fits a terminal of 80 columns.
const width = 50

// Draw returns a line for each phase, which took so long, and one for the total. A phase
// that took no time is left out.
func Draw(names []string, took ...time.Duration) string {
	var b strings.Builder
	var before, total time.Duration
	for _, d := range took {
		total += max(d, 0)
	}
	for i, d := range took {
		if d <= 0 {
			continue
		}
		from, to := column(before, total), column(before+d, total)
		fmt.Fprintf(&b, "%-10s %s %s%s\n", names[i], millis(d), strings.Repeat(" ", from), strings.Repeat("█", max(to-from, 1)))
		before += d
	}
	fmt.Fprintf(&b, "%-10s %s", "Total", millis(total))
	return b.String()
}

// column is where a moment is.
func column(at, total time.Duration) int { return int(at * width / max(total, 1)) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%8.1fms", float64(d)/float64(time.Millisecond))
}

// Heading says which connection the phases are of: "" where its ends are not known.
func Heading(local, remote fmt.Stringer, reused bool) string {
	if local == nil || remote == nil {
		return ""
	}
	kind := "a new connection"
	if reused {
		kind = "a reused connection"
	}
	return fmt.Sprintf("%v to %v, %s\n", local, remote, kind)
}
