// Compare runs the comparison of package bench in rounds, each client of each work once a
// round, and writes what came of it: bench/results.txt, and from that the table of
// docs/performance.md and docs/performance.svg. It is run in the folder bench.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	results = "results.txt"
	page    = "../docs/performance.md"
	chart   = "../docs/performance.svg"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each work is done with each client")
	draw := flag.Bool("draw", false, "measure nothing, and write the table and the chart of "+results)
	flag.Parse()
	var err error
	if !*draw {
		err = run(*rounds)
	}
	if err == nil {
		err = write()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run measures.
func run(rounds int) error {
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	text := []byte(machine())
	for round := range rounds {
		for _, w := range works {
			cmd := exec.Command(binary, "-test.run", "^$", "-test.bench", "^BenchmarkCompare$/^"+w.name+"$", "-test.benchtime", w.times)
			cmd.Env = append(os.Environ(), fmt.Sprint("BENCH_ROUND=", round))
			out, err := cmd.CombinedOutput()
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", w.name, err, out)
			}
			fmt.Fprintln(os.Stderr, "round", round+1, w.name)
			text = append(text, lines(out)...)
		}
		if err := os.WriteFile(results, text, 0o644); err != nil { // what has been measured so far
			return err
		}
	}
	return nil
}

// lines are those of benchmarks.
func lines(out []byte) (kept []byte) {
	for line := range bytes.Lines(out) {
		if bytes.HasPrefix(line, []byte("Benchmark")) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// machine describes what is measured, and on what.
func machine() string {
	var b strings.Builder
	fmt.Fprintf(&b, "date: %s\ngo: %s %s/%s, %d processors\n", time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	modules, _ := exec.Command("go", "list", "-m", "github.com/valyala/fasthttp", "github.com/gofiber/fiber/v3", "github.com/go-resty/resty/v2",
		"resty.dev/v3", "github.com/carlmjohnson/requests", "github.com/dghubble/sling").Output()
	for line := range strings.Lines(string(modules)) {
		b.WriteString("peer: " + line)
	}
	return b.String()
}

// write makes the table and the chart of the results.
func write() error {
	data, err := os.ReadFile(results)
	if err != nil {
		return err
	}
	r := parse(string(data))
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text, err = r.into(text)
	if err == nil {
		err = os.WriteFile(page, text, 0o644)
	}
	if err == nil {
		err = os.WriteFile(chart, r.draw(), 0o644)
	}
	return err
}
