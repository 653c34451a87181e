package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// pkg is a package of this module, parsed and type-checked; its tests are left out.
type pkg struct {
	path  string // within the module, "" for the root
	dir   string
	files map[string]*ast.File // by name
	types *types.Package
	info  *types.Info
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Module                  *struct{ Path string }
}

var fileSet = token.NewFileSet()

// packages loads the packages of this module once; those of its tests' servers and of its
// examples are not looked at.
var packages = sync.OnceValues(func() ([]*pkg, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Module", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return nil, err
	}
	var own []listed
	exports := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[l.ImportPath] = l.Export
		if l.Module != nil && l.Module.Path == module && !slices.ContainsFunc([]string{"/wiretest", "/cases", "/examples/", "/architecture"}, func(s string) bool { return strings.Contains(l.ImportPath, s) }) {
			own = append(own, l)
		}
	}
	imports := importer.ForCompiler(fileSet, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var all []*pkg
	for _, l := range own {
		p, err := check(l, imports)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
})

func check(l listed, imports types.Importer) (*pkg, error) {
	p := &pkg{path: strings.TrimPrefix(strings.TrimPrefix(l.ImportPath, module), "/"), dir: l.Dir, files: map[string]*ast.File{}}
	p.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}}
	var files []*ast.File
	for _, name := range l.GoFiles {
		f, err := parser.ParseFile(fileSet, filepath.Join(l.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		p.files[name] = f
		files = append(files, f)
	}
	var err error
	p.types, err = (&types.Config{Importer: imports}).Check(l.ImportPath, fileSet, files, p.info)
	return p, err
}

// load returns the packages of this module.
func load(t *testing.T) []*pkg {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// name is how a package is called in tables.
func (p *pkg) name() string {
	if p.path == "" {
		return "root"
	}
	return p.path
}
