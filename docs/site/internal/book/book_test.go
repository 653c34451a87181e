package book

import (
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// files is a tree of small documents. A name without text is an empty file.
func files(pairs ...string) fstest.MapFS {
	tree := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		tree[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return tree
}

// ownSite is the site of this repository, for all tests. The pages are outside this module, where
// the go command does not see them change: after a change to one, test with -count=1.
var ownSite = sync.OnceValues(func() (map[string][]byte, error) { return Build(os.DirFS("../../../..")) })

// TestTree: the documents of this repository become a site.
func TestTree(t *testing.T) {
	site, err := ownSite()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.html", "CHANGELOG.html", "SECURITY.html", "docs/architecture.html", "docs/guide/index.html", "docs/guide/quickstart.html", "docs/performance.svg", "style.css", "search.js", "search-index.js"} {
		if len(site[name]) == 0 {
			t.Errorf("the site has no %s", name)
		}
	}
}

// TestSameEachTime: the same tree gives the same bytes.
func TestSameEachTime(t *testing.T) {
	tree := files("README.md", "# Read me\n\n```go\nvar MaxRetries, MaxLine int\n```\n", "docs/guide/README.md", "# Guide\n\n## One\n\n## Two\n")
	first, err := Build(tree)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, _ := Build(tree)
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatalf("-first +again\n%s", diff)
		}
	}
}

// TestOrder: the README, what the indexes lead to under their headings, and the rest.
func TestOrder(t *testing.T) {
	pages, err := readPages(files(
		"README.md", "# Read me",
		"SECURITY.md", "# Security",
		"docs/README.md", "# Book\n\n[the guide](guide/README.md)\n\n## Beyond\n\n[why](why.md) [security](../SECURITY.md) [code](../main.go)",
		"docs/why.md", "# Why",
		"docs/lost.md", "# Lost",
		"docs/guide/README.md", "# Guide\n\n## First steps\n\n- [b](b.md#part), [a](a.md)\n- [b again](b.md)\n",
		"docs/guide/a.md", "# A",
		"docs/guide/b.md", "# B\n\n## Part\n",
		"docs/site/notes.md", "# Not a document",
		"adapters/README.md", "# Nor is this",
	))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range arrange(pages).sections {
		for _, p := range s.pages {
			got = append(got, s.title+": "+p.title)
		}
	}
	want := []string{"Start: Read me", "Start: Book", "Start: Guide", "First steps: B", "First steps: A", "Beyond: Why", "Beyond: Security", "The repository: Lost"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestRefused: what cannot be a page of the site is an error that names it.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"No title\n", "README.md: does not begin with a title"},
		{"# A\n\n<img src='x.png'>\n", "README.md: has HTML"},
		{"# A\n\nOne <b>word</b>\n", "README.md: has HTML"},
		{"# A\n\n<!-- a --> <img src='x.png'> <!-- b -->\n", "README.md: has HTML"},
		{"# A\n\n```klingon\nnuqneH\n```\n", `code in "klingon": no such language`},
		{"# A\n\n![](x.png)\n", "has no text that stands for it"},
		{"# A\n\n[b](b.md) [c](c.md)\n", `the link "b.md": there is no such file`},
		{"# A\n\n[b](b.md) [c](c.md)\n", `the link "c.md": there is no such file`},
	} {
		_, err := Build(files("README.md", c.text, "x.png", ""))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

// TestAnchors: headings are called as on GitHub.
func TestAnchors(t *testing.T) {
	p, err := parse("a.md", []byte("# From and to net/http\n\n## Whose `Pool`?\n\n## a_b-c\n\n### Twice\n\n### Twice\n\n## [A link](x.md) & more\n\n<!-- run -->\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a-link--more", "a_b-c", "from-and-to-nethttp", "twice", "twice-1", "whose-pool"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(p.anchors))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if p.title != "From and to net/http" {
		t.Errorf("title %q", p.title)
	}
}
