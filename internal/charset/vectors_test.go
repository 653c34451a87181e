package charset

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
)

// vector is a case recorded from Python: in is what the function was given,
// out what it returned, err the exception it raised.
type vector struct {
	ID  string                     `json:"id"`
	In  map[string]json.RawMessage `json:"in"`
	Out json.RawMessage            `json:"out"`
	Err string                     `json:"error"`
}

func (v vector) text(name string) string {
	s, _ := value(v.In[name]).(string)
	return s
}

func (v vector) bytes(name string) []byte { return []byte(v.text(name)) }

// value reads a recorded value; bytes become strings.
func value(raw json.RawMessage) any {
	var x any
	_ = json.Unmarshal(raw, &x)
	return plain(x)
}

func plain(x any) any {
	switch x := x.(type) {
	case map[string]any:
		s, _ := x["b64"].(string)
		b, _ := base64.StdEncoding.DecodeString(s)
		return string(b)
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	}
	return x
}

// vectors runs f for each case of a kind.
func vectors(t *testing.T, kind string, f func(t *testing.T, v vector)) {
	t.Helper()
	for _, v := range cases.Recorded[vector](t, kind) {
		t.Run(v.ID, func(t *testing.T) { f(t, v) })
	}
}

// check compares a result with the recorded one; got is built of strings,
// slices and nil.
func check(t *testing.T, v vector, got any, err error) {
	t.Helper()
	if (v.Err != "") != (err != nil) {
		t.Fatalf("error %v, want %q", err, v.Err)
	}
	if diff := cmp.Diff(value(v.Out), normal(got)); err == nil && diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// normal brings a result into the form of value. JSON would not do: lines of
// bytes need not be UTF-8.
func normal(x any) any {
	out := []any{}
	switch x := x.(type) {
	case []string:
		for _, s := range x {
			out = append(out, s)
		}
	case [][2]string:
		for _, s := range x {
			out = append(out, []any{s[0], s[1]})
		}
	case []any:
		for _, s := range x {
			out = append(out, normal(s))
		}
	default:
		return x
	}
	return out
}

func orNil(s string, ok bool) any {
	if !ok {
		return nil
	}
	return s
}

func TestVectorsContentType(t *testing.T) {
	vectors(t, "get_encoding_from_headers", func(t *testing.T, v vector) {
		name, ok := Declared(v.text("content_type"))
		check(t, v, orNil(name, ok), nil)
	})
	vectors(t, "parse_content_type_header", func(t *testing.T, v vector) {
		mediaType, params := ParseContentType(v.text("value"))
		check(t, v, []any{mediaType, params}, nil)
	})
}

func TestVectorsGuessJSON(t *testing.T) {
	vectors(t, "guess_json_utf", func(t *testing.T, v vector) {
		name := GuessJSON(v.bytes("data"))
		check(t, v, orNil(name, name != ""), nil)
	})
}

func TestVectorsEncodingsFromContent(t *testing.T) {
	vectors(t, "get_encodings_from_content", func(t *testing.T, v vector) {
		check(t, v, EncodingsFromContent(v.text("content")), nil)
	})
	vectors(t, "toolbelt_get_encodings_from_content", func(t *testing.T, v vector) {
		got, err := EncodingsFromBytes(v.bytes("content"))
		check(t, v, got, err)
	})
}

func TestVectorsDetect(t *testing.T) {
	vectors(t, "apparent_encoding", func(t *testing.T, v vector) {
		check(t, v, Detect(v.bytes("content")), nil)
	})
}

func TestVectorsText(t *testing.T) {
	vectors(t, "response_text", func(t *testing.T, v vector) {
		name, ok := Declared(v.text("content_type"))
		if set, given := v.In["encoding"]; given {
			name, ok = v.text("encoding"), string(set) != "null"
		}
		check(t, v, Text(v.bytes("content"), name, ok), nil)
	})
	vectors(t, "get_unicode_from_response", func(t *testing.T, v vector) {
		got, err := TextFromHeader(v.bytes("content"), v.text("content_type"))
		check(t, v, got, err)
	})
	vectors(t, "toolbelt_get_unicode_from_response", func(t *testing.T, v vector) {
		got, err := TextFromContent(v.bytes("content"), v.text("content_type"))
		check(t, v, got, err)
	})
}

func TestVectorsDecodePieces(t *testing.T) {
	vectors(t, "iter_content", func(t *testing.T, v vector) {
		if v.Err != "" || string(v.In["decode_unicode"]) != "true" || v.In["chunks"] == nil {
			t.Skip("the recording is not about decoding a stream of pieces")
		}
		got, err := decodePieces(value(v.In["chunks"]).([]any), v)
		check(t, v, got, err)
	})
}

// decodePieces decodes chunks as iter_content does: no empty pieces.
func decodePieces(chunks []any, v vector) ([]string, error) {
	var pieces []string
	d, ok := NewDecoder(v.text("encoding"))
	if !ok && string(v.In["encoding"]) != "null" {
		return nil, ErrUnknown
	}
	add := func(s string) {
		if s != "" {
			pieces = append(pieces, s)
		}
	}
	for _, c := range chunks {
		if d == nil {
			add(c.(string))
			continue
		}
		add(d.Decode([]byte(c.(string)), false))
	}
	if d != nil {
		add(d.Decode(nil, true))
	}
	return pieces, nil
}

// lineDifferences are the recorded cases in which Requests' lines depend on
// where the chunks were cut, and the lines here.
var lineDifferences = map[string][]string{
	"iter_lines-015": {"a", "b"},     // \r | \n
	"iter_lines-016": {"a", "b"},     // the same, decoded
	"iter_lines-057": {"a", "b", ""}, // a delimiter at the end of a chunk
	"iter_lines-063": {"a", "b", ""},
	"iter_lines-064": {"a", "b", ""},
}

func TestVectorsLines(t *testing.T) {
	vectors(t, "iter_lines", func(t *testing.T, v vector) {
		if v.Err == "TypeError" {
			t.Skip("the delimiter is of a type that Go's does not allow")
		}
		pieces, err := value(v.In["chunks"]).([]any), error(nil)
		decoded := string(v.In["decode_unicode"]) == "true" && v.text("encoding") != ""
		chunks := []string{}
		for _, p := range pieces {
			chunks = append(chunks, p.(string))
		}
		if decoded {
			chunks, err = decodePieces(pieces, v)
		}
		got := lines(Delimiter(string(v.bytes("delimiter")), decoded), chunks)
		if want, differs := lineDifferences[v.ID]; differs {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return
		}
		check(t, v, got, err)
	})
}

// lines scans chunks, as text in UTF-8 or as bytes.
func lines(by *Separator, chunks []string) []string {
	s, got := new(Scanner), []string{}
	for _, c := range chunks {
		s.Came(copy(s.Room(len(c)), c))
		got = append(got, scanned(s, by)...)
	}
	s.End()
	return append(got, scanned(s, by)...)
}

// scanned are the lines that have come.
func scanned(s *Scanner, by *Separator) (got []string) {
	for {
		line, ok, err := scanLine(s, by, 0)
		if !ok || err != nil {
			return got
		}
		got = append(got, string(line))
	}
}

func scanLine(s *Scanner, by *Separator, limit int) ([]byte, bool, error) {
	if by.text {
		return s.TextLine("utf-8", by, limit)
	}
	return s.Line(by, limit)
}

// TestErrors tells the two ways decoding can fail apart.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		data, name string
		want       error
	}{
		{"x", "bogus", ErrUnknown},
		{"x", "base64", ErrUnknown},
		{"x", "", ErrUnknown},
		{"x", "a\x00b", ErrUnknown},
		{"\xe9", "utf-8", ErrMalformed},
		{"\xe9", "ascii", ErrMalformed},
		{"\x81", "cp1252", ErrMalformed},
		{"\x81", "shift_jis", ErrMalformed},
		{"\xe9", "idna", ErrMalformed},
		{"abc", "utf-16", ErrMalformed},
		{"é", "latin-1", nil},
		{"\ufffd", "utf-8", nil},
	} {
		if _, err := DecodeStrict([]byte(tt.data), tt.name); !errors.Is(err, tt.want) {
			t.Errorf("DecodeStrict(%q, %q): %v, want %v", tt.data, tt.name, err, tt.want)
		}
	}
}
