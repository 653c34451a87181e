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
	os.RemoveAll(dir)
	fmt.Printf("%d of %d not killed\n", bad, tried)
	if bad > 0 {
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

// try builds the tests with one place broken and runs them, and without it, which the go
// command remembers from one run to the next.
func (m *mutation) try(dir string) string {
	text, err := os.ReadFile(m.file)
	if err != nil || !strings.Contains(string(text), m.before) {
		return "GONE"
	}
	if out, err := m.test(); err != nil || strings.Contains(out, "no tests to run") {
		fmt.Print(out)
		return "UNTESTED"
	}
	broken := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(broken, []byte(strings.Replace(string(text), m.before, m.after, 1)), 0o644); err != nil {
		fail(err)
	}
	whole, err := filepath.Abs(m.file)
	if err != nil {
		fail(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{whole: broken}})
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644); err != nil {
		fail(err)
	}
	out, err := m.test("-overlay", filepath.Join(dir, "overlay.json"))
	switch {
	case err == nil:
		return "SURVIVED"
	case strings.Contains(out, "[build failed]"):
		fmt.Print(out)
		return "BROKEN"
	}
	return "killed"
}

func (m *mutation) test(flags ...string) (string, error) {
	args := append([]string{"test", "-vet=off", "-ldflags=-s -w", "-failfast", "-timeout", "120s", "-run", m.run}, flags...)
	out, err := exec.Command("go", append(args, m.pkg)...).CombinedOutput()
	return string(out), err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
