package redirect

import "strings"

// Visited is the pages that have been given, by their URLs without the fragment.
type Visited map[string]bool

// Has reports whether the page at url has been given.
func (v Visited) Has(url string) bool { return v[pageOf(url)] }

// Visit notes the page at url, and reports whether it is a new one.
func (v Visited) Visit(url string) bool {
	known := v.Has(url)
	v[pageOf(url)] = true
	return !known
}

func pageOf(url string) string {
	page, _, _ := strings.Cut(url, "#")
	return page
}
