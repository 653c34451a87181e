package toolbelt_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// openFiles lists what this process has open below dir.
func openFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && strings.HasPrefix(name, dir) {
			names = append(names, name)
		}
	}
	return slices.Clip(names)
}

// TestPanicClosesFiles: a file that a body has opened is closed when a monitor panics, or
// the writer it goes to.
func TestPanicClosesFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "big")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	rec := newReceiver(t, nil)
	monitored := func(after int64) *toolbelt.Monitor {
		m, err := toolbelt.MonitorFields([]toolbelt.Field{{Name: "f", Value: toolbelt.Path(path)}}, func(m *toolbelt.Monitor) {
			if m.BytesRead() > after {
				panic("boom")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ways := map[string]func(m *toolbelt.Monitor){
		"sent":    func(m *toolbelt.Monitor) { requests.Post(t.Context(), rec.URL, m) },
		"read":    func(m *toolbelt.Monitor) { io.ReadAll(plainReader{m}) },
		"written": func(m *toolbelt.Monitor) { m.WriteTo(io.Discard) },
	}
	for name, way := range ways {
		for _, after := range []int64{0, 1000, 300 << 10} {
			func() {
				defer func() {
					if v := recover(); v != "boom" {
						t.Errorf("%s: what came on is %v", name, v)
					}
				}()
				way(monitored(after))
			}()
			if left := openFiles(t, dir); len(left) > 0 {
				t.Fatalf("%s after %d bytes: open are %v", name, after, left)
			}
		}
	}
}
