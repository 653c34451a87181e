package coding

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestNewWriter: what is written in a coding is read again.
func TestNewWriter(t *testing.T) {
	for _, name := range []string{"gzip", "zstd", "br"} {
		for _, text := range []string{"", "a", strings.Repeat("text ", 50000)} {
			var coded bytes.Buffer
			w, err := NewWriter(name, &coded)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			r, err := NewReader(&coded, []string{name}, Limits{MaxRatio: Unlimited})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); string(got) != text || err != nil || r.Close() != nil {
				t.Errorf("%s of %d bytes: %d bytes, %v", name, len(text), len(got), err)
			}
		}
	}
	for _, name := range []string{"", "lzw", "GZIP", "identity"} {
		if _, err := NewWriter(name, io.Discard); err == nil {
			t.Errorf("%q", name)
		}
	}
}
