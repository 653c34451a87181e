// Package cases finds the cases that tests compare with: what Requests, urllib3 and the
// toolbelt were recorded doing, and the conformance corpora of other people.
package cases

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Recordings are in the folder that PARITY_DIR names, else in the module. The
// reference cases, which have no counterpart in the public API, are not part of the
// module, and looked for beside it.
func recordings() []string {
	if dir := os.Getenv("PARITY_DIR"); dir != "" {
		return []string{dir}
	}
	return []string{filepath.Join(moduleRoot(), "testdata", "parity"), filepath.Join(moduleRoot(), "..", "shared", "parity")}
}

// RecordedDir is the folder of the recordings that belong to the module, or what
// PARITY_DIR says.
func RecordedDir() string { return recordings()[0] }

// CorporaDir is the folder that CORPORA_DIR names, else one beside the module.
func CorporaDir() string {
	if dir := os.Getenv("CORPORA_DIR"); dir != "" {
		return dir
	}
	return filepath.Join(moduleRoot(), "..", "shared", "corpora")
}

// moduleRoot is the directory of go.mod, in or above the working directory: tests run in that
// of their package.
func moduleRoot() string {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return "."
}

// Recorded returns the recorded cases of a kind, of which there is at least one. It skips the
// test of a reference kind where those are not.
func Recorded[C any](t testing.TB, kind string) []C {
	t.Helper()
	var paths []string
	for _, dir := range recordings() {
		for _, folder := range []string{"vectors", "reference"} {
			paths = append(paths, filepath.Join(dir, folder, kind+".json"))
		}
	}
	var file struct{ Cases []C }
	if !decode(t, &file, paths...) {
		t.Skipf("the recordings of %s are not part of the module: PARITY_DIR names the folder that has them", kind)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s: no cases", kind)
	}
	return file.Cases
}

// Corpus decodes a file of the conformance corpora. It skips the test where they are not.
func Corpus(t testing.TB, name string, into any) {
	t.Helper()
	if !decode(t, into, filepath.Join(CorporaDir(), name)) {
		t.Skipf("%s is of other people, and not part of the module: CORPORA_DIR names the folder of their cases", name)
	}
}

// decode decodes the first file that exists, and reports whether one does.
func decode(t testing.TB, into any, paths ...string) bool {
	t.Helper()
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return true
	}
	return false
}
