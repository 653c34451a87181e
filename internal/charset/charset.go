// Package charset turns the bytes of a body into text the way Requests does:
// which charset a Content-Type declares or an HTML or XML page names, which one
// the bytes themselves suggest, and decoding by the names Python's codecs have,
// whole or piece by piece, with U+FFFD where Python puts it. It also splits
// text and bytes into lines.
//
// It does no I/O, keeps no state between calls, and is safe for concurrent use;
// a Decoder or Scanner belongs to one goroutine.
package charset

import (
	"iter"
	"strings"
	"unicode"

	"github.com/mountable/requests/internal/ascii"
)

// isSpace reports whether Python's str.strip removes the character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }

func isQuoteOrBlank(r rune) bool { return r == '"' || r == '\'' || r == ' ' }

// ParseContentType splits a Content-Type value into the media type, in the
// letter case it came in, and its parameters: names in lower case, values and
// names without the quotes and blanks around them, parameters without "="
// dropped, a repeated one in its first place with its last value. Like
// Requests, it knows no quoted strings: a semicolon always separates.
func ParseContentType(value string) (string, [][2]string) {
	mediaType, rest, _ := strings.Cut(value, ";")
	params := [][2]string{}
	index := map[string]int{}
	for name, val := range parameters(rest) {
		name = ascii.Lower(name)
		if i, ok := index[name]; ok {
			params[i][1] = val
			continue
		}
		index[name] = len(params)
		params = append(params, [2]string{name, val})
	}
	return strings.TrimFunc(mediaType, isSpace), params
}

// parameters are those of a Content-Type value, behind its media type.
func parameters(s string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for param := range strings.SplitSeq(s, ";") {
			name, value, ok := strings.Cut(strings.TrimFunc(param, isSpace), "=")
			if ok && !yield(strings.TrimFunc(name, isQuoteOrBlank), strings.TrimFunc(value, isQuoteOrBlank)) {
				return
			}
		}
	}
}

// FromContentType is Declared without its second result: "" when the value
// declares no charset, or an empty one.
func FromContentType(value string) string {
	name, _ := Declared(value)
	return name
}

// MediaType is the type and subtype of a Content-Type, in lower case.
func MediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// Declared returns the charset a Content-Type value stands for, and whether it
// stands for one: its charset parameter, which may be empty; ISO-8859-1 for
// types with "text" in them (RFC 2616 section 3.7.1, kept by Requests); utf-8
// for application/json. Types compare in their letter case.
func Declared(value string) (name string, ok bool) {
	mediaType, rest, _ := strings.Cut(value, ";")
	for param, val := range parameters(rest) {
		if ascii.EqualFold(param, "charset") {
			name, ok = strings.Trim(val, `'"`), true
		}
	}
	switch {
	case ok:
		return name, ok
	case strings.Contains(mediaType, "text"):
		return "ISO-8859-1", true
	case strings.Contains(mediaType, "application/json"):
		return "utf-8", true
	}
	return "", false
}
