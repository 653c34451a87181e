//go:build ignore

// mutate applies the mutations of ci/mutations.txt one at a time, as an overlay of the build, and
// runs the tests that have to notice. It fails where one survives, no longer applies or does not
// compile, and where the tests fail without it: those notice nothing.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type mutation struct {
	line                          int
	file, pkg, run, before, after string
}

func main() {
	all, err := read("ci/mutations.txt")
	if err != nil {
		fail(err)
	}
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		fail(err)
	}
	defer os.RemoveAll(dir)
	tried, bad := 0, 0
	for _, m := range all {
		if !m.chosen(os.Args[1:]) {
			continue
		}
		tried++
		start := time.Now()
		state := m.try(dir)
		fmt.Printf("%3d %-8s %4.0fs %s: %q\n", m.line, state, time.Since(start).Seconds(), m.file, m.before)
		if state != "killed" {
			bad++
		}
	}
	fmt.Printf("%d of %d not killed\n", bad, tried)
	if bad > 0 {
		os.RemoveAll(dir)
		os.Exit(1)
	}
}

// chosen reports whether m is among those asked for: by its line, or by a part of its file's
// name or of the names of its tests.
func (m *mutation) chosen(asked []string) bool {
	for _, part := range asked {
		n, err := strconv.Atoi(part)
		if n == m.line || err != nil && (strings.Contains(m.file, part) || strings.Contains(m.run, part)) {
			return true
		}
	}
	return len(asked) == 0
}

func read(name string) (all []mutation, err error) {
	data, err := os.ReadFile(name)
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if line[0] == '#' || line == "\n" {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 5 {
			return nil, fmt.Errorf("line %d has %d fields, not 5", n, len(fields))
		}
		before, err := strconv.Unquote(fields[3])
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n, fields[3], err)
		}
		after, err := strconv.Unquote(fields[4])
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n, fields[4], err)
		}
		all = append(all, mutation{n, fields[0], fields[1], fields[2], before, after})
	}
	return all, err
}

// try builds the tests with one place broken and runs them, and without it.
func (m *mutation) try(dir string) string {
	text, err := os.ReadFile(m.file)
	if err != nil || !strings.Contains(string(text), m.before) {
		return "GONE"
	}
	whole := filepath.Join(dir, strings.ReplaceAll(m.pkg, "/", "_")+".test") // one for all of a package
	if _, err := os.Stat(whole); err != nil {
		if out, err := m.build(whole); err != nil {
			fail(fmt.Errorf("%s: %w", out, err))
		}
	}
	if out, err := m.test(whole); err != nil || strings.Contains(out, "no tests to run") {
		fmt.Print(out)
		return "UNTESTED"
	}
	overlay, err := m.overlay(dir, string(text))
	if err != nil {
		fail(err)
	}
	broken := filepath.Join(dir, "broken.test")
	if out, err := m.build(broken, "-overlay", overlay); err != nil {
		fmt.Print(out)
		return "BROKEN"
	}
	if _, err := m.test(broken); err == nil {
		return "SURVIVED"
	}
	return "killed"
}

// overlay writes what has the go command see the broken file instead of the whole one.
func (m *mutation) overlay(dir, text string) (string, error) {
	broken, list := filepath.Join(dir, filepath.Base(m.file)), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(broken, []byte(strings.Replace(text, m.before, m.after, 1)), 0o644); err != nil {
		return "", err
	}
	whole, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{whole: broken}})
	if err != nil {
		return "", err
	}
	return list, os.WriteFile(list, replace, 0o644)
}

func (m *mutation) build(binary string, flags ...string) (string, error) {
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}, flags...)
	build := exec.Command("go", append(args, ".")...)
	build.Dir = m.pkg // the package may be one of a nested module
	out, err := build.CombinedOutput()
	return string(out), err
}

// test runs the tests in 8 GB: without a bound in it, the library takes what there is.
func (m *mutation) test(binary string) (string, error) {
	test := exec.Command("sh", "-c", `ulimit -v 8000000; exec "$0" "$@"`, binary, "-test.failfast", "-test.timeout=120s", "-test.run", m.run)
	test.Dir = m.pkg
	out, err := test.CombinedOutput()
	return string(out), err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
