package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Group shows several bars at once, one below the other, in the order they were made in:
//
//	group := progress.NewGroup()
//	defer group.Close()
//	for _, name := range names {
//		wait.Go(func() {
//			bar := group.Bar(name)
//			defer bar.Close()
//			_, err := toolbelt.Download(ctx, s, base+name, name, bar.Download())
//			…
//		})
//	}
//
// The lines of all are drawn again where one has changed, by ANSI escapes, on the goroutine that
// transfers. The terminal should have a line for each bar, and be as wide as a line; with [Clear]
// those that are full leave their line to the others.
//
// A Group is safe for concurrent use, and so are its bars. Where the output is not a terminal it
// writes nothing.
type Group struct {
	model *Bar // what the options of the group have made of a bar

	// mu protects the fields below.
	mu     sync.Mutex
	lines  []string // what each bar shows
	drawn  int      // how many lines stand above the cursor
	closed bool
}

// NewGroup returns a group whose bars have the options given. Close it after its bars.
func NewGroup(options ...Option) *Group {
	return &Group{model: New("", options...)}
}

// Bar returns a bar on a line of its own, as [New] does. Nothing is drawn before its transfer begins.
func (g *Group) Bar(name string) *Bar {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines = append(g.lines, "")
	b := g.model.sibling(name)
	b.out = &groupLine{group: g, index: len(g.lines) - 1}
	return b
}

// Close draws the lines a last time. Nothing is drawn afterwards. It may be called more than once, and returns nil.
func (g *Group) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed && g.model.visible {
		g.draw()
	}
	g.closed = true
	return nil
}

// draw goes up to the first line and writes all that have a text, in one piece. What cannot be drawn is not drawn.
func (g *Group) draw() {
	var text strings.Builder
	if g.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", g.drawn)
	}
	text.WriteString("\r\x1b[J") // erases what is below the cursor
	g.drawn = 0
	for _, line := range g.lines {
		if line != "" {
			text.WriteString(line + "\n")
			g.drawn++
		}
	}
	_, _ = io.WriteString(g.model.out, text.String())
}

// groupLine is what a bar of a group writes to: a terminal of one line.
type groupLine struct {
	group *Group
	index int
}

// Write takes what a terminal would show behind the last carriage return. A bar erases its line before it writes the
// next text; the line is drawn with the text that follows, or with another bar's.
func (l *groupLine) Write(p []byte) (int, error) {
	text := strings.TrimSuffix(string(p), "\n")
	if text == "" {
		return len(p), nil // the end of a line that stays
	}
	text = strings.TrimRight(text[strings.LastIndexByte(text, '\r')+1:], " ")
	l.group.mu.Lock()
	defer l.group.mu.Unlock()
	if l.group.lines[l.index] = text; text != "" && !l.group.closed {
		l.group.draw()
	}
	return len(p), nil
}
