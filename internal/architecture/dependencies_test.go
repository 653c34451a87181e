package architecture

import (
	"io/fs"
	"maps"
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
	direct, nested, _ := strings.Cut(table, "Nested modules")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(used)), found(direct, `(?m)^\| (\S+\.\S+/\S+) \| \S`)); diff != "" {
		t.Errorf("modules imported from, and those with a reason (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(nestedModules(t), found(nested, `(?m)^\| ([a-z0-9/]+) \| [^|]+ \| [^|]{9,}`)); diff != "" {
		t.Errorf("nested modules, and those with a reason (-want +got)\n%s", diff)
	}
}

// nestedModules lists the folders with a go.mod of their own, sorted.
func nestedModules(t *testing.T) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if err == nil && d.Name() == "go.mod" && filepath.Dir(name) != filepath.Clean(root) {
			rel, _ := filepath.Rel(root, filepath.Dir(name))
			folders = append(folders, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(folders)
	return folders
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
