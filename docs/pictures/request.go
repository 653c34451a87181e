package main

import (
	"slices"
	"strings"
)

// stage is a step on the way of a request, and the files that take it.
type stage struct{ what, how, files string }

// The way of a request: before the first hop, in each hop, and after the last. A test looks for the files.
var (
	before = []stage{
		{"the call", "options fill in a Request", "session.go options.go"},
		{"PreparedRequest", "the session's settings are merged in", "merge.go prepare.go"},
	}
	hop = []stage{
		{"Adapter", "the longest mounted prefix names it", "mount.go adapter.go"},
		{"ConnConfig", "plan for dialing, and key of the pool", "route.go connconfig.go"},
		{"lease", "a connection of the pool, or a new one", "internal/pool internal/dial"},
		{"exchange", "head and body out, head in", "internal/http1 internal/http2"},
		{"Response", "hooks, then cookies; its body is to come", "hooks.go cookies.go"},
	}
	after = []stage{
		{"body", "read whole, or streamed", "response_body.go internal/content"},
	}
)

// The measures of the picture: a stage, the way to the next, and what stands around a hop.
const (
	stageWidth, stageHeight = 290, 48
	stageLeft, stageGap     = 130, 18
	hopMargin               = 22
)

// drawRequest draws the way of a request from the call to the body.
func drawRequest(string) (*picture, error) {
	p := &picture{title: "The way of a request", width: 640,
		about: "The call fills in a Request, which is prepared. Each hop finds an adapter, a connection and a lease, makes one exchange and gives a response. " +
			"A lost exchange may be tried again; a redirect or a challenge makes one more hop. The body comes last."}
	y := p.stages(16, before)
	top := y + 6
	p.text(stageLeft-hopMargin+10, top+18, "start", "faint small", "one hop")
	y = p.stages(top+28, hop)
	p.box(stageLeft-hopMargin, top, stageWidth+2*hopMargin, y-top-2, "group")
	first, last := top+28+stageHeight/2, y-stageGap-stageHeight/2
	p.arrow("lead", "M%d %dh-12V%dh11", stageLeft, last, first)
	for i, line := range []string{"a redirect or", "a challenge:", "one more hop"} {
		p.text(stageLeft-hopMargin-8, (first+last)/2+16*i-12, "end", "lead small", line)
	}
	step := stageHeight + stageGap
	lease := first + 2*step
	p.arrow("lead", "M%d %dh12v%dh-10", stageLeft+stageWidth, lease+step, -step)
	p.text(stageLeft+stageWidth+16+hopMargin, lease+step/2+4, "start", "lead small", "again, where Retry says so")
	p.arrow("line", "M%d %dv%d", stageLeft+stageWidth/2, y-stageGap, stageGap+11)
	p.height = p.stages(y+12, after)
	return p, nil
}

// stages draws a column of stages from y downwards, with arrows between them, and returns where
// the next one begins.
func (p *picture) stages(y int, stages []stage) int {
	middle := stageLeft + stageWidth/2
	for i, s := range stages {
		p.box(stageLeft, y, stageWidth, stageHeight, "box")
		p.text(middle, y+20, "middle", "strong", s.what)
		p.text(middle, y+38, "middle", "small", s.how)
		for i, file := range strings.Fields(s.files) {
			p.text(stageLeft+stageWidth+hopMargin+16, y+20+18*i, "start", "code small faint", file)
		}
		y += stageHeight + stageGap
		if i+1 < len(stages) || slices.Contains(before, s) {
			p.arrow("line", "M%d %dv%d", middle, y-stageGap, stageGap-1)
		}
	}
	return y
}
