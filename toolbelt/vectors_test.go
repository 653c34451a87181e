package toolbelt

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vector is a recorded case: In is decoded by each kind's test.
type vector[In any] struct {
	ID    string          `json:"id"`
	In    In              `json:"in"`
	Out   json.RawMessage `json:"out"`
	Error string          `json:"error"`
}

// vectors reads the recorded cases of a kind.
func vectors[In any](t *testing.T, kind string) []vector[In] {
	t.Helper()
	dir := os.Getenv("PARITY_DIR")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "parity")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "vectors", kind+".json"))
	if os.IsNotExist(err) {
		t.Skipf("no vectors of the kind %s here: set PARITY_DIR", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector[In] }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// out decodes what was recorded.
func (v *vector[In]) out(t *testing.T, to any) {
	t.Helper()
	if err := json.Unmarshal(v.Out, to); err != nil {
		t.Fatal(err)
	}
}

// recordedBytes are bytes, as base64 or as text.
type recordedBytes []byte

func (b *recordedBytes) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*b = recordedBytes(text)
		return nil
	}
	var coded struct{ B64 string }
	if err := json.Unmarshal(raw, &coded); err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(coded.B64)
	*b = data
	return err
}
