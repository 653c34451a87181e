package architecture

import (
	"go/ast"
	"slices"
	"testing"
)

// The bounds of the layout: what one can read in an evening, file by file.
const (
	maxRootFiles   = 45
	maxRootLines   = 8500
	maxFileLines   = 450
	maxFunction    = 50
	medianFunction = 8
	percentile90   = 20
	maxExported    = 380 // functions and methods of root, adapters and toolbelt, without redaction
)

// redactionMethod are the methods that every type has which may hold a secret.
const redactionMethod = "Format LogValue MarshalJSON String"

// TestSizes keeps files, functions and the root within their bounds.
func TestSizes(t *testing.T) {
	var functions []int
	rootFiles, rootLines := 0, 0
	for _, p := range load(t) {
		for name, f := range p.files {
			lines := fileSet.File(f.Pos()).LineCount()
			if lines > maxFileLines {
				t.Errorf("%s/%s has %d lines, and at most %d are wanted", p.name(), name, lines, maxFileLines)
			}
			if p.path == "" {
				rootFiles, rootLines = rootFiles+1, rootLines+lines
			}
			functions = append(functions, lengths(t, p, f)...)
		}
	}
	if rootFiles > maxRootFiles || rootLines > maxRootLines {
		t.Errorf("the root has %d files and %d lines, and at most %d and %d are wanted: what needs no type of the root belongs to internal", rootFiles, rootLines, maxRootFiles, maxRootLines)
	}
	slices.Sort(functions)
	median, p90 := functions[len(functions)/2], functions[len(functions)*9/10]
	if median > medianFunction || p90 > percentile90 {
		t.Errorf("functions have %d lines in the median and %d at the 90th percentile, and at most %d and %d are wanted", median, p90, medianFunction, percentile90)
	}
	t.Logf("root: %d files, %d lines; %d functions, median %d, 90th percentile %d", rootFiles, rootLines, len(functions), median, p90)
}

// lengths returns how many lines each function of a file has.
func lengths(t *testing.T, p *pkg, f *ast.File) (all []int) {
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		n := fileSet.Position(fn.End()).Line - fileSet.Position(fn.Pos()).Line + 1
		if n > maxFunction {
			t.Errorf("%s: %s has %d lines, and at most %d are wanted", p.name(), fn.Name.Name, n, maxFunction)
		}
		all = append(all, n)
	}
	return all
}
