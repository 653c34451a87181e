package main

import (
	"bytes"
	"fmt"
)

// What the chart measures, in pixels.
const (
	left, barHeight, gap, title = 190, 14, 22, 26
	unit                        = 300 // for the time of net/http
	width                       = left + 2*unit + 20
)

// draw makes the chart: for each work a bar for each client, as long as its processor time
// is to net/http's. The same results give the same bytes.
func (m *measured) draw() []byte {
	var b bytes.Buffer
	y := 30
	for _, w := range works {
		base := m.by[[2]string{w.name, standard}]
		if base == nil {
			continue
		}
		fmt.Fprintf(&b, "<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s</text>\n", y+12, w.title)
		y += title - 6
		for _, name := range m.names {
			f := m.by[[2]string{w.name, name}]
			if f == nil {
				continue
			}
			y = bar(&b, y, shown(name), ratio(f.cpu, base.cpu))
		}
		y += gap - 8
	}
	frame := "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %[1]d %[2]d\" width=\"%[1]d\" height=\"%[2]d\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\" aria-label=\"%[3]s\">\n" +
		style + "<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n<text x=\"10\" y=\"18\">%[3]s</text>\n" +
		"<line x1=\"%[4]d\" y1=\"26\" x2=\"%[4]d\" y2=\"%[2]d\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>\n%[5]s</svg>\n"
	return fmt.Appendf(nil, frame, width, y, "Processor time of the client, net/http = 1; shorter is better", left+unit, b.Bytes())
}

// style has colors for a light and for a dark page.
const style = "<style>text { fill: #1c2126; } .paper { fill: #fff; } .ours { fill: #1f6f8b; } .theirs { fill: #9db4c8; }\n" +
	"@media (prefers-color-scheme: dark) { text { fill: #dde3e9; } .paper { fill: #0f1419; } .ours { fill: #58b4d3; } .theirs { fill: #4a5a69; } }</style>\n"

func bar(b *bytes.Buffer, y int, name string, ratio float64) int {
	whose := "theirs"
	if name == "requests" || name == "toolbelt.Download" {
		whose = "ours"
	}
	long := min(int(ratio*unit), 2*unit-30)
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/><text x=\"%d\" y=\"%d\">%.2f</text>\n",
		left-8, y+11, name, left, y, long, barHeight-2, whose, left+long+4, y+11, ratio)
	return y + barHeight
}
