package architecture

import (
	"go/ast"
	"go/parser"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// public are the packages that programs import.
var public = []string{"", "adapters", "toolbelt"}

// implied are the methods that every value of its kind has: those of redaction, of errors,
// of options and of printing.
var implied = strings.Fields(redactionMethod + " Apply Error Unwrap Is String")

// TestNames: every exported name of the public packages has an example or is in the guide.
func TestNames(t *testing.T) {
	shown := shownWords(t)
	for _, p := range load(t) {
		if !slices.Contains(public, p.path) {
			continue
		}
		for _, name := range p.exported() {
			short := name[strings.LastIndexByte(name, '.')+1:]
			if !shown[short] && !slices.Contains(implied, short) {
				t.Errorf("%s: %s is neither in docs/guide nor in an example", p.name(), name)
			}
		}
	}
}

// fieldNames are the functions and methods that Requests, urllib3 and the toolbelt have not got and that
// other clients of the field have, or nobody. The bound of maxExported holds for what those three promise,
// which is what a reader of this package expects to find; these are counted beside it, and each of them
// has a row in docs/features.md.
var fieldNames = strings.Fields(`
requests.AsCurl requests.FromCurl
toolbelt.Parallel toolbelt.HAR.Save toolbelt.HAR.Wrap
adapters.Address adapters.DNSCache.LookupNetIP adapters.DNSOverHTTPS
adapters.MinThroughput
adapters.CRLFiles adapters.StapledOCSP
requests.Session.Clone requests.HSTS.MarshalText requests.HSTS.UnmarshalText toolbelt.SaveSession toolbelt.LoadSession
requests.HSTS.Load requests.HSTS.Save requests.NewHSTS
requests.RefreshAuth requests.Refresh.Authenticate requests.TokenFunc.Token
requests.Response.Timing requests.Response.Options
requests.Response.Events requests.Response.Decode requests.Codecs.Apply requests.AsIs adapters.Codecs requests.EventSource requests.JSONLines requests.JSONArray requests.Pages requests.PagesBy
requests.Compress requests.FormFrom requests.IfChanged requests.ParamsFrom requests.Path.Apply requests.Problem.Error requests.Redirects requests.Session.Query
adapters.BeforeSend adapters.OnError
requests.TLSConfig.Client
adapters.Authenticate adapters.Breaker adapters.ContentDecoder adapters.Digests adapters.Hedge adapters.Limit adapters.SingleFlight
`)

// TestExported bounds how many functions and methods the public packages export.
func TestExported(t *testing.T) {
	n, field := 0, map[string]bool{}
	for _, p := range load(t) {
		if !slices.Contains(public, p.path) {
			continue
		}
		for _, f := range p.files {
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				switch {
				case !ok || !isExported(fn) || slices.Contains(strings.Fields(redactionMethod), fn.Name.Name):
				case slices.Contains(fieldNames, p.qualified(fn)):
					field[p.qualified(fn)] = true
				default:
					n++
				}
			}
		}
	}
	if n > maxExported {
		t.Errorf("root, adapters and toolbelt export %d functions and methods, and at most %d are wanted", n, maxExported)
	}
	if missing := slices.DeleteFunc(slices.Clone(fieldNames), func(name string) bool { return field[name] }); len(missing) > 0 {
		t.Errorf("fieldNames has names that are not exported: %q", missing)
	}
	t.Logf("%d exported functions and methods, and %d of the field", n, len(field))
}

// qualified is the name of a function as "package.Name", of a method as "package.Type.Method".
func (p *pkg) qualified(fn *ast.FuncDecl) string {
	return p.types.Name() + "." + strings.TrimPrefix(receiver(fn)+"."+fn.Name.Name, ".")
}

// exported returns the exported names of p, methods as "Type.Method".
func (p *pkg) exported() (names []string) {
	for _, f := range p.files {
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if isExported(d) {
					names = append(names, strings.TrimPrefix(receiver(d)+"."+d.Name.Name, "."))
				}
			case *ast.GenDecl:
				names = append(names, declared(d)...)
			}
		}
	}
	slices.Sort(names)
	return names
}

// declared returns the exported names of a declaration.
func declared(d *ast.GenDecl) (names []string) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				names = append(names, s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// isExported reports whether a function is exported and, if it is a method, its type.
func isExported(fn *ast.FuncDecl) bool {
	return fn.Name.IsExported() && (fn.Recv == nil || ast.IsExported(receiver(fn)))
}

// receiver is the name of a method's type, "" for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	return t.(*ast.Ident).Name
}

var word = regexp.MustCompile(`[A-Za-z][A-Za-z0-9]*`)

// shownWords are the words of the guide and of the README, and the names in examples.
func shownWords(t *testing.T) map[string]bool {
	words := map[string]bool{}
	pages, _ := filepath.Glob(filepath.Join(root, "docs", "guide", "*.md"))
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range word.FindAllString(string(text), -1) {
			words[w] = true
		}
	}
	for _, dir := range public {
		files, _ := filepath.Glob(filepath.Join(root, dir, "example*_test.go"))
		for _, name := range files {
			f, err := parser.ParseFile(fileSet, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					words[strings.TrimPrefix(id.Name, "Example")] = true
				}
				return true
			})
		}
	}
	return words
}
