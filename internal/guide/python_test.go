package guide

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	namesBegin = regexp.MustCompile("^Names begin with `([a-z0-9_.A-Z]+)`\\.$")
	quoted     = regexp.MustCompile("`([^`]+)`")
	goName     = regexp.MustCompile(`\b(requests|adapters|toolbelt)\.([A-Z]\w*)`)
)

// TestPythonNames walks the public names of Requests, urllib3 and the toolbelt, which were read out of the packages, and
// finds each in docs/coming-from-requests.md; what stands beside them is exported.
func TestPythonNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "python-names.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(text))
	shown, used := pythonRows(t)
	for _, name := range want {
		if shown[name] == "" {
			t.Errorf("%s has no row", name)
		}
	}
	for name := range shown {
		if !slices.Contains(want, name) {
			t.Errorf("%s is not a name of these packages", name)
		}
	}
	exported := exportedNames(t)
	for _, name := range used {
		if !exported[name] {
			t.Errorf("%s is not exported", name)
		}
	}
	t.Logf("%d names", len(want))
}

// pythonRows returns what the page has for each name, and the names of Go it uses for that.
func pythonRows(t *testing.T) (shown map[string]string, used []string) {
	shown = map[string]string{}
	prefix := ""
	for line := range strings.Lines(prose(t, "docs/coming-from-requests.md")) {
		line = strings.TrimSpace(line)
		if m := namesBegin.FindStringSubmatch(line); m != nil {
			prefix = m[1]
		}
		names, beside, ok := strings.Cut(strings.Trim(line, "| "), " | ")
		if !ok || !strings.HasPrefix(line, "| `") {
			continue
		}
		for _, name := range quoted.FindAllStringSubmatch(names, -1) {
			if shown[prefix+name[1]] != "" {
				t.Errorf("%s%s has two rows", prefix, name[1])
			}
			shown[prefix+name[1]] = beside
		}
		used = append(used, goName.FindAllString(beside, -1)...)
	}
	return shown, used
}

// exportedNames reads the exported names out of the documentation of the three packages.
func exportedNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	releases, err := filepath.Glob(filepath.Join(root, "api", "*.txt"))
	if err != nil || len(releases) == 0 {
		t.Fatal("there is no list of the exported API")
	}
	line := regexp.MustCompile(`(?m)^(requests|adapters|toolbelt): (?:func|type|const|var) (\w+)`)
	for _, release := range releases {
		text, err := os.ReadFile(release)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			names[m[1]+"."+m[2]] = true
		}
	}
	return names
}
