package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDependencies: docs/architecture.md has a reason for every module that this one
// imports from, and for no other.
func TestDependencies(t *testing.T) {
	var required []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v`).FindAllStringSubmatch(read(t, "go.mod"), -1) {
		required = append(required, m[1])
	}
	used := map[string]bool{}
	for _, name := range goFiles(t) {
		for _, imported := range importsOf(t, name) {
			i := slices.IndexFunc(required, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
			if i >= 0 {
				used[required[i]] = true
			}
		}
	}
	_, table, _ := strings.Cut(read(t, "docs/architecture.md"), "## Dependencies")
	table, _, _ = strings.Cut(table, "Nested modules")
	listed := map[string]bool{}
	for _, name := range found(table, `(?m)^\| (\S+\.\S+/\S+) \| \S`) {
		listed[name] = true
	}
	if diff := cmp.Diff(used, listed); diff != "" {
		t.Errorf("modules imported from, and those with a reason (-want +got)\n%s", diff)
	}
}

// goFiles lists all Go files of this module, tests included.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(name, "go.mod")); name != root && (err == nil || d.Name() == "testdata" || d.Name() == ".git") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			rel, _ := filepath.Rel(root, name)
			files = append(files, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
