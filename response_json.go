package requests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/secret"
)

// JSON decodes the body into v, which must be a pointer. UTF-16, UTF-32 and a byte order
// mark are told by the bytes, whatever charset is declared; other text is decoded by
// Encoding, or as detected where that is empty. A body that is not JSON is
// [ErrJSONDecode], whose text shows how the body begins, secrets masked.
func (r *Response) JSON(v any) error {
	text, err := r.jsonText()
	if err != nil {
		return err
	}
	return r.unmarshal(text, v)
}

// jsonText returns the body in UTF-8.
func (r *Response) jsonText() ([]byte, error) {
	content, err := r.Content()
	if err != nil {
		return nil, err
	}
	if name := charset.JSONEncoding(content); name != "" {
		if text, err := charset.DecodeStrict(content, name); err == nil {
			return []byte(text), nil
		}
	}
	if charset.IsUTF8(r.Encoding) || r.Encoding == "" && utf8.Valid(content) {
		return content, nil
	}
	text, err := r.Text()
	return []byte(text), err
}

func (r *Response) unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*json.InvalidUnmarshalError](err); ok {
		return &Error{Kind: ErrInvalidArgument, Request: r.Request, Response: r, Err: err, Detail: fmt.Sprintf("JSON decodes into a pointer, not into a %T", v)}
	}
	return r.jsonError(data, err)
}

// jsonError says what was there instead of JSON.
func (r *Response) jsonError(data []byte, err error) error {
	e := &Error{Kind: ErrJSONDecode, Request: r.Request, Response: r, Err: err}
	if len(data) == 0 {
		e.Detail = fmt.Sprintf("the body is empty (%d)", r.StatusCode)
		return e
	}
	e.Detail = "the body is not the JSON that was expected"
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		e.Detail = fmt.Sprintf("the body is not JSON: line %d, offset %d", line, syntax.Offset)
	}
	contentType := r.Headers.Get("Content-Type")
	e.Detail += fmt.Sprintf(" (%d, Content-Type %.100q, it begins with %q)", r.StatusCode, contentType, secret.Excerpt(contentType, data))
	return e
}
