package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	goFile = regexp.MustCompile(`[a-z0-9_/]+\.go\b`)
	folder = regexp.MustCompile(`internal/[a-z0-9]+`)
	quoted = regexp.MustCompile("`([A-Za-z]+)`")
)

// TestPage: the files that docs/architecture.md names are there, and in the table that
// says where things are, so are the functions and types in them.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		var texts []string
		dir := ""
		for _, name := range goFile.FindAllString(line, -1) {
			text, err := readFirst(name, filepath.Join(folder.FindString(line), name), filepath.Join(dir, name))
			if err != nil {
				t.Errorf("the page names %s, which is not there: %s", name, strings.TrimSpace(line))
				continue
			}
			if strings.Contains(name, "/") {
				dir = filepath.Dir(name)
			}
			texts = append(texts, string(text))
		}
		for _, name := range quoted.FindAllStringSubmatch(line, -1) {
			if len(texts) > 0 && !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, name[1]) }) {
				t.Errorf("none of the files of this line has %s: %s", name[1], strings.TrimSpace(line))
			}
		}
	}
}

// readFirst reads the first of the files that is there.
func readFirst(names ...string) (text []byte, err error) {
	for _, name := range names {
		if text, err = os.ReadFile(filepath.Join(root, name)); err == nil {
			break
		}
	}
	return text, err
}
