package toolbelt

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

// vector is a recorded case: In is decoded by each kind's test.
type vector[In any] struct {
	ID    string          `json:"id"`
	In    In              `json:"in"`
	Out   json.RawMessage `json:"out"`
	Error string          `json:"error"`
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
