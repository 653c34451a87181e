package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mountable/requests"
)

// kinds are the Kinds by their constants' names, in the order of errors.go.
type kinds struct {
	names   []string
	parents map[requests.Kind][]requests.Kind
}

// kindsOf reads the names from errors.go, and asks the Kinds themselves whose child each is.
func kindsOf(root string) (*kinds, error) {
	names, err := kindNames(root)
	if err != nil {
		return nil, err
	}
	k := &kinds{names: names, parents: map[requests.Kind][]requests.Kind{}}
	for _, child := range k.all() {
		ancestors := slices.DeleteFunc(k.all(), func(a requests.Kind) bool { return a == child || !errors.Is(child, a) })
		for _, a := range ancestors { // a parent is an ancestor that no other one descends from
			if !slices.ContainsFunc(ancestors, func(b requests.Kind) bool { return b != a && errors.Is(b, a) }) {
				k.parents[child] = append(k.parents[child], a)
			}
		}
	}
	return k, nil
}

// kindNames are the names of the constants of the type Kind, which iota numbers from 1.
func kindNames(root string) (names []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "errors.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			if name := spec.(*ast.ValueSpec).Names[0].Name; strings.HasPrefix(name, "Err") {
				names = append(names, name)
			}
		}
	}
	if last := requests.Kind(len(names)); last.Error() == "unknown kind" || (last+1).Error() != "unknown kind" {
		return nil, fmt.Errorf("errors.go has %d Kinds, and the library another number", len(names))
	}
	return names, nil
}

func (k *kinds) all() []requests.Kind {
	all := make([]requests.Kind, len(k.names))
	for i := range all {
		all[i] = requests.Kind(i + 1)
	}
	return all
}

func (k *kinds) name(kind requests.Kind) string { return k.names[kind-1] }

// roots are the children of ErrRequest, those with children of their own first.
func (k *kinds) roots() (families, alone []requests.Kind) {
	for _, kind := range k.all() {
		switch {
		case !slices.Equal(k.parents[kind], []requests.Kind{requests.ErrRequest}):
		case len(k.children(kind)) > 0:
			families = append(families, kind)
		default:
			alone = append(alone, kind)
		}
	}
	return families, alone
}

func (k *kinds) children(parent requests.Kind) (all []requests.Kind) {
	for _, kind := range k.all() {
		if slices.Contains(k.parents[kind], parent) {
			all = append(all, kind)
		}
	}
	return all
}

// home is the parent under which a kind stands in the picture: the one that is deepest.
func (k *kinds) home(kind requests.Kind) requests.Kind {
	return slices.MaxFunc(k.parents[kind], func(a, b requests.Kind) int { return k.depth(a) - k.depth(b) })
}

func (k *kinds) depth(kind requests.Kind) int {
	if kind == requests.ErrRequest {
		return 0
	}
	return 1 + k.depth(k.home(kind))
}
