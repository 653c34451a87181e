package requests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// parityDir is where the recordings of Requests are.
func parityDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("PARITY_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("testdata", "parity")
}

// readVectors reads the cases of a recorded file.
func readVectors[T any](t testing.TB, file string) []T {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("not recorded here: %v", err)
	}
	var kind struct{ Cases []T }
	if err := json.Unmarshal(data, &kind); err != nil {
		t.Fatal(err)
	}
	return kind.Cases
}
