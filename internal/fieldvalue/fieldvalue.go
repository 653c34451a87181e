// Package fieldvalue reads the values of header fields that are lists: of
// items, of name=value pairs (authentication challenges), of links. Servers
// write these values, so every function takes any text, in linear time.
package fieldvalue

import (
	"strings"
	"unicode"

	"github.com/mountable/requests/internal/ascii"
)

// Pair is an item of a list with its name and value. An item without "=" has
// a name only.
type Pair struct {
	Name, Value string
	HasValue    bool
}

// ParseList splits a value at the commas outside of quoted strings. Blanks
// around an item are dropped, and the quotes around an item that begins and
// ends with one; a backslash in a quoted string stands for the character after
// it. An empty item counts, except for the last. It is
// requests.utils.parse_list_header.
func ParseList(value string) []string {
	items := split(value)
	for i, item := range items {
		if quoted(item) {
			items[i] = Unquote(inner(item), false)
		}
	}
	return items
}

// ParseDict splits a value as ParseList does and each item at its first "=".
// Quotes around a value are dropped, those around a name are kept, and so are
// blanks around "=". A repeated name has its last value, in its first place.
// It is requests.utils.parse_dict_header.
func ParseDict(value string) []Pair {
	pairs := []Pair{}
	index := map[string]int{}
	for _, item := range split(value) {
		p := Pair{}
		p.Name, p.Value, p.HasValue = strings.Cut(item, "=")
		if quoted(p.Value) {
			p.Value = Unquote(inner(p.Value), false)
		}
		if i, ok := index[p.Name]; ok {
			pairs[i] = p
			continue
		}
		index[p.Name] = len(pairs)
		pairs = append(pairs, p)
	}
	return pairs
}

// Unquote drops the quotes around a value that has them at both ends and then
// resolves \\ and \" inside; any other backslash stays. The value of a file
// name that begins with two backslashes is a Windows share and keeps them all.
// It is requests.utils.unquote_header_value.
func Unquote(value string, isFilename bool) string {
	if !quoted(value) {
		return value
	}
	value = inner(value)
	if isFilename && strings.HasPrefix(value, `\\`) {
		return value
	}
	return strings.ReplaceAll(strings.ReplaceAll(value, `\\`, `\`), `\"`, `"`)
}

// quoted tells whether a value begins and ends with a quote, which may be one
// and the same, as in Python's value[0] == value[-1].
func quoted(s string) bool { return s != "" && s[0] == '"' && s[len(s)-1] == '"' }

// inner is Python's value[1:-1].
func inner(s string) string { return s[1:max(1, len(s)-1)] }

// split cuts at commas outside quotes and removes the backslashes inside them.
func split(value string) []string {
	items := []string{}
	var part strings.Builder
	quote, escape := false, false
	for i := range len(value) {
		c := value[i]
		switch {
		case escape:
			escape = false
		case quote && c == '\\':
			escape = true
			continue
		case c == '"':
			quote = !quote
		case c == ',' && !quote:
			items = append(items, strings.TrimFunc(part.String(), isSpace))
			part.Reset()
			continue
		}
		part.WriteByte(c)
	}
	if part.Len() > 0 {
		items = append(items, strings.TrimFunc(part.String(), isSpace))
	}
	return items
}

// isSpace reports whether Python's str.strip removes the character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }

// CutItem takes the first item off a list as it is written, quotes, blanks around it and all. It
// splits at the same commas as [ParseList], and allocates nothing.
func CutItem(list string) (item, rest string) {
	quote := false
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == '\\' && quote:
			i++
		case list[i] == '"':
			quote = !quote
		case list[i] == ',' && !quote:
			return list[:i], list[i+1:]
		}
	}
	return list, ""
}

// Names returns the items of lists of names, such as those of Vary and Connection, in lower case
// and without the empty ones.
func Names(lists []string) []string {
	var names []string
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = ascii.Lower(ascii.TrimBlanks(name)); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}
