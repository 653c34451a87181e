package architecture

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mutation is a row of ci/mutations.txt with the tests that have to notice it.
type mutation struct {
	file, pkg, before string
	run               *regexp.Regexp
	tests             []string
}

// TestMutations: each row of ci/mutations.txt breaks a place that there is, and names tests that
// there are; each security rule and each fault of section E is broken by a row that names its tests.
func TestMutations(t *testing.T) {
	all := mutations(t)
	for _, m := range all {
		if !strings.Contains(read(t, m.file), m.before) {
			t.Errorf("%s no longer has %q", m.file, m.before)
		}
		if len(m.tests) == 0 {
			t.Errorf("%s: no test of %s is named by %q", m.file, m.pkg, m.run)
		}
	}
	for n := 1; n <= lastRule; n++ {
		if own := regexp.MustCompile(fmt.Sprintf("^TestRule%02d", n)); !areBroken(all, own) {
			t.Errorf("rule %d is broken by no row", n)
		}
	}
	for _, f := range faults(t) {
		own := regexp.MustCompile("^(" + strings.Join(f.tests, "|") + ")$")
		if strings.HasPrefix(f.row, "E") && f.row != "E8" && !areBroken(all, own) { // E8 is about the tests themselves
			t.Errorf("%s is broken by no row", f.row)
		}
	}
}

// areBroken reports whether a row names one of the tests that own matches. Rows that name every
// test, or those of every rule, count for none of them.
func areBroken(all []mutation, own *regexp.Regexp) bool {
	return slices.ContainsFunc(all, func(m mutation) bool {
		return !m.run.MatchString("TestRule00") && slices.ContainsFunc(m.tests, own.MatchString)
	})
}

func mutations(t *testing.T) (all []mutation) {
	t.Helper()
	for line := range strings.Lines(read(t, "ci/mutations.txt")) {
		if strings.HasPrefix(line, "#") || line == "\n" {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 5 {
			t.Fatalf("%d fields, not 5: %s", len(fields), line)
		}
		before, err := strconv.Unquote(fields[3])
		if err != nil {
			t.Fatalf("%s: %v", fields[3], err)
		}
		m := mutation{fields[0], fields[1], before, regexp.MustCompile(fields[2]), nil}
		for _, name := range packageTests(t, m.pkg) {
			if m.run.MatchString(name) {
				m.tests = append(m.tests, name)
			}
		}
		all = append(all, m)
	}
	return all
}

// packageTests lists the tests and the fuzz targets of the package in dir.
func packageTests(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		all.WriteString(read(t, filepath.Join(dir, filepath.Base(name))))
	}
	return found(all.String(), `(?m)^func ((?:Test|Fuzz)\w+)\(`)
}
