package architecture

import (
	"go/types"
	"slices"
	"strings"
	"testing"
)

// TestCallbacks: what callers can give that the library calls is in the page's table of callbacks:
// exported types of functions and interfaces, fields, and what functions take.
func TestCallbacks(t *testing.T) {
	_, page, _ := strings.Cut(read(t, "docs/security.md"), "\n## Callbacks\n")
	page, _, _ = strings.Cut(page, "\n## ")
	known := map[string]bool{}
	for _, name := range found(page, `\b((?:requests|adapters|toolbelt)\.[\w.]+)`) {
		known[name] = true
	}
	for _, p := range load(t) {
		if !slices.Contains(public, p.path) {
			continue
		}
		for _, name := range p.callbacks(known) {
			if !known[name] {
				t.Errorf("%s is called by the library: say in docs/security.md which test panics in it", name)
			}
		}
	}
}

// callbacks lists what callers of p can give to be called: types; fields as Type.Field; functions
// and methods that take what is called, but for types of this module, which are in the list themselves.
func (p *pkg) callbacks(known map[string]bool) (names []string) {
	scope := p.types.Scope()
	for _, name := range scope.Names() {
		o := scope.Lookup(name)
		full := p.types.Name() + "." + name
		switch o := o.(type) {
		case *types.Func:
			if o.Exported() && takesCallback(o.Signature()) {
				names = append(names, full)
			}
		case *types.TypeName:
			if o.Exported() {
				names = append(names, ofType(full, o.Type())...)
			}
		}
	}
	return names
}

// ofType lists the callbacks of one exported type.
func ofType(full string, t types.Type) (names []string) {
	if isCalled(t, false) {
		return []string{full}
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return nil
	}
	if s, ok := named.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			if f.Exported() && isCalled(f.Type(), true) {
				names = append(names, full+"."+f.Name())
			}
		}
	}
	for m := range named.Methods() {
		if m.Exported() && takesCallback(m.Signature()) {
			names = append(names, full+"."+m.Name())
		}
	}
	return names
}

func takesCallback(sig *types.Signature) bool {
	for v := range sig.Params().Variables() {
		if isCalled(v.Type(), true) {
			return true
		}
	}
	return false
}

// isCalled reports whether t is a function or an interface with methods, or a list of such. Where
// others is set, types of this module are not: they have rows of their own.
func isCalled(t types.Type, others bool) bool {
	text := types.TypeString(t, nil)
	switch {
	case slices.Contains([]string{"context.Context", "error", "fmt.State", "net.Addr"}, text):
		return false
	case others && strings.Contains(strings.TrimPrefix(text, "func"), "mountable/requests") && !strings.HasPrefix(text, "func("):
		return strings.HasPrefix(text, "iter.")
	}
	switch u := t.Underlying().(type) {
	case *types.Signature:
		return true
	case *types.Interface:
		return u.NumMethods() > 0
	case *types.Slice:
		return isCalled(u.Elem(), others)
	}
	return false
}
