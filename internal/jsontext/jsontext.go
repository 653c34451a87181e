// Package jsontext writes JSON as Requests does, and says where text is not JSON.
package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mountable/requests/internal/secret"
)

// Encode returns v as JSON in ASCII: the text says the same to a server that takes it for
// Latin-1. Characters of HTML stay as they are.
func Encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escape(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

// escape escapes what is not ASCII, which in JSON only stands in strings.
func escape(text []byte) []byte {
	first := bytes.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
	if first < 0 {
		return text
	}
	out := append(make([]byte, 0, 2*len(text)), text[:first]...)
	for _, r := range string(text[first:]) {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, "\\u%04x", unit)
		}
	}
	return out
}

// Diagnose says in words what is there instead of the JSON that was expected: the body of a
// response of this status and Content-Type, at which err came up. Secrets are masked.
func Diagnose(text Text, err error, status int, contentType string) string {
	if len(text.Data) == 0 {
		return fmt.Sprintf("the body is empty (%d)", status)
	}
	what, where := "the body is not the JSON that was expected", text.where()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		what = "the body is not JSON"
		if where == "" {
			where = fmt.Sprintf(": line %d", 1+bytes.Count(text.Data[:min(int(syntax.Offset), len(text.Data))], []byte("\n")))
		}
		where += fmt.Sprintf(", offset %d", syntax.Offset)
	}
	begins := secret.Excerpt(contentType, text.Data)
	if text.What != "" {
		return what + where + fmt.Sprintf(" (%d, Content-Type %.100q, the %s begins with %q)", status, contentType, text.What, begins)
	}
	return what + where + fmt.Sprintf(" (%d, Content-Type %.100q, it begins with %q)", status, contentType, begins)
}

// where names the place of a text in its stream.
func (t Text) where() string {
	if t.What == "" {
		return ""
	}
	return fmt.Sprintf(": %s %d", t.What, t.N)
}
