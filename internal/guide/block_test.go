package guide

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
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
	page := strings.NewReplacer("-", "_", ".", "_", "/", "_").Replace(strings.TrimSuffix(b.page, ".md"))
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
	"syscall": "syscall", "tls": "crypto/tls", "x509": "crypto/x509", "pem": "encoding/pem", "time": "time", "url": "net/url", "csv": "encoding/csv", "bufio": "bufio", "hex": "encoding/hex", "base64": "encoding/base64", "sha256": "crypto/sha256",
}

// source makes a compilable file of the block.
func (b block) source() (string, error) {
	if b.whole() {
		return b.code, nil
	}
	const start = "package main\n"
	head := fmt.Sprintf("func %s(ctx context.Context, s *requests.Session, url string) error {\n", b.name())
	parsed, err := parser.ParseFile(token.NewFileSet(), "block.go", start+head+b.code+"\nreturn nil\n}\n", parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	function := parsed.Decls[0].(*ast.FuncDecl)
	var out strings.Builder
	out.WriteString(start + "\nimport (\n")
	for _, name := range usedPackages(function) {
		fmt.Fprintf(&out, "\t%s %q\n", name, packages[name])
	}
	out.WriteString(")\n\n" + head + "{\n" + checked(b.code, function, len(start+head)) + "\n")
	for _, name := range declared(function.Body) {
		fmt.Fprintf(&out, "_ = %s\n", name)
	}
	out.WriteString("}\nreturn nil\n}\n")
	return out.String(), nil
}

// checked returns the code with a check after each statement that sets err, where the
// block itself never looks at it: pages may leave that out. The code starts at an
// offset of its file.
func checked(code string, f *ast.FuncDecl, offset int) string {
	var ends []int
	written, all := map[*ast.Ident]bool{}, 0
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if name, ok := left.(*ast.Ident); ok && name.Name == "err" {
					written[name] = true
					ends = append(ends, int(n.End())-1-offset)
				}
			}
		case *ast.Ident:
			if n.Name == "err" {
				all++
			}
		}
		return true
	})
	if all > len(written) {
		return code
	}
	for _, end := range slices.Backward(ends) {
		code = code[:end] + "\nif err != nil { return err }" + code[end:]
	}
	return code
}

// printed finds the text that the comment behind a Println says it prints.
var printed = regexp.MustCompile(`(?m)^\s*fmt\.Println\(.*\) // (.*)$`)

// outputs lists what the block says it prints, in order.
func (b block) outputs() []string {
	var lines []string
	for _, match := range printed.FindAllStringSubmatch(b.code, -1) {
		lines = append(lines, match[1])
	}
	return lines
}

// missing returns the first of the lines that out has not got, in their order;
// "…" in a line stands for any text.
func missing(lines []string, out string) string {
	rest := strings.Split(out, "\n")
	for _, line := range lines {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$")
		i := slices.IndexFunc(rest, pattern.MatchString)
		if i < 0 {
			return line
		}
		rest = rest[i+1:]
	}
	return ""
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

func TestOutputs(t *testing.T) {
	b := block{code: "fmt.Println(a) // 1 …\n\tfmt.Println(f(b)) // x.y\nfmt.Println(c)\n"}
	if diff := cmp.Diff([]string{"1 …", "x.y"}, b.outputs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for out, want := range map[string]string{"1 2\nx.y\n": "", "0\n1 \n\nx.y": "", "x.y\n1 2": "x.y", "1 2\nxzy": "x.y", "": "1 …"} {
		if got := missing(b.outputs(), out); got != want {
			t.Errorf("missing in %q: %q, want %q", out, got, want)
		}
	}
}

func TestChecked(t *testing.T) {
	const check = "if err != nil { return err }"
	for code, want := range map[string]int{
		"r, err := f()\nr, err = g(r)":                2,
		"r, err := f()\nfmt.Println(err)":             0,
		"if _, err := f(); err != nil { return err }": 0,
		"fmt.Println(url)":                            0,
	} {
		source, err := block{page: "p.md", code: code}.source()
		if got := strings.Count(source, check); err != nil || got != want {
			t.Errorf("%q: %d checks, want %d (%v)\n%s", code, got, want, err, source)
		}
	}
}
