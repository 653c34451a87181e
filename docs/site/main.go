// Site writes the documentation of this repository as a web site: a page for every document, in
// plain HTML that needs no script. Only the search box has one, over an index that is built here.
//
//	go run -C docs/site . [-out DIR]
//
// This is a module of its own, so that nobody who builds the library downloads what it takes to
// render Markdown. That is why the command names the folder by -C: "go run ./docs/site" finds
// packages of the module it is called in, and no others. DIR is relative to docs/site; it is
// "public" by default, which git ignores. Files of an earlier run are overwritten, and others in
// DIR are left alone.
//
// A link that leads nowhere, to a heading as well, is an error, and nothing is written.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mountable/requests/docs/site/internal/book"
)

func main() {
	tree := flag.String("tree", "../..", "the repository's `folder`")
	out := flag.String("out", "public", "the `folder` that is written to")
	flag.Parse()
	if err := run(*tree, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(tree, out string) error {
	site, err := book.Build(os.DirFS(tree))
	if err != nil {
		return err
	}
	for name, content := range site {
		file := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	first, err := filepath.Abs(filepath.Join(out, "index.html"))
	fmt.Printf("%d files; begin at %s\n", len(site), first)
	return err
}
