package guide

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	linkText = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence    = regexp.MustCompile("(?ms)^```.*?^```$")
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks follows the links from one document to another, to the heading.
func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		for _, m := range linkText.FindAllStringSubmatch(prose(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = path.Join(path.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
			} else if anchor != "" && !anchors(prose(t, target))[anchor] {
				t.Errorf("%s: %s has no such heading", page, m[1])
			}
		}
	}
}

// prose is a document without its blocks of code.
func prose(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return fence.ReplaceAllString(string(text), "")
}

// anchors are the names that headings have for links.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		names[strings.ReplaceAll(strings.ToLower(notSlug.ReplaceAllString(m[1], "")), " ", "-")] = true
	}
	return names
}

func TestAnchors(t *testing.T) {
	got := anchors("# From and to net/http\n\n## Whose `Pool`?\n")
	if !got["from-and-to-nethttp"] || !got["whose-pool"] || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

// TestIndex: every page of the guide can be found from its first.
func TestIndex(t *testing.T) {
	index := prose(t, "docs/guide/README.md")
	for _, page := range pages(t) {
		if name, ok := strings.CutPrefix(page, "docs/guide/"); ok && name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/guide/README.md does not lead to %s", name)
		}
	}
}
