package main

import (
	"slices"

	"github.com/mountable/requests"
)

// The measures of the picture: rows of the tree, how far a child stands in, where the words of the
// kinds begin, and the columns of those that are alone.
const (
	kindTop, kindRow, kindStep = 28, 26, 26
	kindLeft, kindWords        = 20, 420
	aloneColumns, aloneWidth   = 3, 206
)

// tree is the picture of the kinds under way.
type tree struct {
	*picture
	kinds *kinds
	rows  map[requests.Kind]int // the base line of each that is drawn
	next  int                   // that of the next one
}

// drawErrors draws the tree of the Kinds. A kind stands under one parent; a line leads to the others.
func drawErrors(root string) (*picture, error) {
	k, err := kindsOf(root)
	if err != nil {
		return nil, err
	}
	t := &tree{kinds: k, rows: map[requests.Kind]int{}, next: kindTop, picture: &picture{title: "The tree of errors", width: 640,
		about: "Every Kind is ErrRequest. The timeouts of the connection are ErrConnection as well as ErrTimeout; a line on the right leads from a Kind to its second parent."}}
	t.kind(requests.ErrRequest)
	families, alone := k.roots()
	for _, family := range families {
		t.below(family)
	}
	t.others()
	t.text(kindLeft+kindStep, t.next+8, "start", "small faint", "and, each a child of ErrRequest:")
	for i, kind := range alone {
		t.text(kindLeft+aloneWidth*(i%aloneColumns), t.next+34+22*(i/aloneColumns), "start", "code small", k.name(kind))
	}
	t.height = t.next + 34 + 22*((len(alone)-1)/aloneColumns) + 16
	return t.picture, nil
}

// left is where the name of a kind begins.
func (t *tree) left(kind requests.Kind) int { return kindLeft + kindStep*t.kinds.depth(kind) }

// kind draws a kind in the next row: its name, and its text.
func (t *tree) kind(kind requests.Kind) {
	class := "code"
	if len(t.kinds.children(kind)) > 0 {
		class += " strong"
	}
	t.text(t.left(kind), t.next, "start", class, t.kinds.name(kind))
	t.text(kindWords, t.next, "start", "small faint", kind.Error())
	t.rows[kind] = t.next
	t.next += kindRow
}

// below draws a kind, a line to it from its parent, and its children.
func (t *tree) below(kind requests.Kind) {
	t.kind(kind)
	parent := t.kinds.home(kind)
	x, y := t.left(parent)+8, t.rows[kind]-5
	t.path("line", "M%d %dV%dH%d", x, t.rows[parent]+6, y, t.left(kind)-5)
	for _, child := range t.kinds.children(kind) {
		if t.kinds.home(child) == kind {
			t.below(child)
		}
	}
}

// others draws the lines from kinds to their other parents, each on a track of its own, the
// longest one outermost.
func (t *tree) others() {
	var bends []bend
	for _, kind := range t.kinds.all()[1:] { // without ErrRequest
		for _, parent := range t.kinds.parents[kind] {
			if parent != t.kinds.home(kind) {
				bends = append(bends, bend{kind, parent, abs(t.rows[kind] - t.rows[parent])})
			}
		}
	}
	slices.SortStableFunc(bends, func(a, b bend) int { return b.height - a.height })
	for i, b := range bends {
		t.arrow("lead", "M%d %dH%dV%dH%d", t.right(b.kind), t.rows[b.kind]-5, kindWords-20-14*i, t.rows[b.parent]-5, t.right(b.parent)+2)
	}
}

// bend is a line from a kind to another parent.
type bend struct {
	kind, parent requests.Kind
	height       int
}

func abs(n int) int { return max(n, -n) }

// right is where the name of a kind ends.
func (t *tree) right(kind requests.Kind) int {
	return t.left(kind) + widthOf(t.kinds.name(kind), textSize) + 6
}
