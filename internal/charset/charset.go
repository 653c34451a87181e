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
	mediaType, rest, more := strings.Cut(value, ";")
	params := [][2]string{}
	index := map[string]int{}
	for more {
		var param string
		param, rest, more = strings.Cut(rest, ";")
		name, val, ok := strings.Cut(strings.TrimFunc(param, isSpace), "=")
		if !ok {
			continue
		}
		name = ascii.Lower(strings.TrimFunc(name, isQuoteOrBlank))
		val = strings.TrimFunc(val, isQuoteOrBlank)
		if i, ok := index[name]; ok {
			params[i][1] = val
			continue
		}
		index[name] = len(params)
		params = append(params, [2]string{name, val})
	}
	return strings.TrimFunc(mediaType, isSpace), params
}

// FromContentType is Declared without its second result: "" when the value
// declares no charset, or an empty one.
func FromContentType(value string) string {
	name, _ := Declared(value)
	return name
}

// Declared returns the charset a Content-Type value stands for, and whether it
// stands for one: its charset parameter, which may be empty; ISO-8859-1 for
// types with "text" in them (RFC 2616 section 3.7.1, kept by Requests); utf-8
// for application/json. Types compare in their letter case.
func Declared(value string) (name string, ok bool) {
	mediaType, params := ParseContentType(value)
	for _, p := range params {
		if p[0] == "charset" {
			return strings.Trim(p[1], `'"`), true
		}
	}
	switch {
	case strings.Contains(mediaType, "text"):
		return "ISO-8859-1", true
	case strings.Contains(mediaType, "application/json"):
		return "utf-8", true
	}
	return "", false
}
