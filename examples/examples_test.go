package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newcomers are the ten tasks that people new to a package have, a program each.
var newcomers = strings.Fields("getjson postjson login pages upload download retry oauth2 proxy weather")

// programs is the folder of the programs, built once for all tests.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "examples"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	if out, err := exec.Command("go", "build", "-o", programs+string(filepath.Separator), "./...").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// program is one run of a program.
type program struct {
	dir string   // where it runs; a folder of its own if empty
	env []string // besides the path
}

// run runs a program and returns what it wrote to standard output, and how it ended.
func (p program) run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, name), args...)
	if cmd.Dir = p.dir; cmd.Dir == "" {
		cmd.Dir = t.TempDir()
	}
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}, p.env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
}

// prints runs a program that should succeed, and compares what it prints.
func (p program) prints(t *testing.T, want, name string, args ...string) {
	t.Helper()
	out, err := p.run(t, name, args...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

// fails runs a program that should fail, and looks for what it says of that.
func (p program) fails(t *testing.T, want, name string, args ...string) {
	t.Helper()
	if _, err := p.run(t, name, args...); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}

// lines counts the lines of the Go files of a folder.
func lines(t *testing.T, dir string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no program (%v)", dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(text), "\n")
	}
	return n
}

// TestUsage: a program without its arguments says which it needs.
func TestUsage(t *testing.T) {
	for _, name := range strings.Fields("getjson postjson login pages upload download retry oauth2 proxy tutorial apiclient crawler daemon events") {
		program{}.fails(t, "usage: ", name)
		program{}.fails(t, name+" ", name)
	}
}

// TestShort: the ten programs have under 400 lines together, and that of the tutorial under 60.
func TestShort(t *testing.T) {
	n := 0
	for _, dir := range newcomers {
		n += lines(t, dir)
	}
	if tutorial := lines(t, "tutorial"); n >= 400 || tutorial >= 60 {
		t.Errorf("the ten programs have %d lines, that of the tutorial %d", n, tutorial)
	}
}

// TestTutorialPage: the blocks of docs/tutorial.md are the program, piece by piece and in its order.
func TestTutorialPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "tutorial.md"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join("tutorial", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(source), "url string) error {\n")
	var pieces []string
	for _, block := range strings.Split(string(page), "```go\n")[1:] {
		code, _, _ := strings.Cut(block, "```")
		pieces = append(pieces, code)
	}
	body = strings.TrimSuffix(body, "\treturn nil\n}\n")
	if diff := cmp.Diff(strings.ReplaceAll("\n"+body, "\n\t", "\n"), "\n"+strings.Join(pieces, "\n")); diff != "" {
		t.Errorf("docs/tutorial.md (-program +page)\n%s", diff)
	}
}
