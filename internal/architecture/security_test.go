package architecture

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lastRule is the highest number of a security rule. Rules 21 and 43 wait for what they are about.
const lastRule = 54

// TestSecurityPage: docs/security.md has a row for each security rule, with all of its tests, which
// exist, and each rule has a test.
func TestSecurityPage(t *testing.T) {
	page, tests := read(t, "docs/security.md"), testNames(t)
	rows := map[int]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \| .*$`).FindAllStringSubmatch(page, -1) {
		n, _ := strconv.Atoi(m[1])
		rows[n] = m[0]
	}
	for n := 1; n <= lastRule; n++ {
		own := fmt.Sprintf("TestRule%02d", n)
		named := regexp.MustCompile(`\bTest\w+`).FindAllString(rows[n], -1)
		if len(named) == 0 && n != 43 {
			t.Errorf("rule %d has no row, or no test in it", n)
		}
		for _, name := range tests {
			if strings.HasPrefix(name, own) && !slices.Contains(named, name) {
				t.Errorf("rule %d: the row does not name %s", n, name)
			}
		}
	}
	for _, name := range found(page, `\b(Test[A-Z]\w+)`) {
		if _, ok := slices.BinarySearch(tests, name); !ok {
			t.Errorf("the page names %s, and there is no such test", name)
		}
	}
}

// TestCheckedModules: the versions that were checked against advisories are those in use.
func TestCheckedModules(t *testing.T) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{if not (or .Main .Indirect)}}{{.Path}} | {{.Version}}{{end}}", "all")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skip("the modules in use cannot be listed, as there is no go command or no module cache: ", err)
	}
	page := read(t, "docs/security.md")
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(page, "| "+line+" |") {
			t.Errorf("%s is not on the page: check its advisories, then write it there with the date", line)
		}
	}
}
