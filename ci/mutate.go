//go:build ignore

// mutate applies the mutations of ci/mutations.txt, one at a time, in a copy of the tree, and
// runs the tests that have to notice. It fails where one survives or no longer applies.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

type mutation struct{ file, pkg, run, before, after string }

func main() {
	only := os.Getenv("ONLY")
	all, err := read("ci/mutations.txt")
	if err != nil {
		fail(err)
	}
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		fail(err)
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("sh", "-c", "git ls-files -z | xargs -0 cp --parents -t "+strconv.Quote(dir)).CombinedOutput(); err != nil {
		fail(fmt.Errorf("%s: %w", out, err))
	}
	bad := 0
	for i, m := range all {
		if only != "" && !strings.Contains(m.file, only) {
			continue
		}
		state := m.try(dir)
		fmt.Printf("%2d %-8s %s: %q\n", i+1, state, m.file, m.before)
		if state != "killed" {
			bad++
		}
	}
	fmt.Printf("%d of %d not killed\n", bad, len(all))
	if bad > 0 {
		os.RemoveAll(dir)
		os.Exit(1)
	}
}

func read(name string) (all []mutation, err error) {
	data, err := os.ReadFile(name)
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if line[0] == '#' || len(fields) != 5 {
			continue
		}
		before, err := strconv.Unquote(fields[3])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		after, err := strconv.Unquote(fields[4])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		all = append(all, mutation{fields[0], fields[1], fields[2], before, after})
	}
	return all, err
}

// try breaks the copy in one place, tests it, and mends it.
func (m *mutation) try(dir string) string {
	name := filepath.Join(dir, m.file)
	text, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(text), m.before) {
		return "GONE"
	}
	defer os.WriteFile(name, text, 0o644)
	if err := os.WriteFile(name, []byte(strings.Replace(string(text), m.before, m.after, 1)), 0o644); err != nil {
		fail(err)
	}
	test := exec.Command("go", "test", "-vet=off", "-failfast", "-timeout", "120s", "-run", m.run, m.pkg)
	test.Dir = dir
	out, err := test.CombinedOutput()
	switch {
	case err == nil:
		return "SURVIVED"
	case strings.Contains(string(out), "[build failed]"):
		return "BROKEN" // it does not compile, which says nothing
	}
	return "killed"
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
