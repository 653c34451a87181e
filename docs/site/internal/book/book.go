// Package book makes a web site of the documents of a tree.
//
//	documents   pages.go    which files are pages, and what they are called
//	            order.go    their order, which the indexes among them give
//	            links.go    where each link leads in the site
//	            render.go   Markdown to HTML
//	            search.go   the index that the search box reads
//	            frame.go    what stands around every page
package book

import (
	"errors"
	"io/fs"
)

// repository is where the files are that are not part of the site.
const repository = "https://github.com/mountable/requests"

// Build returns the files of the site by their slash-separated names. Its error names every
// link that leads nowhere.
func Build(tree fs.FS) (map[string][]byte, error) {
	pages, err := readPages(tree)
	if err != nil {
		return nil, err
	}
	book := arrange(pages)
	site, err := assets()
	if err != nil {
		return nil, err
	}
	l := linker{tree: tree, pages: pages, images: map[string]bool{}}
	var errs []error
	for i := range book.pages {
		errs = append(errs, book.write(site, i, &l))
	}
	for name := range l.images {
		image, err := fs.ReadFile(tree, name)
		site[name], errs = image, append(errs, err)
	}
	site["search-index.js"] = indexOf(book.pages).script()
	return site, errors.Join(errs...)
}

// write adds the ith page to the site, its links led to where they belong.
func (b *book) write(site map[string][]byte, i int, l *linker) error {
	p := b.pages[i]
	if err := l.rewrite(p); err != nil {
		return err
	}
	content, err := render(p)
	if err != nil {
		return err
	}
	site[p.target], err = b.frame(i, content)
	return err
}
