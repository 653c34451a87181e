package book

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// book is the pages in the order they are read in, and as sections for the navigation.
type book struct {
	pages    []*page
	sections []*section

	all    map[string]*page
	placed map[string]bool
}

type section struct {
	title string
	pages []*page
}

// The sections of pages that no heading of an index stands over.
const (
	opening = "Start"
	closing = "The repository"
)

// arrange puts the pages in order: the README, then what the index leads to (docs/README.md, or
// the guide's where there is none), then the rest. A heading of an index begins a section, and
// an index that another one leads to brings its own pages.
func arrange(pages map[string]*page) *book {
	b := &book{all: pages, placed: map[string]bool{}}
	b.place(opening, "README.md")
	b.follow(opening, "docs/README.md")
	b.follow(opening, "docs/guide/README.md")
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		b.place(closing, name)
	}
	for _, s := range b.sections {
		b.pages = append(b.pages, s.pages...)
	}
	return b
}

// place adds a page to a section, if it is not in the book already, and reports that it did.
func (b *book) place(title, name string) bool {
	p := b.all[name]
	if p == nil || b.placed[name] {
		return false
	}
	b.placed[name] = true
	i := slices.IndexFunc(b.sections, func(s *section) bool { return s.title == title })
	if i < 0 {
		i, b.sections = len(b.sections), append(b.sections, &section{title: title})
	}
	b.sections[i].pages = append(b.sections[i].pages, p)
	return true
}

// follow adds an index, and the pages that it leads to, under its headings.
func (b *book) follow(title, name string) {
	if !b.place(title, name) {
		return
	}
	p := b.all[name]
	_ = ast.Walk(p.doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			title = plain(n, p.text)
		case *ast.Link:
			to, _, _ := strings.Cut(string(n.Destination), "#")
			b.lead(title, path.Join(path.Dir(name), to))
		}
		return ast.WalkContinue, nil
	})
}

// lead adds what a link of an index leads to.
func (b *book) lead(title, name string) {
	if strings.HasPrefix(name, "docs/") && path.Base(name) == "README.md" {
		b.follow(title, name)
		return
	}
	b.place(title, name)
}
