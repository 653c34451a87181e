package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// limits are those of the picture.
var limits = requests.Timeouts{Pool: 3 * time.Second, Connect: 3 * time.Second, Read: 10 * time.Second, Total: 30 * time.Second}

// phases are the waits of a request in their order, the limit of each, and how long each takes here.
var phases = []struct {
	what, limit string
	takes       time.Duration
}{
	{"pool", "Pool", 3 * time.Second},
	{"connect", "Connect", 3 * time.Second},
	{"TLS", "Read", 3 * time.Second},
	{"send", "Read", 3 * time.Second},
	{"response", "Read", 5 * time.Second},
	{"body", "Read", 4 * time.Second},
	{"body", "Read", 4 * time.Second},
}

// The measures of the picture: pixels for a second, and the rows.
const (
	phaseSecond           = 20
	phaseLeft, phaseTop   = 20, 52
	phaseHeight           = 34
	limitTop, limitHeight = 168, 44
)

// drawTimeouts draws a request on a time line with the limit of each wait, and says what each
// limit bounds in the words of the comments on Timeouts.
func drawTimeouts(root string) (*picture, error) {
	bounds, err := boundsOf(root)
	if err != nil {
		return nil, err
	}
	p := &picture{title: "Which limit bounds which wait", width: 640, height: limitTop + limitHeight*len(bounds) + 8,
		about: "A request waits for a connection of the pool, to connect, for the handshake, for the server to take it, for the response and for each further part of its body. " +
			"Each wait has a limit, and Total shortens the last ones."}
	p.text(16, 26, "start", "code small", fmt.Sprintf("Timeouts{Pool: %v, Connect: %v, Read: %v, Total: %v}", limits.Pool, limits.Connect, limits.Read, limits.Total))
	x, elapsed := phaseLeft, time.Duration(0)
	for _, phase := range phases {
		width := int(phase.takes / time.Second * phaseSecond)
		p.box(x, phaseTop, width, phaseHeight, "box")
		p.text(x+width/2, phaseTop+22, "middle", "small", phase.what)
		p.text(x+width/2, phaseTop+phaseHeight+18, "middle", "small lead", "≤ "+fmt.Sprint(limitOf(phase.limit, elapsed)))
		p.text(x+width/2, phaseTop+phaseHeight+34, "middle", "small faint", phase.limit)
		x, elapsed = x+width, elapsed+phase.takes
	}
	end := phaseLeft + int(limits.Total/time.Second*phaseSecond)
	p.path("bad", "M%d %dV%d", end, phaseTop-8, phaseTop+phaseHeight+44)
	p.text(end, phaseTop-14, "end", "small bad", fmt.Sprintf("Total: %v", limits.Total))
	p.arrow("faint", "M%d %dH%d", phaseLeft, phaseTop+phaseHeight+52, end)
	for i, b := range bounds {
		p.bound(limitTop+limitHeight*i, b)
	}
	return p, nil
}

// limitOf is how long a wait may take that begins once elapsed has passed.
func limitOf(name string, elapsed time.Duration) time.Duration {
	connect, read := limits.Limits(elapsed)
	return map[string]time.Duration{"Pool": limits.Pool, "Connect": connect, "Read": read}[name]
}

// bound is what a field of Timeouts bounds, and the Kind of its error.
type bound struct{ field, what, kind string }

// boundsOf reads the comments on the fields of Timeouts: "what: Kind; what: Kind".
func boundsOf(root string) (all []bound, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "timeouts.go"), nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Timeouts" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			for part := range strings.SplitSeq(field.Comment.Text(), ";") {
				what, kind, _ := strings.Cut(part, ":")
				what, kind = strings.TrimPrefix(strings.TrimSpace(what), "and "), strings.TrimSpace(kind)
				if strings.HasPrefix(kind, "Err") {
					all = append(all, bound{field.Names[0].Name, what, kind})
				}
			}
		}
		return false
	})
	return all, nil
}

// bound draws the name of a limit, its Kind, and what it bounds.
func (p *picture) bound(y int, b bound) {
	p.text(16, y+16, "start", "strong", b.field)
	p.text(96, y+16, "start", "code small bad", b.kind)
	p.text(96, y+33, "start", "small faint", b.what)
}
