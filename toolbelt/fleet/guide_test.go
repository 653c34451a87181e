package fleet_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const page = "../../docs/guide/fleet.md"

// imports are what a block of the page may use.
var imports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "iter": "iter", "slices": "slices", "time": "time", "log": "log",
	"requests": "github.com/mountable/requests", "toolbelt": "github.com/mountable/requests/toolbelt", "fleet": "github.com/mountable/requests/toolbelt/fleet",
	"metric": "go.opentelemetry.io/otel/metric",
}

// blocksOf finds the blocks of the page, which are not those that the root module compiles.
func blocksOf(text string) (blocks []string) {
	for i, part := range strings.Split(text, "```golang\n") {
		if i > 0 {
			code, _, _ := strings.Cut(part, "\n```")
			blocks = append(blocks, code)
		}
	}
	return blocks
}

// TestGuide compiles the blocks of the page, each as the body of a function
//
//	func(ctx context.Context, f *fleet.Fleet, s *requests.Session, jobs iter.Seq[*requests.Request]) error
//
// A page need not use the variables that it declares.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := blocksOf(string(text))
	if len(blocks) < 2 {
		t.Fatalf("%d blocks: the page has more", len(blocks))
	}
	files := map[string]string{}
	for i, code := range blocks {
		name := fmt.Sprintf("block%d", i+1)
		if files[name+".go"], err = source(name, code); err != nil {
			t.Fatalf("block %d: %v\n%s", i+1, err, code)
		}
	}
	if out := build(t, files); out != "" {
		t.Errorf("the blocks of the page do not compile:\n%s", out)
	}
}

// TestGuideRefuses: a block that names what is not there is found.
func TestGuideRefuses(t *testing.T) {
	file, err := source("wrong", `f.Nothing(ctx)`)
	if err != nil {
		t.Fatal(err)
	}
	if out := build(t, map[string]string{"wrong.go": file}); !strings.Contains(out, "f.Nothing") {
		t.Errorf("the compiler says %q", out)
	}
}

// source makes a file of a block.
func source(name, code string) (string, error) {
	head := "func " + name + "(ctx context.Context, f *fleet.Fleet, s *requests.Session, jobs iter.Seq[*requests.Request]) error {\n{\n"
	parsed, err := parser.ParseFile(token.NewFileSet(), name, "package blocks\n"+head+code+"\n}\n}\n", parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	used, declared := []string{"context", "fleet", "iter", "requests"}, ""
	ast.Inspect(parsed, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && imports[x.Name] != "" {
				used = append(used, x.Name)
			}
		}
		return true
	})
	for _, statement := range parsed.Decls[0].(*ast.FuncDecl).Body.List[0].(*ast.BlockStmt).List {
		if a, ok := statement.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
			for _, left := range a.Lhs {
				if name := left.(*ast.Ident).Name; name != "_" {
					declared += "_ = " + name + "\n"
				}
			}
		}
	}
	slices.Sort(used)
	file := "package blocks\n\nimport (\n"
	for _, name := range slices.Compact(used) {
		file += fmt.Sprintf("%s %q\n", name, imports[name])
	}
	formatted, err := format.Source([]byte(file + ")\n\n" + head + code + "\n" + declared + "}\nreturn nil\n}\n"))
	return string(formatted), err
}

// build compiles files as a package of this module without writing into its tree, and returns what
// the compiler says.
func build(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]string{}
	for name, text := range files {
		overlay[filepath.Join(here, "blocks", name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mapping, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), mapping, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "./blocks").CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return string(out)
}
