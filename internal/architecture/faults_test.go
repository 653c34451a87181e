package architecture

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fault is a line of testdata/faults.txt.
type fault struct {
	row, change string
	tests       []string
}

func faults(t *testing.T) (all []fault) {
	t.Helper()
	text, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.SplitN(line, "|", 3)
		if len(parts) != 3 {
			t.Fatalf("not a row: %q", line)
		}
		all = append(all, fault{strings.TrimSpace(parts[0]), strings.TrimSpace(parts[1]), strings.Fields(parts[2])})
	}
	return all
}

// TestFaults: each fault of the first version is held by tests that exist, and the changelog
// says what became of it.
func TestFaults(t *testing.T) {
	changes, err := os.ReadFile(root + "/CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	known := testNames(t)
	var rows []string
	for _, f := range faults(t) {
		rows = append(rows, f.row)
		if len(f.tests) == 0 {
			t.Errorf("%s: no test holds it", f.row)
		}
		for _, name := range f.tests {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no %s", f.row, name)
			}
		}
		if f.change != "-" && !strings.Contains(string(changes), f.change) {
			t.Errorf("%s: CHANGELOG.md does not say %q", f.row, f.change)
		}
	}
	var want []string
	for section, n := range map[string]int{"A": 11, "B": 8, "C": 28, "D": 5, "E": 14} {
		for i := range n {
			want = append(want, fmt.Sprint(section, i+1))
		}
	}
	if diff := cmp.Diff(sorted(want), sorted(rows)); diff != "" {
		t.Errorf("the rows (-want +got)\n%s", diff)
	}
}

// TestFaultsFound: where the list of what was found is at hand, it has the same rows.
func TestFaultsFound(t *testing.T) {
	text, err := os.ReadFile(root + "/../shared/FAULTS.md")
	if err != nil {
		t.Skip("the list of faults found is not part of the module, and testdata/faults.txt has its rows: ", err)
	}
	var found, rows []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \|`).FindAllStringSubmatch(string(text), -1) {
		found = append(found, m[1])
	}
	for _, f := range faults(t) {
		if f.row[0] != 'D' { // these have no numbers there
			rows = append(rows, f.row)
		}
	}
	if diff := cmp.Diff(sorted(found), sorted(rows)); diff != "" {
		t.Errorf("the rows (-found +listed)\n%s", diff)
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
