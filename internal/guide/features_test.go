package guide

import (
	"regexp"
	"strings"
	"testing"
)

// answers are what a cell of docs/features.md may say; ours has a link, where it is yes.
var (
	theirs = regexp.MustCompile(`^[YPN]$`)
	ours   = regexp.MustCompile(`^(\[Y\]\([^)\s]+\)|\[P\]\([^)\s]+\)|P|N)$`)
)

// TestFeatures: each row of docs/features.md names a capability and says who has it, and a Y of
// this library leads to where it is shown: TestLinks follows the links of all pages, this one's too.
func TestFeatures(t *testing.T) {
	rows, seen := 0, map[string]bool{}
	for line := range strings.Lines(prose(t, "docs/features.md")) {
		cells, isRow := row(line)
		if !isRow {
			continue
		}
		rows++
		if len(cells) != 6 || cells[0] == "" || seen[cells[0]] {
			t.Errorf("a row has a capability that no other has, and five answers: %s", line)
			continue
		}
		seen[cells[0]] = true
		if !ours.MatchString(cells[1]) {
			t.Errorf("%s: %q is neither N, nor P, nor a Y with a link", cells[0], cells[1])
		}
		for _, cell := range cells[2:] {
			if !theirs.MatchString(cell) {
				t.Errorf("%s: %q is not Y, P or N", cells[0], cell)
			}
		}
	}
	if rows == 0 {
		t.Error("docs/features.md has no rows")
	}
}

// row returns the cells of a row of a table that is not its head.
func row(line string) (cells []string, ok bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| capability |") {
		return nil, false
	}
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		cells = append(cells, strings.TrimSpace(cell))
	}
	return cells, true
}
