package parity

import (
	"testing"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/fieldvalue"
)

var _ = register(map[string]vectorFunc{
	"get_encoding_from_headers":  encodingFromHeaders,
	"parse_content_type_header":  contentTypeHeader,
	"guess_json_utf":             guessJSON,
	"get_encodings_from_content": encodingsFromContent,
	"toolbelt_get_encodings_from_content": func(_ *testing.T, in input) (any, error) {
		return orEmpty(charset.EncodingsFromBytes(in.bytes("content")))
	},
	"apparent_encoding":                  apparentEncodingOf,
	"get_unicode_from_response":          unicodeFromResponse(charset.TextFromHeader),
	"toolbelt_get_unicode_from_response": unicodeFromResponse(charset.TextFromContent),
	"parse_header_links":                 headerLinks,
	"parse_list_header":                  listHeader,
	"parse_dict_header":                  dictHeader,
	"unquote_header_value":               unquoteHeader,
})

// orNull shows text that may be absent.
func orNull(s string, ok bool) any {
	if !ok {
		return nil
	}
	return s
}

// orEmpty shows no items as an empty list.
func orEmpty(items []string, err error) (any, error) {
	return append([]string{}, items...), err
}

func encodingFromHeaders(_ *testing.T, in input) (any, error) {
	name, ok := charset.Declared(unlatin1(in.text("content_type")))
	return orNull(latin1(name), ok), nil
}

func contentTypeHeader(_ *testing.T, in input) (any, error) {
	mediaType, params := charset.ParseContentType(unlatin1(in.text("value")))
	return []any{latin1(mediaType), latin1Pairs(params)}, nil
}

func guessJSON(_ *testing.T, in input) (any, error) {
	name := charset.GuessJSON(in.bytes("data"))
	return orNull(name, name != ""), nil
}

func encodingsFromContent(_ *testing.T, in input) (any, error) {
	return orEmpty(charset.EncodingsFromContent(in.text("content")), nil)
}

// apparentEncodingOf compares encodings, not their spelling: "UTF-8-SIG" and "utf-8-sig" are one.
func apparentEncodingOf(_ *testing.T, in input) (any, error) {
	return charset.Detect(in.bytes("content")), nil
}

func unicodeFromResponse(f func([]byte, string) (string, error)) vectorFunc {
	return func(_ *testing.T, in input) (any, error) {
		return f(in.bytes("content"), unlatin1(in.text("content_type")))
	}
}

func headerLinks(_ *testing.T, in input) (any, error) {
	out := []any{}
	for _, link := range fieldvalue.ParseLinks(unlatin1(in.text("value"))) {
		out = append(out, latin1Pairs(link))
	}
	return out, nil
}

func listHeader(_ *testing.T, in input) (any, error) {
	out := []string{}
	for _, item := range fieldvalue.ParseList(unlatin1(in.text("value"))) {
		out = append(out, latin1(item))
	}
	return out, nil
}

func dictHeader(_ *testing.T, in input) (any, error) {
	out := []any{}
	for _, p := range fieldvalue.ParseDict(unlatin1(in.text("value"))) {
		out = append(out, []any{latin1(p.Name), orNull(latin1(p.Value), p.HasValue)})
	}
	return out, nil
}

func unquoteHeader(_ *testing.T, in input) (any, error) {
	if !in.present("value") {
		return nil, cannot("no value at all")
	}
	return latin1(fieldvalue.Unquote(unlatin1(in.text("value")), in.bool("is_filename"))), nil
}
