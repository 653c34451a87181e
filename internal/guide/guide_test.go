package guide

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// pages lists the documents of the module.
func pages(t *testing.T) []string {
	t.Helper()
	list := []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
	for _, pattern := range []string{"docs/*.md", "docs/guide/*.md", "docs/releases/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("no pages: %s, %v", pattern, err)
		}
		for _, name := range names {
			page, _ := filepath.Rel(root, name)
			list = append(list, filepath.ToSlash(page))
		}
	}
	return list
}

// TestGuide compiles every Go block of the documents in one go, and then runs those
// behind a line "<!-- run -->" in a program that serves httpbin to them.
//
// A block is a whole program, or the body of a function
//
//	func(ctx context.Context, s *requests.Session, url string) error
//
// where s is a fresh session and url that of a local httpbin. The comment behind a
// fmt.Println says what it prints, with "…" for what varies.
func TestGuide(t *testing.T) {
	var blocks []block
	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, blocksOf(page, string(text))...)
	}
	program := build(t, blocks)
	runnable := 0
	for _, b := range blocks {
		if !b.run {
			continue
		}
		runnable++
		t.Run(b.name(), func(t *testing.T) { runBlock(t, program, b) })
	}
	fmt.Printf("TestGuide: %d blocks compiled, %d run\n", len(blocks), runnable)
}

func runBlock(t *testing.T, program string, b block) {
	cmd := exec.Command(program, b.name())
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", b.name(), err, out)
	} else if line := missing(b.outputs(), string(out)); line != "" {
		t.Errorf("%s: the page says that this prints %q, it printed\n%s", b.name(), line, out)
	}
}

// build compiles the blocks as a program of this module without writing into its
// tree, and returns the program.
func build(t *testing.T, blocks []block) string {
	dir := t.TempDir()
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]string{}
	add := func(folder, name, source string) {
		real := filepath.Join(dir, strings.ReplaceAll(folder, "/", "_")+name)
		if err := os.WriteFile(real, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(absolute, "internal", "guide", folder, name)] = real
	}
	targets := []string{"./internal/guide/blocks"}
	for _, b := range blocks {
		source, err := b.source()
		if err != nil {
			t.Fatalf("%s: %v\n%s", b.name(), err, b.code)
		}
		if b.whole() {
			add(b.name(), "main.go", source)
			targets = append(targets, "./internal/guide/"+b.name())
			continue
		}
		add("blocks", b.name()+".go", source)
	}
	add("blocks", "main.go", mainSource(blocks))
	mapping, _ := json.Marshal(map[string]any{"Replace": overlay})
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, mapping, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "bin") + string(filepath.Separator)
	cmd := exec.Command("go", append([]string{"build", "-overlay", file, "-o", out}, targets...)...)
	cmd.Dir = absolute
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the blocks do not compile: %v\n%s", err, bytes.ReplaceAll(text, []byte(dir), nil))
	}
	return filepath.Join(out, "blocks")
}

// mainSource is the program that runs one block against an httpbin of its own.
func mainSource(blocks []block) string {
	var b strings.Builder
	b.WriteString(`package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"

	"github.com/mccutchen/go-httpbin/v2/httpbin"
	"github.com/mountable/requests"
)

var blocks = map[string]func(context.Context, *requests.Session, string) error{
`)
	for _, block := range blocks {
		if !block.whole() {
			fmt.Fprintf(&b, "\t%q: %s,\n", block.name(), block.name())
		}
	}
	b.WriteString(`}

func main() {
	server := httptest.NewServer(httpbin.New(httpbin.WithUnsafeAllowDangerousResponses()))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	if err := blocks[os.Args[1]](context.Background(), s, server.URL); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
`)
	return b.String()
}
