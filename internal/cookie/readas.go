package cookie

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// readAs is the name under which a server may read the cookie: what stands before the "=" of
// a value without a name, and all without the blanks beyond ASCII that Python, .NET and Java
// take off while RFC 6265bis does not.
func (c *Cookie) readAs() string {
	name := c.Name
	if name == "" {
		name, _, _ = strings.Cut(c.Value, "=")
	}
	return trimSpace(name)
}

// names yields the cookie's name and, where it is another, that under which it may be read.
func (c *Cookie) names(yield func(string) bool) {
	if read := c.readAs(); yield(c.Name) && read != c.Name {
		yield(read)
	}
}

// trimSpace takes blanks of any script off both ends. A byte that is no UTF-8 is one of
// ISO-8859-1, as servers read it.
func trimSpace(s string) string {
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if !isBlank(r, size, s[0]) {
			break
		}
		s = s[size:]
	}
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		if !isBlank(r, size, s[len(s)-1]) {
			break
		}
		s = s[:len(s)-size]
	}
	return s
}

func isBlank(r rune, size int, b byte) bool {
	if r == utf8.RuneError && size == 1 {
		r = rune(b)
	}
	return unicode.IsSpace(r) || r == '\ufeff'
}
