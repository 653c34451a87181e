// Pictures draws the pictures of the documentation, each from what the library itself says: the
// mounts of a Session, the pauses of a Retry, the limits of Timeouts, the decisions of ExplainProxy,
// the tree of Kinds and the output of the quickstart. Run it where go.mod is, after a change to any of these:
//
//	go run ./docs/pictures
//
// A test compares the files with what this draws.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// pictures are the files of docs/pictures, and what draws them. Each reads the tree at root.
var pictures = []struct {
	name string
	draw func(root string) (*picture, error)
}{
	{"request.svg", drawRequest},
	{"mounts.svg", drawMounts},
	{"retries.svg", drawRetries},
	{"timeouts.svg", drawTimeouts},
	{"proxies.svg", drawProxies},
	{"errors.svg", drawErrors},
	{"quickstart.svg", drawQuickstart},
}

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// write draws all pictures into the tree at root.
func write(root string) error {
	for _, p := range pictures {
		drawn, err := p.draw(root)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(root, "docs", "pictures", p.name), drawn.svg(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
