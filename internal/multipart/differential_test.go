package multipart

import (
	"bytes"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"unicode"
)

// FuzzMimeReads has mime/multipart read what is written here: one part, whole, under its names.
func FuzzMimeReads(f *testing.F) {
	f.Add("field", "file.txt", "a/b", []byte("content"))
	f.Add("a\"b\\", "c\xffd.txt", "", []byte("\r\n--"))
	f.Fuzz(func(t *testing.T, name, filename, contentType string, content []byte) {
		boundary := NewBoundary()
		body, err := Encode(boundary, []Part{{Name: name, Filename: filename, HasFilename: true, ContentType: contentType, Content: content}})
		if err != nil || strings.ContainsFunc(name+filename+contentType, unicode.IsControl) {
			return // controls other than line ends are sent, and mime/multipart does not read them
		}
		r := multipart.NewReader(bytes.NewReader(body), boundary)
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		got, err := io.ReadAll(part)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%q became %q, %v", content, got, err)
		}
		if part, err := r.NextRawPart(); err != io.EOF {
			t.Errorf("%q has a second part: %v, %v", body, part, err)
		}
	})
}

// FuzzMimeWrites reads here what mime/multipart has written.
func FuzzMimeWrites(f *testing.F) {
	f.Add("field", "file.txt", []byte("content"), []byte("more"))
	f.Add("\"\\", "\r\n", []byte("\r\n--"), []byte(""))
	f.Fuzz(func(t *testing.T, name, filename string, first, second []byte) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		one, err := w.CreateFormFile(name, filename)
		if err != nil {
			return
		}
		_, _ = one.Write(first)
		two, err := w.CreateFormField(name)
		if err != nil {
			return
		}
		_, _ = two.Write(second)
		w.Close()
		parts, err := SplitParts(b.Bytes(), w.Boundary())
		if err != nil || len(parts) != 2 || !bytes.Equal(parts[0].Content, first) || !bytes.Equal(parts[1].Content, second) {
			t.Errorf("%q became %q, %v", b.Bytes(), parts, err)
		}
	})
}
