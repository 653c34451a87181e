package architecture

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDifferences holds docs/differences.md to what it speaks of: the rules of the
// recorded cases, the fields of Policy, and the tests.
func TestDifferences(t *testing.T) {
	page := read(t, "docs/differences.md")
	cases := read(t, "testdata/parity/differences.txt")
	if diff := cmp.Diff(found(cases, `(?m)^# ([a-z0-9-]+): `), found(page, "(?m)^\\| `([a-z0-9-]+)` ● ")); diff != "" {
		t.Errorf("rules of differences.txt, and those with ● in the page (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(found(read(t, "policy.go"), `(?m)^\t([A-Z]\w+) bool$`), found(page, "(?m)^\\| `.*\\| `([A-Z]\\w+)` \\|$")); diff != "" {
		t.Errorf("fields of Policy, and those of the page (-want +got)\n%s", diff)
	}
	tests := testNames(t)
	for _, name := range found(page, `\b(Test[A-Z]\w+)`) {
		if _, ok := slices.BinarySearch(tests, name); !ok {
			t.Errorf("the page names %s, and there is no such test", name)
		}
	}
	rules := found(page, `(?m)^\| (\d+) \| .* \| .* \| .*\|$`)
	for _, name := range tests {
		m := regexp.MustCompile(`^TestRule0?(\d+)`).FindStringSubmatch(name)
		if m != nil && !slices.Contains(rules, m[1]) {
			t.Errorf("%s: the page has no security rule %s", name, m[1])
		}
	}
}

// TestOneRowForARule: a rule stands in the page once.
func TestOneRowForARule(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` ").FindAllStringSubmatch(read(t, "docs/differences.md"), -1) {
		if seen[m[1]] {
			t.Errorf("%s has two rows", m[1])
		}
		seen[m[1]] = true
	}
}

// found returns what the pattern's group matches, sorted, each once.
func found(text, pattern string) []string {
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		names[m[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// testNames lists the tests, and the fuzz targets, of the module and of those nested in it, sorted.
func testNames(t *testing.T) []string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found(all.String(), `(?m)^func ((?:Test|Fuzz)\w+)\(`)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
