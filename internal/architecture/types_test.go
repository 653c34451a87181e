package architecture

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What something is must not be learned by asserting its type. A reader, a writer or an
// adapter is never asserted to be a type of this module, and optional lists the interfaces
// and the types of the standard library that it may be asked for, each with the reason.
// Pools, errors and values of type any are not looked at.
var optional = map[string]string{
	"interface{ CloseIdle()}":            "an adapter that keeps connections lets go of the idle ones; wrappers pass it on",
	"interface{ Remaining() int64}":      "a body that knows how much is left of it; wire.StreamOf documents it",
	"interface{ Trailers() [][2]string}": "a body that has trailers; wire.StreamOf",
	"interface{ LimitUntil(time.Time)}":  "a body that is read until a moment at most; wire.Stream",
	"interface{ Verifiable() bool}":      "a body whose length is checked by its framing; wire.Stream",
	"wire.Stream":                        "a body that has all of these",
	"wire.chunked":                       "a body that comes in chunks; wire.StreamOf",
	"requests.Streamer":                  "a caller's body that knows its length and starts over",
	"body.streamer":                      "the same",
	"interface{ Len() int}":              "a caller's body that knows its length: bytes.Reader, bytes.Buffer",
	"interface{ Len() int64}":            "the same, of files in memory",
	"interface{ Size() int64}":           "the same, of io.SectionReader",
	"interface{ ContentType() string}":   "a caller's body that names its type: MultipartEncoder",
	"interface{ File() *os.File}":        "a body that is a file, behind what watches it",
	"toolbelt.abandoner":                 "a source of the toolbelt that has something to let go of",
	"interface{ NetConn() net.Conn}":     "what lies beneath a layer, as tls.Conn has it",
	"interface{ CloseWrite() error}":     "half of a connection is closed, as net.TCPConn has it",
	"interface{ Queued() int64}":         "a socket that knows what the other side has taken",
	"dial.probed":                        "a connection that knows the socket beneath it",
	"dial.turning":                       "a socket that writes and waits in one turn; a dial function's connection does not",
	"http1.turner":                       "the same, through dial.Conn, and not on every system",
	"syscall.Conn":                       "the socket's descriptor, to peek at it",
	"net.Conn":                           "a source that waits for the network, and is not measured",
	"io.Closer":                          "what is read is closed where it is owned",
	"io.Seeker":                          "what is read starts over",
	"io.Writer":                          "an upgraded connection, as net/http documents it",
	"io.ReadWriteCloser":                 "the same; Response.Conn documents it",
	"io.ReaderFrom":                      "files go out without being copied",
	"io.WriterTo":                        "the same",
	"flate.Resetter":                     "a reader of compress/flate is used again",
	"*os.File":                           "a file has a length, a name, and a way past this program's memory",
	"*io.LimitedReader":                  "the part of a file that sendfile takes",
	"*bytes.Buffer":                      "a buffer is emptied by reading; its bytes can be read again",
	"*bytes.Reader":                      "reading memory waits for nothing",
	"*strings.Reader":                    "the same",
	"*net.TCPConn":                       "options of the socket; a call on it can go on after a deadline",
	"*net.UnixConn":                      "a call on it can go on after a deadline",
	"*tls.Conn":                          "a layer between the caller and the socket",
}

// TestAssertions finds type assertions and type switches on bodies, writers and adapters
// that are not in the list, and rows of the list that are not needed.
func TestAssertions(t *testing.T) {
	found := map[string]string{} // where one is
	for _, p := range load(t) {
		if p.path == "adapters/adaptertest" {
			continue // tests, which ask for what an adapter says it has
		}
		for _, f := range p.files {
			ast.Inspect(f, func(n ast.Node) bool {
				for _, a := range assertions(n) {
					if key := p.assertion(a); key != "" {
						found[key] = fileSet.Position(a.pos.Pos()).String()
					}
				}
				return true
			})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if optional[key] == "" {
			t.Errorf("%s: %q asserts what a body or an adapter is; a method of its interface has to say what is asked, or the list the reason", found[key], key)
		}
	}
	for key := range optional {
		if found[key] == "" {
			t.Errorf("the list allows %q, which is not there", key)
		}
	}
}

// assertion is one x.(T), or one case of a type switch.
type assertion struct {
	pos    ast.Node
	of, to ast.Expr
}

func assertions(n ast.Node) (all []assertion) {
	switch n := n.(type) {
	case *ast.TypeAssertExpr:
		if n.Type != nil {
			all = append(all, assertion{n, n.X, n.Type})
		}
	case *ast.TypeSwitchStmt:
		for _, clause := range n.Body.List {
			for _, to := range clause.(*ast.CaseClause).List {
				all = append(all, assertion{to, switched(n), to})
			}
		}
	}
	return all
}

// switched is x of a type switch on x.(type).
func switched(s *ast.TypeSwitchStmt) ast.Expr {
	switch a := s.Assign.(type) {
	case *ast.AssignStmt:
		return a.Rhs[0].(*ast.TypeAssertExpr).X
	case *ast.ExprStmt:
		return a.X.(*ast.TypeAssertExpr).X
	}
	return nil
}

// assertion names what is asserted of what, "" where it is not a reader, a writer or an
// adapter.
func (p *pkg) assertion(a assertion) string {
	of := p.info.Types[a.of].Type
	if of == nil || !has(of, "Read") && !has(of, "Write") && !has(of, "Send") {
		return ""
	}
	to := types.TypeString(p.info.Types[a.to].Type, func(other *types.Package) string { return other.Name() })
	return strings.ReplaceAll(to, "interface{", "interface{ ")
}

// has reports whether an interface has a method.
func has(t types.Type, name string) bool {
	i, ok := t.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for m := range i.Methods() {
		if m.Name() == name {
			return true
		}
	}
	return false
}

// TestErrorsAreValues: no *Error is kept in a variable of a package, where whoever changes
// the one that a request got changes that of every other.
func TestErrorsAreValues(t *testing.T) {
	for _, p := range load(t) {
		for _, f := range p.files {
			for _, decl := range f.Decls {
				if g, ok := decl.(*ast.GenDecl); ok {
					p.checkVariables(t, g)
				}
			}
		}
	}
}

func (p *pkg) checkVariables(t *testing.T, g *ast.GenDecl) {
	for _, spec := range g.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for _, value := range v.Values {
			if isError(p.info.Types[value].Type) {
				t.Errorf("%s: %s keeps an *Error that requests would share", p.name(), v.Names[0].Name)
			}
		}
	}
}

// isError reports whether t is a pointer to a type of this module that is named Error.
func isError(t types.Type) bool {
	pointer, ok := t.(*types.Pointer)
	if !ok {
		return false
	}
	named, ok := pointer.Elem().(*types.Named)
	return ok && named.Obj().Name() == "Error" && named.Obj().Pkg() != nil && strings.HasPrefix(named.Obj().Pkg().Path(), module)
}
