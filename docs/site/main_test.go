package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun: the site is written where it is asked for, folders and all.
func TestRun(t *testing.T) {
	tree, out := t.TempDir(), filepath.Join(t.TempDir(), "a", "b")
	if err := os.WriteFile(filepath.Join(tree, "README.md"), []byte("# Read me\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(tree, out); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil || !strings.Contains(string(page), "<h1>Read me</h1>") {
		t.Errorf("index.html: %v\n%s", err, page)
	}
}

// TestRunRefused: of a tree with a link that leads nowhere nothing is written.
func TestRunRefused(t *testing.T) {
	tree, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(filepath.Join(tree, "README.md"), []byte("# Read me\n\n[gone](gone.md)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(tree, out)
	if err == nil || !strings.Contains(err.Error(), `README.md: the link "gone.md"`) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}
