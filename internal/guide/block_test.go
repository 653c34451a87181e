package guide

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// block is one Go block of a page.
type block struct {
	page string
	line int
	code string
	run  bool
}

// name is an identifier: the page and the line the block starts at.
func (b block) name() string {
	page := strings.NewReplacer("-", "_", ".", "_").Replace(strings.TrimSuffix(b.page, ".md"))
	return fmt.Sprintf("%s_%d", page, b.line)
}

// whole reports whether the block is a program by itself.
func (b block) whole() bool { return strings.HasPrefix(strings.TrimSpace(b.code), "package ") }

// blocksOf finds the Go blocks of a page.
func blocksOf(page, text string) []block {
	var blocks []block
	var open *block
	run := false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case open == nil && strings.TrimSpace(line) == "<!-- run -->":
			run = true
		case open == nil && strings.TrimSpace(line) == "```go":
			open = &block{page: page, line: i + 2, run: run}
		case open != nil && strings.TrimSpace(line) == "```":
			blocks = append(blocks, *open)
			open, run = nil, false
		case open != nil:
			open.code += line + "\n"
		case strings.TrimSpace(line) != "":
			run = false
		}
	}
	return blocks
}

// packages are what a block may use without an import of its own.
var packages = map[string]string{
	"requests": "github.com/mountable/requests", "adapters": "github.com/mountable/requests/adapters",
	"toolbelt": "github.com/mountable/requests/toolbelt",
	"bytes":    "bytes", "context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "iter": "iter", "json": "encoding/json",
	"log": "log", "maps": "maps", "net": "net", "http": "net/http", "httptest": "net/http/httptest", "netip": "net/netip", "os": "os", "filepath": "path/filepath",
	"slices": "slices", "slog": "log/slog", "sort": "sort", "strconv": "strconv", "strings": "strings", "sync": "sync",
	"syscall": "syscall", "tls": "crypto/tls", "x509": "crypto/x509", "pem": "encoding/pem", "time": "time", "url": "net/url", "csv": "encoding/csv", "bufio": "bufio", "hex": "encoding/hex", "sha256": "crypto/sha256",
}

// source makes a compilable file of the block.
func (b block) source() (string, error) {
	if b.whole() {
		return b.code, nil
	}
	head := fmt.Sprintf("func %s(ctx context.Context, s *requests.Session, url string) error {\n", b.name())
	body := head + b.code + "\n"
	parsed, err := parser.ParseFile(token.NewFileSet(), "block.go", "package main\n"+body+"return nil\n}\n", parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	function := parsed.Decls[0].(*ast.FuncDecl)
	var out strings.Builder
	out.WriteString("package main\n\nimport (\n")
	for _, name := range usedPackages(function) {
		fmt.Fprintf(&out, "\t%s %q\n", name, packages[name])
	}
	out.WriteString(")\n\n" + head + b.code + "\n")
	for _, name := range declared(function.Body) {
		fmt.Fprintf(&out, "_ = %s\n", name)
	}
	out.WriteString("return nil\n}\n")
	return out.String(), nil
}

// usedPackages lists the packages a function names and does not shadow.
func usedPackages(f *ast.FuncDecl) []string {
	names := map[string]bool{"context": true, "requests": true}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && packages[x.Name] != "" && x.Name != "url" {
				names[x.Name] = true
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(names))
}

// declared lists the variables of the outermost level, which a page need not use.
func declared(body *ast.BlockStmt) []string {
	names := map[string]bool{}
	for _, statement := range body.List {
		switch d := statement.(type) {
		case *ast.AssignStmt:
			if d.Tok == token.DEFINE {
				for _, left := range d.Lhs {
					names[left.(*ast.Ident).Name] = true
				}
			}
		case *ast.DeclStmt:
			for _, spec := range d.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && d.Decl.(*ast.GenDecl).Tok == token.VAR {
					for _, name := range v.Names {
						names[name.Name] = true
					}
				}
			}
		}
	}
	delete(names, "_")
	return slices.Sorted(maps.Keys(names))
}

func TestBlocksOf(t *testing.T) {
	page := "# t\n\n<!-- run -->\n```go\na\n```\ntext\n```go\nb\n```\n<!-- run -->\ntext\n```go\nc\n```\n```python\nd\n```\n"
	want := []block{{"p.md", 5, "a\n", true}, {"p.md", 9, "b\n", false}, {"p.md", 14, "c\n", false}}
	if diff := cmp.Diff(want, blocksOf("p.md", page), cmp.AllowUnexported(block{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
