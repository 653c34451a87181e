package architecture

import (
	"cmp"
	"flag"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the exported API to api/next.txt")

// TestAPI: what a release exported is still there, as it was. Each file api/v*.txt lists what one release exports, a
// line for each thing that a program can refer to; api/except.txt has the lines that were given up on purpose.
func TestAPI(t *testing.T) {
	now := map[string]bool{}
	var lines []string
	for _, p := range load(t) {
		if !slices.Contains(public, p.path) {
			continue
		}
		for _, line := range api(p.types) {
			now[line] = true
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	if *update {
		if err := os.WriteFile(filepath.Join(root, "api", "next.txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	releases, _ := filepath.Glob(filepath.Join(root, "api", "v*.txt"))
	if len(releases) == 0 {
		t.Fatal("there is no release in api")
	}
	given := linesOf(t, filepath.Join(root, "api", "except.txt"))
	for _, release := range releases {
		for _, line := range linesOf(t, release) {
			if !now[line] && !slices.Contains(given, line) {
				t.Errorf("%s has %q, and it is gone or has changed: CONTRIBUTING.md tells what to do", filepath.Base(release), line)
			}
		}
	}
	t.Logf("%d lines of API", len(lines))
}

// linesOf returns the lines of a file without those that are empty or comments.
func linesOf(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return line == "" || strings.HasPrefix(line, "#") })
}

// api lists what a package exports, a line each: so that an added field or method is an added line, and an interface, to
// which nothing can be added without breaking who implements it, is one line.
func api(p *types.Package) (lines []string) {
	qualify := func(other *types.Package) string {
		if other == p {
			return ""
		}
		return other.Path()
	}
	add := func(format string, args ...any) { lines = append(lines, p.Name()+": "+fmt.Sprintf(format, args...)) }
	for _, name := range p.Scope().Names() {
		object := p.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		switch o := object.(type) {
		case *types.Const:
			add("%s = %s", types.ObjectString(o, qualify), o.Val().ExactString())
		case *types.TypeName:
			typeLines(o, qualify, add)
		default:
			add("%s", types.ObjectString(unnamed(o), qualify))
		}
	}
	return lines
}

// unnamed is a function without the names of its parameters, which no caller can refer to.
func unnamed(o types.Object) types.Object {
	f, ok := o.(*types.Func)
	if !ok || f.Signature().TypeParams().Len() > 0 || f.Signature().RecvTypeParams().Len() > 0 {
		return o
	}
	plain := withoutNames(f.Signature()).(*types.Signature)
	return types.NewFunc(f.Pos(), f.Pkg(), f.Name(), types.NewSignatureType(f.Signature().Recv(), nil, nil, plain.Params(), plain.Results(), plain.Variadic()))
}

// withoutNames is a type without the names of parameters in it.
func withoutNames(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, tuple(t.Params()), tuple(t.Results()), t.Variadic())
	case *types.Slice:
		return types.NewSlice(withoutNames(t.Elem()))
	case *types.Interface:
		var methods []*types.Func
		for m := range t.Methods() {
			methods = append(methods, types.NewFunc(m.Pos(), m.Pkg(), m.Name(), withoutNames(m.Signature()).(*types.Signature)))
		}
		return types.NewInterfaceType(methods, nil).Complete()
	}
	return t
}

func tuple(vars *types.Tuple) *types.Tuple {
	var plain []*types.Var
	for v := range vars.Variables() {
		plain = append(plain, types.NewVar(v.Pos(), v.Pkg(), "", withoutNames(v.Type())))
	}
	return types.NewTuple(plain...)
}

// typeLines lists a type, its exported fields and its methods.
func typeLines(o *types.TypeName, qualify types.Qualifier, add func(string, ...any)) {
	switch underlying := o.Type().Underlying().(type) {
	case *types.Struct:
		add("type %s struct", o.Name())
		for field := range underlying.Fields() {
			if field.Exported() {
				add("field %s.%s %s", o.Name(), field.Name(), types.TypeString(withoutNames(field.Type()), qualify))
			}
		}
	default:
		add("type %s %s", types.TypeString(o.Type(), qualify), types.TypeString(withoutNames(underlying), qualify))
	}
	named, ok := o.Type().(*types.Named)
	if !ok {
		return
	}
	methods := slices.SortedFunc(named.Methods(), func(a, b *types.Func) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, method := range methods {
		if method.Exported() {
			add("%s", types.ObjectString(unnamed(method), qualify))
		}
	}
}

// TestAPILines: what breaks a program changes a line, and what does not adds one.
func TestAPILines(t *testing.T) {
	all := map[string]bool{}
	for _, p := range load(t) {
		if p.path == "" {
			for _, line := range api(p.types) {
				all[line] = true
			}
		}
	}
	for _, want := range []string{
		"requests: func Get(context.Context, string, ...Option) (*Response, error)",
		"requests: type Session struct",
		"requests: field Session.Headers Headers",
		"requests: type Adapter interface{Close() error; Send(context.Context, *PreparedRequest, SendOptions) (*Response, error)}",
		"requests: func (*Session).Close() error",
	} {
		if !all[want] {
			t.Errorf("%q is not among the lines", want)
		}
	}
}
