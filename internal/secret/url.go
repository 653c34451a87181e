package secret

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// maxNesting bounds how many URLs are looked for inside one another.
const maxNesting = 3

// URL masks user information, and the values of secret parameters in path, query and
// fragment. It works on any text, whether a URL or not, and hides too much rather than
// too little.
func (n *Names) URL(s string) string { return n.url(s, maxNesting) }

func (n *Names) url(s string, depth int) string {
	if n.none {
		return s
	}
	if start, at := Userinfo(s); at >= 0 {
		s = s[:start] + Mask + s[at:]
	}
	path := s[:endOf(s, "?#")]
	rest := s[len(path):]
	path = furtherUserinfo(path)
	if strings.IndexByte(path, ';') >= 0 {
		path = n.pathParams(path)
	}
	if rest != "" {
		rest = rest[:1] + n.pairs(rest[1:], depth)
	}
	return path + rest
}

// furtherUserinfo masks the user information of URLs that stand in a path, behind its own
// scheme.
func furtherUserinfo(path string) string {
	const mark = "://"
	first := strings.Index(path, mark)
	if first < 0 || strings.IndexByte(path[first:], '@') < 0 {
		return path
	}
	var b strings.Builder
	for i, part := range strings.SplitAfter(path, mark) {
		authority := part[:authorityLen(part)]
		if at := strings.LastIndexByte(authority, '@'); i > 0 && at >= 0 {
			part = Mask + part[at:]
		}
		b.WriteString(part)
	}
	return b.String()
}

// pathParams masks what is secret of the ";name=value" of a path's segments.
func (n *Names) pathParams(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		params := strings.Split(segment, ";")
		for j, param := range params[1:] {
			params[j+1] = n.pairs(param, 0)
		}
		segments[i] = strings.Join(params, ";")
	}
	return strings.Join(segments, "/")
}

// Text masks every URL in a text. A URL ends at a blank, a quote or an angle bracket.
func (n *Names) Text(s string) string {
	var b strings.Builder
	for s != "" {
		end := strings.IndexAny(s, " \t\r\n<>\"'")
		if end < 0 {
			return b.String() + n.URL(s)
		}
		b.WriteString(n.URL(s[:end]))
		b.WriteByte(s[end])
		s = s[end+1:]
	}
	return b.String()
}

// Pairs masks the secret values in text like a=1&b=2, and the secrets of URLs that are
// values.
func (n *Names) Pairs(text string) string { return n.pairs(text, maxNesting) }

func (n *Names) pairs(text string, depth int) string {
	var b strings.Builder
	for text != "" {
		end := endOf(text, "&;?#")
		name, value, _ := strings.Cut(text[:end], "=")
		switch {
		case value == "":
			b.WriteString(text[:end])
		case n.secretParam(name):
			b.WriteString(name + "=" + Mask)
			end = endOf(text, "&#") // what other programs take for separators may belong to a secret
		default:
			b.WriteString(name + "=" + n.value(value, depth))
		}
		if end < len(text) {
			b.WriteByte(text[end])
			end++
		}
		text = text[end:]
	}
	return b.String()
}

func endOf(s, stops string) int {
	if i := strings.IndexAny(s, stops); i >= 0 {
		return i
	}
	return len(s)
}

// secretParam takes a name that cannot be read for one of a secret.
func (n *Names) secretParam(name string) bool {
	plain, ok := unescape(name)
	return n.Is(plain) || !ok && !n.none
}

// value masks the secrets of a URL, of further pairs or of JSON that is a parameter.
func (n *Names) value(text string, depth int) string {
	plain, _ := unescape(text)
	masked := plain
	switch {
	case depth == 0:
	case strings.HasPrefix(plain, "{") || strings.HasPrefix(plain, "["):
		masked = string(n.json([]byte(plain), depth-1))
	case strings.Contains(plain, "//") || strings.Contains(plain, "?"):
		masked = n.url(plain, depth-1)
	case strings.Contains(plain, "&"):
		masked = n.pairs(plain, depth-1)
	}
	if masked == plain {
		return text
	}
	return masked
}

// unescape undoes percent-escapes; those that are broken stay, and make ok false.
func unescape(s string) (plain string, ok bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	b, ok := make([]byte, 0, len(s)), true
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c != '%':
		case i+2 < len(s) && ascii.IsHex(s[i+1]) && ascii.IsHex(s[i+2]):
			c = ascii.Unhex(s[i+1])<<4 | ascii.Unhex(s[i+2])
			i += 2
		default:
			ok = false
		}
		b = append(b, c)
	}
	return string(b), ok
}

// Userinfo finds what may be user information: what stands from start, the beginning of
// the authority, to the last "@" before the path; at is -1 without one. Slashes of any
// kind and number may come before it. Where what follows a colon is not a port, the URL is
// broken, and a password may have ended the authority: then the last "@" of all counts.
func Userinfo(s string) (start, at int) {
	if i := schemeLen(s); i > 0 && i+1 < len(s) && isSlash(s[i+1]) {
		start = i + 1
	} else if i := strings.Index(s, "://"); i >= 0 {
		start = i + 1
	}
	for start < len(s) && isSlash(s[start]) {
		start++
	}
	end := start + authorityLen(s[start:])
	if !validPort(s[start:end]) {
		end = len(s)
	}
	if at = strings.LastIndexByte(s[start:end], '@'); at < 0 {
		return start, -1
	}
	return start, start + at
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

func schemeLen(s string) int {
	i := strings.IndexByte(s, ':')
	if i <= 0 {
		return 0
	}
	for j := range i {
		c := ascii.LowerByte(s[j])
		letter := 'a' <= c && c <= 'z'
		if !letter && (j == 0 || !ascii.IsDigit(c) && c != '+' && c != '-' && c != '.') {
			return 0
		}
	}
	return i
}

func authorityLen(s string) int {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return i
	}
	return len(s)
}

// validPort reports whether what follows the host is a port or nothing.
func validPort(hostport string) bool {
	end := strings.IndexByte(hostport, ':')
	if strings.HasPrefix(hostport, "[") {
		end = strings.IndexByte(hostport, ']') + 1
		switch {
		case end == 0:
			return false
		case end == len(hostport):
			return true
		case hostport[end] != ':':
			return false
		}
	}
	if end < 0 {
		return true
	}
	port := strings.TrimLeft(hostport[end+1:], "0")
	return port == "" || len(port) <= len("65535") && ascii.IsDigits(port)
}
