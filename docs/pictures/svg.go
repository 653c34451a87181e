package main

import (
	"fmt"
	"html"
	"strings"
)

// picture is an SVG under way: what it shows in words, its size, and what is drawn so far.
//
// Classes of text:  faint, lead, good, bad; beside them code (monospace), small, strong, and halo,
//
//	which keeps lines behind the text away.
//
// Classes of boxes: box, lead, good, bad, and group, which is dashed and has no ground.
// Classes of lines: line, faint, lead, good, bad; beside them dashed.
type picture struct {
	title, about  string
	width, height int
	drawn         strings.Builder
}

// charWidth is that of a letter in the monospace fonts of all systems, in hundredths of its
// size. The letters of other fonts are narrower on the average.
const charWidth = 61

const (
	textSize  = 14
	smallSize = 12
)

// widthOf is the width of a text in pixels, in monospace.
func widthOf(text string, size int) int {
	return (len([]rune(text))*size*charWidth + 99) / 100
}

// text draws a text that begins, is centered or ends ("start", "middle", "end") at x; y is its
// base line.
func (p *picture) text(x, y int, anchor, class, text string) {
	fmt.Fprintf(&p.drawn, `<text x="%d" y="%d" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(text))
}

// box draws a rectangle.
func (p *picture) box(x, y, width, height int, class string) {
	fmt.Fprintf(&p.drawn, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" class="%s"/>`+"\n", x, y, width, height, class)
}

// arrow draws a path with an arrow at its end.
func (p *picture) arrow(class, format string, args ...any) {
	p.path(class+" arrow", format, args...)
}

// path draws a line along the commands of SVG's path.
func (p *picture) path(class, format string, args ...any) {
	fmt.Fprintf(&p.drawn, `<path d="%s" class="%s"/>`+"\n", fmt.Sprintf(format, args...), class)
}

// dot draws a filled circle.
func (p *picture) dot(x, y, radius int, class string) {
	fmt.Fprintf(&p.drawn, `<circle cx="%d" cy="%d" r="%d" class="%s"/>`+"\n", x, y, radius, class)
}

// caption draws a text on a piece of paper of its own, over what is behind it.
func (p *picture) caption(x, y int, anchor, class, text string) {
	p.text(x, y, anchor, class+" halo", text)
}

// svg is the file. It has a ground of its own, so that it can be read on a page of the other scheme.
func (p *picture) svg() []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img" aria-labelledby="title about">
<title id="title">%[3]s</title>
<desc id="about">%[4]s</desc>
<style>%[5]s</style>
<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" class="end"/></marker>
<marker id="lead" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" class="end lead"/></marker></defs>
<rect width="100%%" height="100%%" rx="8" class="paper"/>
%[6]s</svg>
`, p.width, p.height, html.EscapeString(p.title), html.EscapeString(p.about), style, p.drawn.String())
}

// style is that of all pictures, in both schemes. Each color of a text has a contrast of more
// than 4.5 to the paper and to the boxes, as WCAG 2.2 asks.
const style = `
text { font: 14px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
.code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }
.small { font-size: 12px; }
.strong { font-weight: 600; }
.halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
text.faint { fill: var(--faint); } text.lead { fill: var(--lead); } text.good { fill: var(--good); } text.bad { fill: var(--bad); }
.paper { fill: var(--paper); }
rect.box { fill: var(--ground); stroke: var(--line); }
rect.group { fill: none; stroke: var(--line); stroke-dasharray: 5 4; }
rect.good { fill: var(--ground); stroke: var(--good); stroke-width: 1.5; }
rect.bad { fill: var(--ground); stroke: var(--bad); stroke-width: 1.5; }
rect.lead { fill: var(--ground); stroke: var(--lead); stroke-width: 1.5; }
path { fill: none; stroke: var(--line); stroke-width: 1.5; }
path.lead { stroke: var(--lead); } path.good { stroke: var(--good); } path.bad { stroke: var(--bad); } path.faint { stroke-width: 1; }
.dashed { stroke-dasharray: 4 4; }
.arrow { marker-end: url(#end); } .lead.arrow { marker-end: url(#lead); }
path.end { fill: var(--line); stroke: none; } path.end.lead { fill: var(--lead); }
circle { fill: var(--line); } circle.good { fill: var(--good); } circle.bad { fill: var(--bad); } circle.lead { fill: var(--lead); }
svg { --paper: #ffffff; --ground: #f3f6f9; --ink: #1c2126; --faint: #57606a; --line: #8a95a1; --lead: #0b5cad; --good: #136c2e; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
svg { --paper: #0f1419; --ground: #1a222b; --ink: #dde3e9; --faint: #a3aeb9; --line: #66727f; --lead: #7db8f5; --good: #6fcf8b; --bad: #ff9189; }
}
`
