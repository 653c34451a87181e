package book

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"strings"

	"github.com/alecthomas/chroma/v2"
	chromahtml "github.com/alecthomas/chroma/v2/formatters/html"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/alecthomas/chroma/v2/styles"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// markdown reads documents as GitHub does, and renders them with what is in blocks below.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.GFM),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(blocks{}, 100))), // before goldmark's own, at 500 and 1000
)

// render is the HTML of a page's content, without its title.
func render(p *page) (template.HTML, error) {
	var b bytes.Buffer
	err := markdown.Renderer().Render(&b, p.text, p.doc)
	return template.HTML(b.String()), err
}

// blocks renders what goldmark renders otherwise: headings with a link to themselves, tables in
// a box that scrolls, and code in colors.
type blocks struct{}

func (blocks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, renderHeading)
	r.Register(extast.KindTable, renderTable)
	r.Register(ast.KindCodeBlock, renderCode)
	r.Register(ast.KindFencedCodeBlock, renderCode)
	r.Register(ast.KindHTMLBlock, skip)
	r.Register(ast.KindRawHTML, skip)
}

// skip leaves a comment out.
func skip(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
	return ast.WalkSkipChildren, nil
}

func renderHeading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h := n.(*ast.Heading)
	id := html.EscapeString(anchorOf(h))
	if entering {
		fmt.Fprintf(w, `<h%d id="%s">`, h.Level, id)
	} else {
		fmt.Fprintf(w, ` <a class="anchor" href="#%s" aria-label="Link to this heading">#</a></h%d>`+"\n", id, h.Level)
	}
	return ast.WalkContinue, nil
}

func renderTable(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>` + "\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}

func renderCode(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	language := "text"
	if fenced, ok := n.(*ast.FencedCodeBlock); ok && fenced.Language(source) != nil {
		language = string(fenced.Language(source))
	}
	return ast.WalkContinue, highlight(w, language, string(n.Lines().Value(source)))
}

// highlight writes code with a class for each kind of token.
func highlight(w util.BufWriter, language, code string) error {
	lexer := lexers.Get(language)
	if lexer == nil {
		return fmt.Errorf("code in %q: no such language", language)
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, code)
	if err != nil {
		return err
	}
	return formatter.Format(w, styles.Fallback, tokens)
}

var formatter = chromahtml.New(chromahtml.WithClasses(true), chromahtml.WithPreWrapper(pre{}))

// pre stands around code. It can be scrolled with the keyboard.
type pre struct{}

func (pre) Start(code bool, styleAttr string) string {
	return `<pre class="chroma" tabindex="0"><code>`
}

func (pre) End(bool) string { return "</code></pre>\n" }

// codeColors is the style sheet of code. Each scheme has its own rules, as neither sets all of the other's.
func codeColors() (string, error) {
	var b strings.Builder
	for _, scheme := range []struct{ media, style string }{
		{"not (prefers-color-scheme: dark)", "github"},
		{"(prefers-color-scheme: dark)", "github-dark"},
	} {
		fmt.Fprintf(&b, "@media %s {\n", scheme.media)
		if err := formatter.WriteCSS(&b, styles.Get(scheme.style)); err != nil {
			return "", err
		}
		b.WriteString("}\n")
	}
	return b.String(), nil
}
