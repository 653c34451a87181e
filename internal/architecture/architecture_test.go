package architecture

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/mountable/requests"
)

// row is one row of the import table.
type row struct {
	pattern string
	allowed []string // import paths of this module
	denied  []string // patterns of other imports
	text    string

	internal bool // every package of internal/ may be imported
}

// TestImports enforces the table of docs/architecture.md for every file.
func TestImports(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := readTable(t, string(doc))
	files := sourceFiles(t, rows)
	if len(files) == 0 {
		t.Fatal("no source files found")
	}
	for _, file := range files {
		r, ok := rowOf(rows, file)
		if !ok {
			t.Errorf("%s: no row of the import table in docs/architecture.md covers it", file)
			continue
		}
		for _, imported := range importsOf(t, file) {
			if why := r.refuses(imported); why != "" {
				t.Errorf("%s imports %q: %s by the row\n\t%s", file, imported, why, r.text)
			}
		}
	}
}

func readTable(t *testing.T, doc string) []row {
	_, after, found := strings.Cut(doc, "<!-- import table: read by internal/architecture -->")
	if !found {
		t.Fatal("docs/architecture.md has lost the mark of its import table")
	}
	var rows []row
	for line := range strings.Lines(strings.TrimLeft(after, "\n")) {
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		if cells := strings.Split(strings.Trim(line, "|"), "|"); len(cells) == 3 && !strings.HasPrefix(line, "| ---") && !strings.HasPrefix(line, "| packages") {
			rows = append(rows, parseRow(cells, line)...)
		}
	}
	if len(rows) == 0 {
		t.Fatal("the import table in docs/architecture.md is empty")
	}
	return rows
}

// parseRow gives one row for each pattern of packages that its first cell names.
func parseRow(cells []string, line string) []row {
	var rows []row
	for _, pattern := range strings.Fields(cells[0]) {
		r := row{pattern: pattern, denied: strings.Fields(cells[2]), text: line}
		for _, name := range strings.Fields(cells[1]) {
			switch name {
			case "-":
			case "internal":
				r.internal = true
			case "root":
				r.allowed = append(r.allowed, module)
			case "adapters", "toolbelt":
				r.allowed = append(r.allowed, module+"/"+name)
			default:
				r.allowed = append(r.allowed, module+"/internal/"+name)
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// refuses says why a file of such a package may not import a package, "" if it may.
func (r *row) refuses(imported string) string {
	if imported == module || strings.HasPrefix(imported, module+"/") {
		internal := module + "/internal/"
		if !slices.Contains(r.allowed, imported) && !(r.internal && strings.HasPrefix(imported, internal)) {
			return "unlisted"
		}
		return ""
	}
	for _, pattern := range r.denied {
		if ok, _ := path.Match(pattern, imported); ok {
			return "forbidden"
		}
	}
	return ""
}

// rowOf finds the row of a file: its own, else that of its folder.
func rowOf(rows []row, file string) (row, bool) {
	for dir := file; dir != "."; dir = path.Dir(dir) {
		for _, r := range rows {
			if ok, _ := path.Match(r.pattern, dir); ok {
				return r, true
			}
		}
	}
	return row{}, false
}

// sourceFiles lists the Go files of this module that are not tests, by their
// slash-separated path. Nested modules have houses of their own.
func sourceFiles(t *testing.T, rows []row) []string {
	var files []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			return skipDir(rel, name)
		}
		if strings.HasSuffix(rel, ".go") && !strings.HasSuffix(rel, "_test.go") {
			files = append(files, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// skipDir leaves out hidden folders, test data, nested modules and the rooms that
// exist for tests alone.
func skipDir(rel, name string) error {
	testPackages := []string{"internal/wiretest", "internal/cases", "internal/parity", "internal/architecture", "internal/guide", "internal/realworld", "internal/script", "testdata"}
	if rel != "." && (strings.HasPrefix(path.Base(rel), ".") || slices.Contains(testPackages, rel)) {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil && rel != "." {
		return fs.SkipDir
	}
	return nil
}

func importsOf(t *testing.T, file string) []string {
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, spec := range parsed.Imports {
		imports = append(imports, strings.Trim(spec.Path.Value, `"`))
	}
	return imports
}

// TestRefusals shows that the check can fail: an unlisted package, a forbidden
// package, a file nobody covers.
func TestRefusals(t *testing.T) {
	rows := readTable(t, "<!-- import table: read by internal/architecture -->\n\n| packages | a | b |\n| --- | --- | --- |\n| x.go | uri | net crypto/* |\n")
	r, _ := rowOf(rows, "x.go")
	got := fmt.Sprint(r.refuses(module+"/internal/uri"), ";", r.refuses(module+"/internal/h1"), ";", r.refuses("net"), ";", r.refuses("crypto/tls"), ";", r.refuses("io"))
	if want := ";unlisted;forbidden;forbidden;"; strings.ReplaceAll(got, " ", "") != want {
		t.Errorf("refusals: %s, want %s", got, want)
	}
	if _, ok := rowOf(rows, "y.go"); ok {
		t.Error("a file without a row was covered")
	}
}
