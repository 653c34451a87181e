package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// shown are the stops of the quickstart that the picture has, by their headings.
var shown = []string{
	"Adapter options and wrappers meet on one mount", "A busy server is asked again when its Retry-After says",
	"A download that breaks off goes on, and is checked", "A mock stands in for a server",
}

// What the quickstart prints differently each time.
var (
	port     = regexp.MustCompile(`127\.0\.0\.1:\d{4,}`)
	duration = regexp.MustCompile(` \((after )?[0-9.]+[nµm]?s\)| in [0-9.]+m?s\b`)
)

// The measures of the picture: a line, the most that it holds, and the pause before the next one appears.
const (
	lineTop, lineHeight = 52, 17
	lineLetters         = 110
	linePause           = 70 // milliseconds
)

// typing makes lines appear one after the other, once, in a frame. Where nothing moves they are all there.
const typing = `<style>
.paper { stroke: var(--line); stroke-width: 2; }
.typed { animation: typed .1s backwards; }
@keyframes typed { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .typed { animation: none; } }
</style>
`

// drawQuickstart runs the quickstart and draws some of its stops as a terminal, line by line.
func drawQuickstart(root string) (*picture, error) {
	run := exec.Command("go", "run", "./examples/quickstart")
	run.Dir = root
	var failure bytes.Buffer
	run.Stderr = &failure
	out, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &failure)
	}
	lines, err := excerpt(string(out))
	if err != nil {
		return nil, err
	}
	lines = slices.Concat([]string{"$ go run ./examples/quickstart"}, lines)
	p := &picture{title: "The quickstart in a terminal", width: 832, height: lineTop + lineHeight*len(lines) + 6,
		about: "Each stop of go run ./examples/quickstart prints its code, the requests that were sent with the status of their responses, and what came of it."}
	p.drawn.WriteString(typing)
	p.path("faint", "M0 30H832")
	for i := range 3 {
		p.dot(20+18*i, 16, 5, "line")
	}
	for i, line := range lines {
		p.line(i, line)
	}
	return p, nil
}

// excerpt is the first and the last line of what the quickstart prints, and the stops that are
// shown, without what varies.
func excerpt(out string) (lines []string, err error) {
	out = duration.ReplaceAllString(port.ReplaceAllString(out, "127.0.0.1:8080"), "")
	parts := strings.Split(strings.TrimSpace(out), "\n\n")
	lines = append(lines, parts[0], "")
	for _, heading := range shown {
		i := slices.IndexFunc(parts, func(part string) bool { return strings.HasPrefix(part, "== "+heading+"\n") })
		if i < 0 {
			return nil, fmt.Errorf("the quickstart has no stop %q", heading)
		}
		lines = append(append(lines, strings.Split(parts[i], "\n")...), "")
	}
	return append(lines, parts[len(parts)-1]), nil
}

// line draws a line of the terminal, which appears after those above it.
func (p *picture) line(i int, line string) {
	class := "code small"
	switch text := strings.TrimSpace(line); {
	case text == "":
		return
	case strings.HasPrefix(text, "=="), strings.HasPrefix(text, "$"):
		class += " strong"
	case strings.HasPrefix(text, "|"):
		class += " faint"
	case strings.Contains(text, " -> "):
		class += " good"
	}
	if letters := []rune(line); len(letters) > lineLetters {
		line = string(letters[:lineLetters-1]) + "…"
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	fmt.Fprintf(&p.drawn, `<g class="typed" style="animation-delay: %dms">`, 600+linePause*i)
	p.text(16+widthOf(line[:indent], smallSize), lineTop+lineHeight*i, "start", class, line[indent:])
	p.drawn.WriteString("</g>")
}
