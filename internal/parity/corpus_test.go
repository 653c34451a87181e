package parity

import (
	"encoding/json"
	"testing"
)

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
