package parity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A tree is decoded JSON: map[string]any, []any, string, json.Number, bool, nil. Expectations and results are compared
// as trees, so that a difference is shown where it is.

func decodeTree(t *testing.T, raw []byte) any {
	t.Helper()
	var tree any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		t.Fatalf("decode %.200q: %v", raw, err)
	}
	return tree
}

// toTree turns a result made of ordinary Go values into a tree in normal form.
func toTree(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode result: %v", err)
	}
	return normalNumbers(decodeTree(t, raw))
}

// normalNumbers writes 1, 1.0 and 1e0 the same way.
func normalNumbers(tree any) any {
	return mapLeaves(tree, func(leaf any) any {
		n, ok := leaf.(json.Number)
		if !ok {
			return leaf
		}
		f, err := n.Float64()
		if err != nil {
			return leaf
		}
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	})
}

// mapLeaves returns a copy of tree with f applied to everything that is neither object nor list.
func mapLeaves(tree any, f func(any) any) any {
	switch tree := tree.(type) {
	case map[string]any:
		out := make(map[string]any, len(tree))
		for k, v := range tree {
			out[k] = mapLeaves(v, f)
		}
		return out
	case []any:
		out := make([]any, len(tree))
		for i, v := range tree {
			out[i] = mapLeaves(v, f)
		}
		return out
	}
	return f(tree)
}

// mapStrings applies f to every string of the tree, keys excluded.
func mapStrings(tree any, f func(string) string) any {
	return mapLeaves(tree, func(leaf any) any {
		if s, ok := leaf.(string); ok {
			return f(s)
		}
		return leaf
	})
}

// latin1 shows bytes as text with one character a byte, the notation of the recordings.
func latin1[T string | []byte](b T) string {
	var sb strings.Builder
	for i := range len(b) {
		sb.WriteRune(rune(b[i]))
	}
	return sb.String()
}

// unlatin1 is the way back: the bytes meant by such a text. Characters that are not bytes stay UTF-8.
func unlatin1(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		out = append(out, byte(r))
	}
	return string(out)
}

// isLatin1 tells whether a recorded text can stand in an HTTP field.
func isLatin1(s string) bool {
	for _, r := range s {
		if r > 0xff {
			return false
		}
	}
	return true
}

// unwrapBytes writes {"b64": ..} as text with one character a byte.
func unwrapBytes(tree any) any {
	switch tree := tree.(type) {
	case map[string]any:
		if b, ok := b64Value(tree); ok {
			return latin1(b)
		}
		out := make(map[string]any, len(tree))
		for k, v := range tree {
			out[k] = unwrapBytes(v)
		}
		return out
	case []any:
		out := make([]any, len(tree))
		for i, v := range tree {
			out[i] = unwrapBytes(v)
		}
		return out
	}
	return tree
}

func b64Value(object map[string]any) ([]byte, bool) {
	text, ok := object["b64"].(string)
	if !ok || len(object) != 1 {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil
}

// b64 is how results show bytes in the vectors.
func b64(b []byte) map[string]any {
	return map[string]any{"b64": base64.StdEncoding.EncodeToString(b)}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
