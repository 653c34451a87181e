package book

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// page is a document of the tree.
type page struct {
	source string // its name in the tree: docs/guide/retries.md
	target string // its name in the site: docs/guide/retries.html
	title  string
	text   []byte
	doc    ast.Node // without the title

	anchors map[string]bool
	outline []*ast.Heading // those of the second level
}

// readPages reads the documents of the tree: those beside go.mod, and all below docs.
func readPages(tree fs.FS) (map[string]*page, error) {
	pages := map[string]*page{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (name == "docs/site" || name != "docs" && !strings.HasPrefix(name, "docs/")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err == nil {
			pages[name], err = parse(name, source)
		}
		return err
	})
	return pages, err
}

// targetOf is the name of a document's page: README.md is the index of its folder, as on GitHub.
func targetOf(source string) string {
	if path.Base(source) == "README.md" {
		return path.Join(path.Dir(source), "index.html")
	}
	return strings.TrimSuffix(source, ".md") + ".html"
}

// parse reads a document, which begins with its title.
func parse(name string, source []byte) (*page, error) {
	p := &page{source: name, target: targetOf(name), text: source, anchors: map[string]bool{}}
	p.doc = markdown.Parser().Parse(text.NewReader(source))
	title, ok := p.doc.FirstChild().(*ast.Heading)
	if !ok || title.Level != 1 {
		return nil, fmt.Errorf("%s: does not begin with a title", name)
	}
	p.title = plain(title, source)
	err := ast.Walk(p.doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Heading:
			if entering {
				p.addAnchor(n)
			}
		case *ast.HTMLBlock, *ast.RawHTML:
			if entering && !isComment(n, source) {
				return ast.WalkStop, fmt.Errorf("%s: has HTML, whose links cannot be checked: %s", name, plain(n, source))
			}
		}
		return ast.WalkContinue, nil
	})
	p.doc.RemoveChild(p.doc, title)
	return p, err
}

// addAnchor names a heading as GitHub does: a name that is there already gets a number.
func (p *page) addAnchor(h *ast.Heading) {
	name := slug(plain(h, p.text))
	for i := 1; p.anchors[name]; i++ {
		name = fmt.Sprintf("%s-%d", slug(plain(h, p.text)), i)
	}
	p.anchors[name] = true
	h.SetAttributeString("id", name)
	if h.Level == 2 {
		p.outline = append(p.outline, h)
	}
}

func anchorOf(h *ast.Heading) string {
	id, _ := h.AttributeString("id")
	name, _ := id.(string)
	return name
}

// slug is the name of a heading for links: its letters, digits, hyphens and underscores, in
// lower case, with hyphens for its spaces.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// isComment reports whether HTML is nothing but a comment, which marks a block for the tests.
func isComment(n ast.Node, source []byte) bool {
	html := strings.TrimSpace(plain(n, source))
	return strings.HasPrefix(html, "<!--") && strings.Index(html, "-->") == len(html)-len("-->")
}

// plain is the text of a node without its markup, one space between the blocks.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		write(&b, n, source)
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// write adds the text that a node has itself.
func write(b *strings.Builder, n ast.Node, source []byte) {
	switch n := n.(type) {
	case *ast.Text:
		b.Write(n.Segment.Value(source))
		if n.SoftLineBreak() || n.HardLineBreak() {
			b.WriteByte(' ')
		}
	case *ast.String:
		b.Write(n.Value)
	case *ast.AutoLink:
		b.Write(n.Label(source))
	case *ast.RawHTML:
		b.Write(n.Segments.Value(source))
	case *ast.HTMLBlock:
		b.Write(n.Lines().Value(source))
		if n.HasClosure() {
			b.Write(n.ClosureLine.Value(source))
		}
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		b.Write(n.Lines().Value(source))
	}
}
