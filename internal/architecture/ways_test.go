package architecture

import (
	"go/ast"
	"go/parser"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// waysTable is the file whose tables have every way in.
const waysTable = "rules_waysin_test.go"

// TestWaysIn: every exported function and method of root, adapters and toolbelt that starts
// requests, reads a response or takes text is in the table of its kind, or in notWays with the
// reason why it is not one; and the tables have nothing else.
func TestWaysIn(t *testing.T) {
	tables := tablesOf(t)
	for _, p := range load(t) {
		if !slices.Contains(public, p.path) {
			continue
		}
		for _, f := range p.files {
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || !isExported(fn) {
					continue
				}
				kind := wayOf(p.info.Defs[fn.Name].(*types.Func).Signature())
				name := p.qualified(fn)
				if kind != "" && !tables[kind][name] && !tables["notWays"][name] {
					t.Errorf("%s is a way in: %s of %s has to say how it is tried, or notWays why it is none", name, kind, waysTable)
				}
				for _, table := range tables {
					delete(table, name)
				}
			}
		}
	}
	for kind, table := range tables {
		for name := range table {
			t.Errorf("%s has %s, which is not exported", kind, name)
		}
	}
}

// wayOf names the table that a function or method of this signature belongs to, "" for none.
func wayOf(sig *types.Signature) string {
	takes, gives := typesOf(sig.Params()), typesOf(sig.Results())
	reads := sig.Recv() != nil && nameOf(sig.Recv()) == "*requests.Response" || takes["*requests.Response"]
	switch {
	case takes["context.Context"], gives["http.RoundTripper"], gives["*toolbelt.Pool"], gives["iter.Seq[toolbelt.PoolResult]"]:
		return "startWays"
	case len(gives) == 0:
		return ""
	case reads:
		return "readWays"
	case takes["[]byte"], takes["io.Reader"], (takes["string"] || takes["[]string"]) && (gives["error"] || gives["bool"]):
		return "textWays"
	}
	return ""
}

func typesOf(vars *types.Tuple) map[string]bool {
	all := map[string]bool{}
	for v := range vars.Variables() {
		all[nameOf(v)] = true
	}
	return all
}

func nameOf(v *types.Var) string { return types.TypeString(v.Type(), (*types.Package).Name) }

// tablesOf returns the keys of the file's tables.
func tablesOf(t *testing.T) map[string]map[string]bool {
	file, err := parser.ParseFile(fileSet, filepath.Join(root, waysTable), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]map[string]bool{"startWays": {}, "readWays": {}, "textWays": {}, "notWays": {}}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || tables[spec.Names[0].Name] == nil {
			return true
		}
		for _, element := range spec.Values[0].(*ast.CompositeLit).Elts {
			name, err := strconv.Unquote(element.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			tables[spec.Names[0].Name][name] = true
		}
		return false
	})
	return tables
}
