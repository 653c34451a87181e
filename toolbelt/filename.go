package toolbelt

import (
	neturl "net/url"
	"strings"
	"unicode/utf8"

	"github.com/mountable/requests/internal/ascii"
)

// Filename returns the file name that a Content-Disposition header gives (RFC 6266),
// and whether it gives one that is not empty:
//
//	attachment; filename="a b.txt"                              a b.txt
//	attachment; filename="E.txt"; filename*=UTF-8''%E2%82%AC    €
//	attachment; filename*=UTF-8''%E4; filename=e.txt            e.txt
//	inline                                                      no name
//
// filename* (RFC 8187, in UTF-8 or ISO-8859-1) wins over filename; one that is
// malformed counts as absent. Of repeated parameters the first counts. Raw bytes of
// a header are UTF-8 where they can be and ISO-8859-1 otherwise. An unquoted name
// runs to the next ";", as in the toolbelt, though only tokens may go unquoted.
//
// The name is what the server wrote: it may be a path, or worse. Pass it to [SafeFilename] before
// using it as the name of a file.
func Filename(header string) (name string, ok bool) {
	_, rest, _ := strings.Cut(header, ";")
	var plain, extended parameter
	for rest != "" {
		var p parameter
		p, rest = nextParameter(rest)
		switch {
		case strings.EqualFold(p.name, "filename") && plain.name == "":
			plain = p
		case strings.EqualFold(p.name, "filename*") && extended.name == "":
			extended = p
		}
	}
	if name, ok := extended.extendedValue(); ok {
		return name, true
	}
	return plain.text()
}

// parameter is one "name=value" of a header; broken is a quoted string without end.
type parameter struct {
	name, value    string
	quoted, broken bool
}

// nextParameter reads up to the ";" that ends a parameter and returns what follows.
func nextParameter(s string) (p parameter, rest string) {
	i := strings.IndexAny(s, "=;")
	if i < 0 {
		return parameter{}, ""
	}
	if s[i] == ';' {
		return parameter{}, s[i+1:]
	}
	p.name = strings.Trim(s[:i], blanks)
	s = strings.TrimLeft(s[i+1:], blanks)
	if strings.HasPrefix(s, `"`) {
		p.quoted = true
		p.value, s, p.broken = unquote(s[1:])
		_, rest, _ = strings.Cut(s, ";")
		return p, rest
	}
	p.value, rest, _ = strings.Cut(s, ";")
	p.value = strings.Trim(p.value, blanks)
	return p, rest
}

// blanks stand around names and values; folded lines have line ends too.
const blanks = " \t\r\n"

// unquote reads the rest of a quoted-string (RFC 9110 section 5.6.4).
func unquote(s string) (value, rest string, broken bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], false
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", true
}

// text is the value of a plain parameter.
func (p *parameter) text() (string, bool) {
	if p.value == "" || p.broken {
		return "", false
	}
	if utf8.ValidString(p.value) {
		return p.value, true
	}
	return fromLatin1(p.value), true
}

// extendedValue decodes charset'language'percent-encoded (RFC 8187 section 3.2).
func (p *parameter) extendedValue() (string, bool) {
	if p.quoted {
		return "", false
	}
	charset, rest, ok := strings.Cut(p.value, "'")
	_, encoded, both := strings.Cut(rest, "'")
	if !ok || !both {
		return "", false
	}
	raw, ok := unescape(encoded)
	if !ok || raw == "" {
		return "", false
	}
	switch strings.ToLower(charset) {
	case "utf-8", "utf8":
		return raw, utf8.ValidString(raw)
	case "iso-8859-1":
		return fromLatin1(raw), true
	}
	return "", false
}

// unescape undoes percent-encoding. Characters that should have been encoded are
// taken as they are where they are printable ASCII, as browsers do.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) || !ascii.IsHex(s[i+1]) || !ascii.IsHex(s[i+2]) {
				return "", false
			}
			b.WriteByte(ascii.Unhex(s[i+1])<<4 | ascii.Unhex(s[i+2]))
			i += 2
		case c < ' ' || c >= 0x7f || c == '"':
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

func fromLatin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// urlFilename returns the last segment of a URL's path, decoded, as a
// [SafeFilename], and whether there is one.
func urlFilename(url string) (string, bool) {
	_, _, path := splitURL(url)
	path, _, _ = strings.Cut(path, "?")
	segment := path[strings.LastIndexByte(path, '/')+1:]
	if decoded, err := neturl.PathUnescape(segment); err == nil {
		segment = decoded
	}
	return SafeFilename(segment)
}
