package progress

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// show is a terminal of several lines: it knows what a Group writes, "up n", "erase below" and line ends.
func show(text string) (lines []string) {
	row := 0
	for text != "" {
		var n int
		switch {
		case strings.HasPrefix(text, "\r\x1b[J"):
			lines, text = lines[:row], text[len("\r\x1b[J"):]
		case strings.HasPrefix(text, "\x1b["):
			if _, err := fmt.Sscanf(text, "\x1b[%dA", &n); err != nil || n > row {
				return []string{fmt.Sprintf("at row %d: %q", row, text)}
			}
			_, text, _ = strings.Cut(text, "A")
			row -= n
		default:
			line, rest, _ := strings.Cut(text, "\n")
			lines, text, row = append(lines[:row], line), rest, row+1
		}
	}
	return lines
}

// TestGroup draws two bars below each other, and what they leave behind.
func TestGroup(t *testing.T) {
	full := func(name string) string {
		return name + " 100% |██████████████████████████████| (4.0/4.0 kB, 1.3 kB/s)"
	}
	half := "b  50% |███████████████               | (2.0/4.0 kB, 2.0 kB/s) [1s:1s]"
	for name, c := range map[string]struct {
		options  []Option
		running  []string
		finished []string
	}{
		"by default": {nil, []string{"a  25% |███████                       | (1.0/4.0 kB, 1.0 kB/s) [1s:3s]", half}, []string{full("a"), half}},
		"cleared":    {[]Option{Clear()}, []string{"a  25% |███████                       | (1.0/4.0 kB, 1.0 kB/s) [1s:3s]", half}, []string{half}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				group := NewGroup(append([]Option{To(&out), Always()}, c.options...)...)
				a, b, idle := group.Bar("a"), group.Bar("b"), group.Bar("idle")
				a.report(0, 4000)
				b.report(0, 4000)
				time.Sleep(time.Second)
				a.report(1000, 4000)
				b.report(2000, 4000)
				if diff := cmp.Diff(c.running, show(out.String())); diff != "" {
					t.Errorf("running (-want +got)\n%s", diff)
				}
				time.Sleep(2 * time.Second)
				a.report(4000, 4000)
				for _, closer := range []io.Closer{a, idle, group, group} {
					if err := closer.Close(); err != nil {
						t.Error(err)
					}
				}
				b.report(4000, 4000) // too late
				if diff := cmp.Diff(c.finished, show(out.String())); diff != "" {
					t.Errorf("finished (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// TestGroupIsQuiet: nothing is written where there is no terminal.
func TestGroupIsQuiet(t *testing.T) {
	var out bytes.Buffer
	group := NewGroup(To(&out))
	bar := group.Bar("a")
	bar.report(1, 2)
	bar.Close()
	group.Close()
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}

// TestGroupOfMany: bars are drawn from many goroutines at once, and every line is whole.
func TestGroupOfMany(t *testing.T) {
	var out bytes.Buffer
	group := NewGroup(To(&out), Always(), Every(0))
	var wait sync.WaitGroup
	const bars = 8
	for i := range bars {
		bar := group.Bar(fmt.Sprintf("file %d", i))
		wait.Go(func() {
			defer bar.Close()
			for done := range int64(21) {
				bar.report(done, 20)
			}
		})
	}
	wait.Wait()
	group.Close()
	lines := show(out.String())
	if len(lines) != bars {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, fmt.Sprintf("file %d 100%%", i)) {
			t.Errorf("line %d: %q", i, line)
		}
	}
}
