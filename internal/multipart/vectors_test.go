package multipart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
)

// vector is one recorded case; In holds Python values (see value).
type vector struct {
	ID    string
	In    map[string]json.RawMessage
	Out   json.RawMessage
	Error string
}

func unmarshal(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// value is a Python value: a text or bytes, a tuple or list, an open file, or something else (null, a number).
type value struct {
	null, isFile bool
	text         *string
	items        []value
	name         string
}

func (v *value) UnmarshalJSON(data []byte) error {
	var object struct {
		B64, File *[]byte
		Name      string
		Pos       int
		Tuple     []value
		Dict      []value
	}
	switch {
	case string(data) == "null":
		v.null = true
	case data[0] == '"':
		return json.Unmarshal(data, &v.text)
	case data[0] == '[':
		v.items = []value{}
		return json.Unmarshal(data, &v.items)
	case data[0] != '{':
		s := strings.Replace(string(data), "true", "True", 1)
		v.text = &s
	default:
		if err := json.Unmarshal(data, &object); err != nil {
			return err
		}
		v.items = append(object.Tuple, object.Dict...)
		v.name = object.Name
		if object.B64 != nil {
			s := string(*object.B64)
			v.text = &s
		}
		if object.File != nil {
			s := string((*object.File)[object.Pos:])
			v.text, v.isFile = &s, true
		}
	}
	return nil
}

func (v value) String() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

func TestVectorsHeaderParam(t *testing.T) {
	for _, c := range cases.Recorded[vector](t, "urllib3_multipart_header_param") {
		var name, val value
		unmarshal(t, c.In["name"], &name)
		unmarshal(t, c.In["value"], &val)
		if diff := cmp.Diff(c.Error != "", !utf8.ValidString(val.String())); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.ID, diff)
		}
		if c.Error != "" {
			continue
		}
		var want string
		unmarshal(t, c.Out, &want)
		if diff := cmp.Diff(want, FormatHeaderParam(name.String(), val.String())); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.ID, diff)
		}
	}
}

func TestVectorsGuessContentType(t *testing.T) {
	for _, c := range cases.Recorded[vector](t, "urllib3_guess_content_type") {
		var name value
		var want string
		unmarshal(t, c.In["filename"], &name)
		unmarshal(t, c.Out, &want)
		if diff := cmp.Diff(want, GuessContentType(name.String())); diff != "" {
			t.Errorf("%s %q (-want +got)\n%s", c.ID, name, diff)
		}
	}
}

// checkBody compares Encode, and the Reader's length, with a recorded body.
func checkBody(t *testing.T, c vector, boundary string, parts []Part) {
	t.Helper()
	got, err := Encode(boundary, parts)
	if c.Error != "" {
		if err == nil {
			t.Errorf("%s: got %q, want an error like %s", c.ID, got, c.Error)
		}
		return
	}
	var out struct {
		Body        value
		ContentType string `json:"content_type"`
	}
	unmarshal(t, c.Out, &out)
	if diff := cmp.Diff(out.Body.String(), string(got)); diff != "" || err != nil {
		t.Errorf("%s %v (-want +got)\n%s", c.ID, err, diff)
	}
	if r, err := NewReader(boundary, parts); err != nil || r.Len() != int64(len(got)) {
		t.Errorf("%s: length %d, want %d (%v)", c.ID, r.Len(), len(got), err)
	}
	if latin1(out.ContentType) != latin1(ContentType(boundary)) && utf8.ValidString(boundary) {
		t.Errorf("%s: %s", c.ID, ContentType(boundary))
	}
}

// TestVectorsEncodeMultipart does what urllib3's encode_multipart_formdata does around Encode.
func TestVectorsEncodeMultipart(t *testing.T) {
	for _, c := range cases.Recorded[vector](t, "urllib3_encode_multipart") {
		var fields, boundary value
		unmarshal(t, c.In["fields"], &fields)
		unmarshal(t, c.In["boundary"], &boundary)
		if c.Error != "" {
			continue // null content, and a boundary beyond latin-1: not expressible, and the caller's encoding
		}
		var parts []Part
		for _, f := range fields.items {
			p := Part{Name: f.items[0].String(), Content: []byte(f.items[1].String())}
			if t := f.items[1].items; len(t) > 0 {
				p = filePart(f.items[0].String(), t)
				if len(t) == 2 {
					p.ContentType = GuessContentType(p.Filename)
				}
			}
			parts = append(parts, p)
		}
		checkBody(t, c, latin1(boundary.String()), parts)
	}
}

