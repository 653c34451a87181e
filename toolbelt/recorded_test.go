package toolbelt_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/toolbelt"
)

// vector is one recorded case.
type vector struct {
	ID    string
	In    map[string]any
	Out   any
	Error string
}

// vectors runs f for each recorded case of a kind.
func vectors(t *testing.T, kind string, f func(t *testing.T, v vector)) {
	t.Helper()
	for _, v := range cases.Recorded[vector](t, kind) {
		t.Run(v.ID, func(t *testing.T) { f(t, v) })
	}
}

// text reads a string, or bytes.
func text(v any) string {
	if object, ok := v.(map[string]any); ok {
		encoded, _ := object["b64"].(string)
		b, _ := base64.StdEncoding.DecodeString(encoded)
		return string(b)
	}
	s, _ := v.(string)
	return s
}

// pairs reads a list of pairs, or a mapping.
func pairs(v any) [][]any {
	if object, ok := v.(map[string]any); ok {
		v = object["dict"]
	}
	var out [][]any
	items, _ := v.([]any)
	for _, item := range items {
		pair, _ := item.([]any)
		out = append(out, pair)
	}
	return out
}

// recordedContent makes a value of a Field; a file is a reader.
func recordedContent(v any) any {
	object, ok := v.(map[string]any)
	switch {
	case !ok:
		return v
	case object["file"] != nil:
		b, _ := base64.StdEncoding.DecodeString(object["file"].(string))
		return bytes.NewReader(b)
	case object["b64"] != nil:
		return []byte(text(v))
	}
	return v
}

// recordedField makes a Field of a recorded pair; ok is false where Go's types rule
// it out.
func recordedField(pair []any) (f toolbelt.Field, ok bool) {
	if len(pair) != 2 {
		return f, false
	}
	f.Name = text(pair[0])
	spec, isTuple := pair[1].([]any)
	if object, ok := pair[1].(map[string]any); ok && object["tuple"] != nil {
		spec, isTuple = object["tuple"].([]any), true
	}
	if !isTuple {
		f.Value = recordedContent(pair[1])
		return f, true
	}
	if len(spec) < 2 || len(spec) > 4 {
		return f, false
	}
	f.Filename, f.HasFilename = text(spec[0]), spec[0] != nil
	f.Value = recordedContent(spec[1])
	if len(spec) > 2 {
		f.ContentType = text(spec[2])
	}
	if len(spec) > 3 {
		for _, kv := range pairs(spec[3]) {
			f.Headers.Add(text(kv[0]), text(kv[1]))
		}
	}
	return f, true
}

func recordedFields(v any) (fields []toolbelt.Field, ok bool) {
	if v == nil || text(v) != "" {
		return nil, false
	}
	for _, pair := range pairs(v) {
		f, ok := recordedField(pair)
		if !ok {
			return nil, false
		}
		fields = append(fields, f)
	}
	return fields, true
}

// unlikePython gives the reason why a recorded case of an encoder is different here.
func unlikePython(v vector) string {
	in, _ := json.Marshal(v.In["fields"])
	switch {
	case bytes.Contains(in, []byte(`"pos"`)):
		return "a reader is read from where it stands"
	case bytes.Contains(in, []byte(`"textfile"`)):
		return "text files are no Go type"
	case v.In["encoding"] != nil:
		return "the caller chooses the encoding of a string"
	case strings.ContainsFunc(text(v.In["boundary"]), func(r rune) bool { return r > 0x7e }):
		return "a boundary must be one of RFC 2046"
	case slices.Contains(sizes(v), -2):
		return "a negative count cannot be read"
	}
	return ""
}

// sizes are those of the recorded reads.
func sizes(v vector) (n []float64) {
	reads, _ := v.In["reads"].([]any)
	for _, size := range reads {
		f, _ := size.(float64)
		n = append(n, f)
	}
	return n
}

// newEncoder makes the encoder of a recorded case, nil where it is another's matter.
func newEncoder(t *testing.T, v vector) *toolbelt.MultipartEncoder {
	t.Helper()
	if reason := unlikePython(v); reason != "" {
		t.Skip(reason)
	}
	fields, ok := recordedFields(v.In["fields"])
	if !ok {
		if v.Error == "" {
			t.Fatal("the case cannot be expressed, but Python had no error")
		}
		return nil
	}
	e, err := toolbelt.NewMultipartEncoder(fields, toolbelt.Boundary(text(v.In["boundary"])))
	if v.Error == "" && err != nil {
		t.Fatal(err)
	}
	if v.Error != "" && v.Error != "TypeError" && err == nil {
		t.Fatalf("no error where Python has %s", v.Error)
	}
	return e
}

