package parity

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/mountable/requests/internal/multipart"
)

var _ = register(map[string]vectorFunc{
	"urllib3_encode_multipart":       encodeMultipart,
	"urllib3_multipart_header_param": headerParam,
	"urllib3_guess_content_type":     func(_ *testing.T, in input) (any, error) { return multipart.GuessContentType(in.text("filename")), nil },
	"urllib3_header_param_rfc2231":   func(*testing.T, input) (any, error) { return nil, cannot("urllib3's deprecated RFC 2231 parameters") },
	"guess_filename":                 guessFilename,
})

var errNotUTF8 = errors.New("not UTF-8")

func headerParam(_ *testing.T, in input) (any, error) {
	value, _, _ := in.textOrBytes("value")
	if !utf8.Valid(value) {
		return nil, errNotUTF8
	}
	return multipart.FormatHeaderParam(in.text("name"), string(value)), nil
}

// encodeMultipart does around Encode what urllib3's encode_multipart_formdata does: it guesses types.
func encodeMultipart(t *testing.T, in input) (any, error) {
	entries, err := typedEntries(in.typed(t, "fields"))
	if err != nil {
		return nil, err
	}
	var parts []multipart.Part
	for _, e := range entries {
		name, err := pythonText(e[0])
		if err != nil {
			return nil, err
		}
		part, err := urllib3Part(name, e[1])
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if !isLatin1(in.text("boundary")) {
		return nil, errors.New("a boundary is Latin-1")
	}
	body, err := multipart.Encode(unlatin1(in.text("boundary")), parts)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"body":         b64(body),
		"content_type": latin1(multipart.ContentType(unlatin1(in.text("boundary")))),
	}, nil
}

func urllib3Part(name string, v any) (multipart.Part, error) {
	part := multipart.Part{Name: name}
	items, ok := sequence(v)
	if !ok {
		return part, partContent(&part, v)
	}
	if len(items) < 2 || len(items) > 3 {
		return part, cannot("a file tuple of %d items", len(items))
	}
	filename, _ := items[0].(string)
	part.Filename, part.HasFilename = filename, items[0] != nil
	part.ContentType = multipart.GuessContentType(filename)
	if len(items) == 3 {
		text, ok := items[2].(string)
		if !ok {
			return part, cannot("a content type that is %T", items[2])
		}
		part.ContentType = text
	}
	return part, partContent(&part, items[1])
}

func partContent(part *multipart.Part, v any) error {
	text, err := pythonText(v)
	part.Content = []byte(text)
	return err
}

// guessFilename shows what name a part with an opened file gets.
func guessFilename(t *testing.T, in input) (any, error) {
	name, ok := in.typed(t, "name").(string)
	if !ok {
		return nil, cannot("a file whose name is %v", in.fields["name"])
	}
	f := &fileValue{content: []byte("x"), name: name}
	got, err := partFilename(t, f)
	return orNull(got, got != "field"), err
}
