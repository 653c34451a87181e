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
	frame := "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n" +
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n<text x=\"10\" y=\"18\">Processor time of the client, net/http = 1; shorter is better</text>\n" +
		"<line x1=\"%d\" y1=\"26\" x2=\"%d\" y2=\"%d\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>\n%s</svg>\n"
	return fmt.Appendf(nil, frame, width, y, left+unit, left+unit, y, b.Bytes())
}

func bar(b *bytes.Buffer, y int, name string, ratio float64) int {
	color := "#9db4c8"
	if name == "requests" || name == "toolbelt.Download" {
		color = "#1f6f8b"
	}
	long := min(int(ratio*unit), 2*unit-30)
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/><text x=\"%d\" y=\"%d\">%.2f</text>\n",
		left-8, y+11, name, left, y, long, barHeight-2, color, left+long+4, y+11, ratio)
	return y + barHeight
}
