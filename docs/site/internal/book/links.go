package book

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// linker leads the links of documents to where they belong in the site:
//
//	to a document      its page
//	to an image        the image, which becomes part of the site
//	to another file    the file in the repository; a folder with a README.md is a document
//	to a heading       that heading, which has to be there
//	to the world       as they are
//	to nowhere         an error
type linker struct {
	tree   fs.FS
	pages  map[string]*page
	images map[string]bool // those that pages show or lead to
}

// rewrite changes the links of a page. Its error names each that leads nowhere.
func (l *linker) rewrite(p *page) error {
	var errs []error
	lead := func(destination []byte) []byte {
		to, err := l.resolve(p, string(destination))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: the link %q: %w", p.source, destination, err))
		}
		return []byte(to)
	}
	_ = ast.Walk(p.doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Link:
			if entering {
				n.Destination = lead(n.Destination)
			}
		case *ast.Image:
			if entering {
				n.Destination = lead(n.Destination)
			}
			if entering && plain(n, p.text) == "" {
				errs = append(errs, fmt.Errorf("%s: the image %q has no text that stands for it", p.source, n.Destination))
			}
		}
		return ast.WalkContinue, nil
	})
	return errors.Join(errs...)
}

// resolve is where a link of p leads in the site.
func (l *linker) resolve(p *page, link string) (string, error) {
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return "", errors.New("is not a URL")
	case u.Scheme == "https", u.Scheme == "http", u.Scheme == "mailto":
		return link, l.checkOwn(link)
	case u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/"):
		return "", errors.New("is neither relative nor https")
	case u.Path == "" && u.Fragment == "":
		return "", errors.New("is empty")
	case u.Path == "":
		return "#" + u.Fragment, p.hasAnchor(u.Fragment)
	}
	name := path.Join(path.Dir(p.source), u.Path)
	if !fs.ValidPath(name) {
		return "", errors.New("leads out of the repository")
	}
	return l.resolveFile(p, name, u.Fragment)
}

// resolveFile is where a link of p to a file of the tree leads.
func (l *linker) resolveFile(p *page, name, fragment string) (string, error) {
	for _, name := range []string{name, path.Join(name, "README.md")} {
		if to := l.pages[name]; to != nil {
			return withFragment(relative(p.target, to.target), fragment), to.hasAnchor(fragment)
		}
	}
	info, err := fs.Stat(l.tree, name)
	switch {
	case err != nil:
		return "", errors.New("there is no such file")
	case info.IsDir():
		return repository + "/tree/main/" + name, nil
	case isImage(name):
		l.images[name] = true
		return relative(p.target, name), nil
	}
	return withFragment(repository+"/blob/main/"+name, fragment), nil
}

// checkOwn looks for the file that a link to the repository names.
func (l *linker) checkOwn(link string) error {
	for _, kind := range []string{"/blob/main/", "/tree/main/"} {
		name, ok := strings.CutPrefix(link, repository+kind)
		name, _, _ = strings.Cut(name, "#")
		if _, err := fs.Stat(l.tree, strings.TrimSuffix(name, "/")); ok && err != nil {
			return errors.New("the repository has no such file")
		}
	}
	return nil
}

func (p *page) hasAnchor(fragment string) error {
	if fragment != "" && !p.anchors[fragment] {
		return fmt.Errorf("%s has no heading #%s", p.source, fragment)
	}
	return nil
}

func isImage(name string) bool {
	return slices.Contains([]string{".svg", ".png", ".jpg", ".gif", ".webp"}, path.Ext(name))
}

func withFragment(link, fragment string) string {
	if fragment == "" {
		return link
	}
	return link + "#" + fragment
}

// relative is the link from one file of the site to another.
func relative(from, to string) string {
	link, err := filepath.Rel(filepath.FromSlash(path.Dir(from)), filepath.FromSlash(to))
	if err != nil { // of two relative names there is always one
		panic(err)
	}
	return filepath.ToSlash(link)
}
