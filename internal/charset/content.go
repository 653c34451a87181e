package charset

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// GuessJSON finds the encoding of JSON text from its byte order mark or from
// where the zero bytes of its first characters are (RFC 4627 section 3):
// utf-8, utf-8-sig, utf-16, utf-16-le, utf-16-be, utf-32, utf-32-le or
// utf-32-be, and "" where that pattern is none of these.
func GuessJSON(data []byte) string {
	head := data[:min(4, len(data))]
	switch {
	case string(head) == "\xff\xfe\x00\x00" || string(head) == "\x00\x00\xfe\xff":
		return "utf-32"
	case bytes.HasPrefix(head, utf8BOM):
		return "utf-8-sig"
	case bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "utf-16"
	}
	var zeros [4]byte // 1 where the byte is there and zero
	for i, c := range head {
		if c == 0 {
			zeros[i] = 1
		}
	}
	switch zeros {
	case [4]byte{}:
		return "utf-8"
	case [4]byte{1, 0, 1, 0}:
		return "utf-16-be"
	case [4]byte{0, 1, 0, 1}:
		return "utf-16-le"
	case [4]byte{1, 1, 1, 0}:
		return "utf-32-be"
	case [4]byte{0, 1, 1, 1}:
		return "utf-32-le"
	}
	return ""
}

// JSONEncoding finds the encoding of JSON text that is not plain UTF-8 from its byte order
// mark, or from where the zero bytes of its first character are: JSON begins with an
// ASCII character, and has no character U+0000 in it. It returns "" for anything else.
func JSONEncoding(data []byte) string {
	switch name := GuessJSON(data); {
	case name != "utf-8" && name != "":
		return name
	case len(data) < 2 || data[0] != 0 && data[1] != 0:
		return ""
	case len(data)%2 == 0 && data[0] == 0 && data[1] != 0:
		return "utf-16-be"
	case len(data)%2 == 0 && data[0] != 0:
		return "utf-16-le"
	}
	return ""
}

// JSONText returns the text of JSON in UTF-8, where the bytes or the encoding that is declared, ""
// for none, tell how to read it.
func JSONText(data []byte, declared string) (text []byte, ok bool) {
	if name := JSONEncoding(data); name != "" {
		if text, err := DecodeStrict(data, name); err == nil {
			return []byte(text), true
		}
	}
	return data, IsUTF8(declared) || declared == "" && utf8.Valid(data)
}

// XMLEncoding returns the encoding that the declaration of an XML document names, "" for none.
func XMLEncoding(data []byte) string {
	const longest = 1 << 10 // of a declaration that anybody means
	if found := xmlEncoding.FindSubmatch(data[:min(longest, len(data))]); found != nil {
		return string(found[1])
	}
	return ""
}

// IsUTF8 reports whether name stands for UTF-8 without a byte order mark.
func IsUTF8(name string) bool {
	return name == "utf-8" || strings.EqualFold(name, "utf-8") || canonical(name) == "utf_8"
}

// The places where a page names its own encoding. Matching is linear.
var (
	metaCharset = regexp.MustCompile(`(?i)<meta.*?charset=["']*(.+?)["'>]`)
	metaPragma  = regexp.MustCompile(`(?i)<meta.*?content=["']*;?charset=(.+?)["'>]`)
	xmlEncoding = regexp.MustCompile(`^<\?xml.*?encoding=["']*(.+?)["'>]`)
)

// EncodingsFromContent returns the encodings an HTML or XML text names: those
// of all <meta charset=…> first, then of <meta content="…charset=…">, then of
// an XML declaration at the very beginning; the same name may come twice.
func EncodingsFromContent(s string) []string {
	names := []string{}
	for _, re := range []*regexp.Regexp{metaCharset, metaPragma, xmlEncoding} {
		for _, m := range re.FindAllStringSubmatch(s, -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// EncodingsFromBytes is EncodingsFromContent for undecoded bytes. A name which
// is not UTF-8 itself is an error.
func EncodingsFromBytes(p []byte) ([]string, error) {
	names := EncodingsFromContent(string(p))
	for _, name := range names {
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("name of an encoding: %w", ErrMalformed)
		}
	}
	return names, nil
}

// TextFromHeader decodes content by the charset its Content-Type declares,
// strictly if possible, else with replacement; without a declared charset as
// UTF-8 with replacement. An unknown charset is an error (ErrUnknown). It is
// requests.utils.get_unicode_from_response.
func TextFromHeader(content []byte, contentType string) (string, error) {
	name := FromContentType(contentType)
	if name == "" {
		name = "utf-8"
	}
	return replaceOr(content, name)
}

// replaceOr decodes with replacement; strict decoding gives the same text
// wherever it gives one, except for idna, which has no other.
func replaceOr(content []byte, name string) (string, error) {
	if s, ok := Decode(content, name); ok {
		return s, nil
	}
	return DecodeStrict(content, name)
}

// TextFromContent decodes content by the charset its Content-Type declares;
// if it does not fit, by the first encoding named in the content that does;
// else by the declared charset with replacement, or as Text does without one.
// An unknown name met on the way is an error (ErrUnknown). It is
// requests_toolbelt.utils.deprecated.get_unicode_from_response.
func TextFromContent(content []byte, contentType string) (string, error) {
	declared := FromContentType(contentType)
	tried := map[string]bool{}
	if declared != "" {
		s, err := DecodeStrict(content, declared)
		if err == nil || isUnknown(err) {
			return s, err
		}
		tried[strings.ToLower(declared)] = true
	}
	names, err := EncodingsFromBytes(content)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if name = strings.ToLower(name); tried[name] {
			continue
		}
		s, err := DecodeStrict(content, name)
		if err == nil || isUnknown(err) {
			return s, err
		}
		tried[name] = true
	}
	if declared != "" {
		return replaceOr(content, declared)
	}
	name, ok := Declared(contentType)
	return Text(content, name, ok), nil
}
