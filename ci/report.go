//go:build ignore

// report reads what `go test -json` writes, and says what came of it: a line for each package, the tallies that the
// drivers print, the number of tests, and last of all what each failing test printed. A log is often kept by its end
// alone, and its end is what one needs.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// event is a line of go test -json (go doc test2json). A line about a package has no Test.
type event struct{ Action, Package, Test, Output, ImportPath string }

// report keeps the output of each test until it is known to have passed.
type report struct {
	printed map[string]*strings.Builder
	count   map[string]int
	failed  []string
}

var tally = regexp.MustCompile(`^\w[\w./-]*: \d+ passed`)

func main() {
	r := report{printed: map[string]*strings.Builder{}, count: map[string]int{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Println("report:", err)
		os.Exit(1)
	}
	if !r.write(os.Stdout) {
		os.Exit(1)
	}
}

func (r *report) read(in io.Reader) error {
	for dec := json.NewDecoder(in); ; {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r.take(e)
	}
}

// take notes one event. The output of a build has an ImportPath and comes before the package fails.
func (r *report) take(e event) {
	name := e.Package + e.ImportPath + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		if tally.MatchString(e.Output) {
			fmt.Print(e.Output)
		}
		if r.printed[name] == nil {
			r.printed[name] = new(strings.Builder)
		}
		r.printed[name].WriteString(e.Output)
	case "pass", "skip":
		r.passed(name, e)
	case "fail", "build-fail":
		r.failed = append(r.failed, name)
		r.counted(e)
	}
}

func (r *report) passed(name string, e event) {
	delete(r.printed, name)
	r.counted(e)
	if e.Test == "" && e.Action == "pass" {
		fmt.Println("ok", e.Package)
	}
}

func (r *report) counted(e event) {
	if e.Test != "" {
		r.count[e.Action]++
	}
}

// write reports whether all is well. A race or a panic is printed by the package, or by a test that then never ends:
// what such tests printed stands before those that failed by themselves.
func (r *report) write(out io.Writer) bool {
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", r.count["pass"], r.count["fail"], r.count["skip"])
	if len(r.failed) == 0 {
		return true
	}
	failed := map[string]bool{}
	for _, name := range r.failed {
		failed[name] = true
	}
	for name, text := range r.printed {
		if !failed[name] && failed[strings.Fields(name)[0]+" "] {
			fmt.Fprintf(out, "\n== did not end: %s\n%s", name, cut(text.String()))
		}
	}
	for _, name := range r.failed {
		if text := r.printed[name]; text != nil {
			fmt.Fprintf(out, "\n== failed: %s\n%s", name, cut(text.String()))
		}
	}
	fmt.Fprintf(out, "\nfailed: %s\n", strings.Join(r.failed, ", "))
	return false
}

// cut keeps the beginning and the end of what a test printed: a stack of goroutines can be a megabyte.
func cut(s string) string {
	const most = 6000
	if len(s) <= most {
		return s
	}
	return s[:most/2] + "\n…\n" + s[len(s)-most/2:]
}