func TestVectorsMultipartEncoder(t *testing.T) {
	vectors(t, "toolbelt_multipart_encoder", func(t *testing.T, v vector) {
		e := newEncoder(t, v)
		if e == nil {
			return
		}
		out := v.Out.(map[string]any)
		want := text(out["body"])
		got := map[string]any{"content_type": e.ContentType(), "len": float64(e.Len())}
		for name, read := range readers {
			b, err := read(e)
			if diff := cmp.Diff(want, string(b)); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
			}
			if n, err := e.Read(make([]byte, 5)); n != 0 || err != io.EOF {
				t.Errorf("%s: at the end Read gives %d, %v", name, n, err)
			}
			if err := e.Rewind(); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string]any{"content_type": out["content_type"], "len": out["len"]}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// readers are ways to read a body to its end.
var readers = map[string]func(r io.Reader) ([]byte, error){
	"Read(1)":    inPieces(1),
	"Read(7)":    inPieces(7),
	"Read(1024)": inPieces(1024),
	"ReadAll":    io.ReadAll,
	"WriteTo": func(r io.Reader) ([]byte, error) {
		var b strings.Builder // no io.ReaderFrom
		_, err := io.Copy(&b, r)
		return []byte(b.String()), err
	},
	"Buffer": func(r io.Reader) ([]byte, error) {
		var b bytes.Buffer
		_, err := r.(io.WriterTo).WriteTo(&b)
		return b.Bytes(), err
	},
}

// inPieces reads n bytes at a time and checks that no read but the last is short.
func inPieces(n int) func(r io.Reader) ([]byte, error) {
	return func(r io.Reader) ([]byte, error) {
		var all []byte
		piece := make([]byte, n)
		for {
			m, err := r.Read(piece)
			all = append(all, piece[:m]...)
			if err == io.EOF {
				return all, nil
			}
			if err == nil && m < n {
				if m, err := r.Read(piece); m != 0 || err != io.EOF {
					return all, io.ErrShortBuffer
				}
				return all, nil
			}
			if err != nil {
				return all, err
			}
		}
	}
}

func TestVectorsEncoderReads(t *testing.T) {
	vectors(t, "toolbelt_encoder_reads", func(t *testing.T, v vector) {
		if v.Error != "" {
			t.Skip("Python refuses a size that is not a number; that of a read is an int in Go, and the compiler refuses others")
		}
		e := newEncoder(t, v)
		var got []any
		for _, size := range sizes(v) {
			chunk := readSize(t, e, size)
			got = append(got, map[string]any{
				"chunk":    map[string]any{"b64": base64.StdEncoding.EncodeToString(chunk)},
				"finished": e.Finished(),
				"len":      float64(e.Len()),
			})
		}
		if diff := cmp.Diff(v.Out, any(got)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// readSize does what read(size) does, -1 being everything.
func readSize(t *testing.T, r io.Reader, size float64) []byte {
	t.Helper()
	if size < 0 {
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := make([]byte, int(size))
	n, err := r.Read(b)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return b[:n]
}

func TestVectorsMonitor(t *testing.T) {
	vectors(t, "toolbelt_monitor", func(t *testing.T, v vector) {
		calls := []any{}
		m := toolbelt.NewMonitor(newEncoder(t, v), func(m *toolbelt.Monitor) {
			calls = append(calls, float64(m.BytesRead()))
		})
		var body []byte
		for _, size := range sizes(v) {
			if size < 0 {
				size = 1 << 10 // one read of everything
			}
			body = append(body, readSize(t, m, size)...)
		}
		got := map[string]any{
			"len":          float64(m.Len()),
			"content_type": m.ContentType(),
			"calls":        calls,
			"body":         map[string]any{"b64": base64.StdEncoding.EncodeToString(body)},
		}
		if diff := cmp.Diff(v.Out, any(got)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestVectorsMultipartDecoder(t *testing.T) {
	vectors(t, "toolbelt_multipart_decoder", func(t *testing.T, v vector) {
		d, err := toolbelt.NewMultipartDecoder([]byte(text(v.In["content"])), text(v.In["content_type"]), text(v.In["encoding"]))
		if v.Error != "" {
			if err == nil {
				t.Errorf("no error where Python has %s", v.Error)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{"boundary": b64(d.Boundary), "parts": []any{}}
		for _, p := range d.Parts {
			got["parts"] = append(got["parts"].([]any), shownPart(p))
		}
		if diff := cmp.Diff(v.Out, any(got)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func b64(s string) any {
	return map[string]any{"b64": base64.StdEncoding.EncodeToString([]byte(s))}
}

func shownPart(p *toolbelt.BodyPart) any {
	headers := []any{}
	for _, h := range p.Headers {
		headers = append(headers, []any{b64(h[0]), b64(h[1])})
	}
	content, err := p.Text()
	if err != nil {
		content = "!UnicodeDecodeError"
	}
	return map[string]any{"headers": headers, "content": b64(string(p.Content)), "text": content}
}
