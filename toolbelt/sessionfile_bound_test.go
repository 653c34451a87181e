package toolbelt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestSessionFileBound: a session's file may have so many bytes, and not one more.
func TestSessionFileBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session")
	s := requests.NewSession()
	defer s.Close()
	if err := SaveSession(s, path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]bool{}
	for beyond := -1; beyond <= 1; beyond++ {
		padded := append(text, bytes.Repeat([]byte(" "), maxSessionFile+beyond-len(text))...)
		if err := os.WriteFile(path, padded, 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := LoadSession(path)
		if got[beyond] = err == nil; err == nil {
			loaded.Close()
		} else if !errors.Is(err, requests.ErrFile) {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(map[int]bool{-1: true, 0: true, 1: false}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
