//go:build ignore

// platforms type-checks the packages of the module for each platform in the tables of docs/platforms.md, the standard
// library's declarations included. Where the code refers to something that a platform does not have, it says so, in a
// tenth of the time that a build takes.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// public are the packages that a program imports, with all that they need.
var public = []string{".", "./adapters/...", "./toolbelt/..."}

// named finds the platforms of a table: `linux/arm64`.
var named = regexp.MustCompile("`([a-z0-9]+)/([a-z0-9]+)`")

func main() {
	page, err := os.ReadFile("docs/platforms.md")
	if err != nil {
		fail(err)
	}
	platforms := named.FindAllStringSubmatch(string(page), -1)
	if len(platforms) == 0 {
		fail(errors.New("docs/platforms.md names no platform"))
	}
	failed := false
	for _, p := range platforms {
		n, err := check(p[1], p[2])
		fmt.Printf("%s/%s: %d packages\n", p[1], p[2], n)
		if err != nil {
			fmt.Println(err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Println("platforms:", err)
	os.Exit(1)
}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Standard        bool
	Module          *struct{ Main bool }
}

// check reads the packages in the order of their imports, and returns how many there are.
func check(system, arch string) (n int, err error) {
	list := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Standard,Module"}, public...)...)
	list.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return 0, err
	}
	known := map[string]*types.Package{"unsafe": types.Unsafe}
	var all []error
	for dec := json.NewDecoder(bytes.NewReader(out)); ; n++ {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return n, errors.Join(all...)
		} else if err != nil {
			return n, err
		}
		if err := p.check(arch, known); err != nil {
			all = append(all, err)
		}
	}
}

// check type-checks p, bodies of functions only where they are this module's.
func (p *pkg) check(arch string, known map[string]*types.Package) error {
	if p.ImportPath == "unsafe" {
		return nil
	}
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, f)
	}
	own := p.Module != nil && p.Module.Main
	var texts []string
	config := types.Config{
		Importer: imports{p.ImportMap, known}, Sizes: types.SizesFor("gc", arch), IgnoreFuncBodies: !own, FakeImportC: true,
		Error: func(err error) { texts = append(texts, err.Error()) },
	}
	known[p.ImportPath], _ = config.Check(p.ImportPath, files, parsed, nil)
	if own && len(texts) > 0 {
		return errors.New(strings.Join(texts, "\n"))
	}
	return nil
}

// imports are the packages that were read before; the standard library's vendored ones have other names.
type imports struct {
	names map[string]string
	known map[string]*types.Package
}

func (i imports) Import(path string) (*types.Package, error) {
	if name := i.names[path]; name != "" {
		path = name
	}
	if p := i.known[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s has not been read", path)
}
