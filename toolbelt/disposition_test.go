package toolbelt

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
)

// dispositionCase is a case of the corpus of Content-Disposition headers.
type dispositionCase struct {
	ID         string          `json:"id"`
	Value      string          `json:"value"`
	Encoding   string          `json:"header_encoding"`
	Expected   *string         `json:"expected_filename"`
	Either     []*string       `json:"either"`
	Attack     string          `json:"attack"`
	Properties json.RawMessage `json:"properties"`
}

func dispositionCases(t *testing.T) []dispositionCase {
	t.Helper()
	var file struct{ Cases []dispositionCase }
	cases.Corpus(t, "disposition.json", &file)
	return file.Cases
}

// header gives the bytes that came: the corpus has one character a byte.
func (c *dispositionCase) header() string {
	if c.Encoding != "latin1" {
		return c.Value
	}
	var raw []byte
	for _, r := range c.Value {
		raw = append(raw, byte(r))
	}
	return string(raw)
}

func TestDispositionCorpus(t *testing.T) {
	for _, c := range dispositionCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			name, ok := Filename(c.header())
			if c.Attack != "" {
				if safe, ok := SafeFilename(name); ok && checkSafe(safe) != "" {
					t.Errorf("%s: %q is saved as %q: %s", c.Attack, name, safe, checkSafe(safe))
				}
				return
			}
			var got *string
			if ok {
				got = &name
			}
			if c.Either == nil {
				c.Either = []*string{c.Expected}
			}
			if !slices.ContainsFunc(c.Either, func(want *string) bool { return cmp.Equal(want, got) }) {
				t.Errorf("%s (-want +got):\n%s", c.Value, cmp.Diff(c.Either, []*string{got}))
			}
		})
	}
}