func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// filePart makes a part of (filename, data[, type[, headers]]).
func filePart(name string, tuple []value) Part {
	p := Part{Name: name, Filename: tuple[0].String(), HasFilename: !tuple[0].null, Content: []byte(tuple[1].String())}
	if len(tuple) > 2 {
		p.ContentType = tuple[2].String()
	}
	if len(tuple) > 3 {
		for _, kv := range tuple[3].items {
			p.Header = append(p.Header, [2]string{kv.items[0].String(), kv.items[1].String()})
		}
	}
	return p
}

// TestVectorsEncodeFiles does what Requests' _encode_files does around Encode; errors about Python values are left out.
func TestVectorsEncodeFiles(t *testing.T) {
	for _, c := range cases.Recorded[vector](t, "requests_encode_files") {
		if c.Error != "" && c.Error != "UnicodeDecodeError" {
			continue
		}
		if c.ID == "requests_encode_files-067" {
			continue // CR LF in a content type is refused here: TestRule22
		}
		var files, data value
		unmarshal(t, c.In["files"], &files)
		unmarshal(t, c.In["data"], &data)
		checkBody(t, c, "BOUNDARY", slices.Concat(dataParts(data), fileParts(files)))
	}
}

func dataParts(data value) (parts []Part) {
	for _, kv := range data.items {
		values := kv.items[1].items
		if kv.items[1].text != nil {
			values = kv.items[1:2]
		}
		for _, v := range values {
			if len(v.items) > 0 {
				v = v.items[0] // iterating a dict gives its keys
			}
			if !v.null {
				parts = append(parts, Part{Name: kv.items[0].String(), Content: []byte(v.String())})
			}
		}
	}
	return parts
}

func fileParts(files value) (parts []Part) {
	for _, kv := range files.items {
		name, spec := kv.items[0].String(), kv.items[1]
		tuple := spec.items
		if tuple == nil {
			filename := name
			if spec.isFile && spec.name != "" && spec.name[0] != '<' && !strings.HasSuffix(spec.name, ">") {
				filename = filepath.Base(spec.name)
			}
			tuple = []value{{text: &filename}, spec}
		}
		if !tuple[1].null {
			parts = append(parts, filePart(name, tuple))
		}
	}
	return parts
}

// TestVectorsDecoder runs both splitters, the streamed one in odd pieces.
func TestVectorsDecoder(t *testing.T) {
	for _, c := range cases.Recorded[vector](t, "toolbelt_multipart_decoder") {
		switch c.Error {
		case "", "ImproperBodyPartContentException":
		default:
			continue // about the media type or the encoding: the caller's part
		}
		var content, contentType value
		unmarshal(t, c.In["content"], &content)
		unmarshal(t, c.In["content_type"], &contentType)
		var out struct {
			Boundary value
			Parts    []struct {
				Headers [][2]value
				Content value
			}
		}
		if c.Error == "" {
			unmarshal(t, c.Out, &out)
		}
		boundary := out.Boundary.String()
		want := []string{}
		if c.Error != "" {
			_, boundary, _ = strings.Cut(contentType.String(), "boundary=")
			want = []string{"error"}
		}
		for _, p := range out.Parts {
			want = append(want, fmt.Sprintf("%q %q", p.Headers, p.Content))
		}
		for name, got := range map[string][]string{
			"whole":    splitWhole(content.String(), boundary),
			"streamed": splitStreamed(content.String(), boundary, 1),
		} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s (-want +got)\n%s", c.ID, name, diff)
			}
		}
	}
}

func splitWhole(content, boundary string) []string {
	parts, err := SplitParts([]byte(content), boundary)
	if err != nil {
		return []string{"error"}
	}
	got := []string{}
	for _, p := range parts {
		got = append(got, fmt.Sprintf("%q %q", lastWins(p.Header()), p.Content))
	}
	return got
}

// lastWins makes Requests' case-insensitive mapping of fields.
func lastWins(fields [][2]string) (unique [][2]string) {
	for _, f := range fields {
		i := slices.IndexFunc(unique, func(u [2]string) bool { return strings.EqualFold(u[0], f[0]) })
		if i < 0 {
			unique = append(unique, f)
			continue
		}
		unique[i] = f
	}
	return unique
}

// splitStreamed gives the body in pieces of n bytes and reads the contents likewise.
func splitStreamed(content, boundary string, n int) []string {
	r := NewPartReader(&dribble{[]byte(content), n}, boundary)
	got := []string{}
	for {
		p, err := r.Next()
		if err != nil {
			if err == ErrNoBlankLine {
				return []string{"error"}
			}
			return got
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(&limited{p, n}); err != nil {
			return append(got, err.Error())
		}
		got = append(got, fmt.Sprintf("%q %q", lastWins(p.Header()), body.Bytes()))
	}
}
