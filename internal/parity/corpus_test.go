package parity

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// corpus decodes a file of the public corpora. It skips the test where the folder is absent: it is not part of the module.
func corpus(t *testing.T, name string, into any) {
	t.Helper()
	path := filepath.Join(corporaDir(), name+".json")
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("no corpora at %s: name their folder in CORPORA_DIR", corporaDir())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// runCase runs one case of a corpus; a documented difference in testdata/parity/differences.txt may change what the
// case expects, which then replaces the case.
func runCase[C any](t *testing.T, tl *tally, file, id string, raw json.RawMessage, body func(t *testing.T, c C) string) {
	t.Helper()
	want, covered := expectation(t, id, decodeTree(t, raw))
	tl.run(t, file, id, covered, func(t *testing.T) string {
		changed, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var c C
		if err := json.Unmarshal(changed, &c); err != nil {
			t.Fatal(err)
		}
		return body(t, c)
	})
}

// caseID reads the id of a case.
func caseID(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var c struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.ID == "" {
		t.Fatalf("a case without id: %.100s", raw)
	}
	return c.ID
}
