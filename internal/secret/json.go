package secret

import (
	"bytes"
	"encoding/json"
	"strings"
)

// jsonMasker copies JSON and masks on the way. It follows strings and braces only, so that
// what is broken, cut, or several values in a row is masked as well.
type jsonMasker struct {
	names *Names
	in    []byte
	out   []byte
	depth int // of nested JSON in strings
}

// JSON masks the strings and numbers under secret names, in objects and lists under them
// too. White space, order and everything else stay.
func (n *Names) JSON(data []byte) []byte {
	if n.none {
		return data
	}
	return n.json(data, maxNesting)
}

func (n *Names) json(data []byte, depth int) []byte {
	m := jsonMasker{names: n, in: data, out: make([]byte, 0, len(data)), depth: depth}
	for len(m.in) > 0 {
		m.step(false)
	}
	return m.out
}

// step copies one token, or with hide masks it.
func (m *jsonMasker) step(hide bool) {
	switch c := m.in[0]; {
	case c == '"':
		m.text(hide)
	case hide && (c == '-' || '0' <= c && c <= '9'):
		m.in = bytes.TrimLeft(m.in, "+-0123456789.eE")
		m.out = append(m.out, `"`+Mask+`"`...)
	default:
		m.copy(1)
	}
}

func (m *jsonMasker) copy(n int) {
	m.out = append(m.out, m.in[:n]...)
	m.in = m.in[n:]
}

// text copies a string; if it is the name of a secret, the value is masked.
func (m *jsonMasker) text(hide bool) {
	end := stringEnd(m.in)
	raw := m.in[:end]
	m.in = m.in[end:]
	blanks := len(m.in) - len(bytes.TrimLeft(m.in, " \t\r\n"))
	if blanks < len(m.in) && m.in[blanks] == ':' {
		m.out = append(m.out, raw...)
		m.copy(blanks + 1)
		if !hide && m.names.field(unquote(raw)) {
			m.mask()
		}
		return
	}
	if hide && len(raw) > 2 {
		m.out = append(m.out, `"`+Mask+`"`...)
		return
	}
	m.out = append(m.out, m.inner(raw)...)
}

// mask hides the next value, all of it if it is an object or a list. What is true, false
// or null gives nothing away.
func (m *jsonMasker) mask() {
	m.copy(len(m.in) - len(bytes.TrimLeft(m.in, " \t\r\n")))
	for open := 0; len(m.in) > 0; {
		switch c := m.in[0]; {
		case c == '{' || c == '[':
			open++
		case c == '}' || c == ']':
			open--
		case open == 0 && c != '"' && c != '-' && (c < '0' || c > '9'):
			return
		}
		if open < 0 {
			return
		}
		if m.step(true); open == 0 {
			return
		}
	}
}

// inner masks the secrets of a string that is JSON or holds a URL itself.
func (m *jsonMasker) inner(raw []byte) []byte {
	text := unquote(raw)
	masked := text
	switch trimmed := strings.TrimLeft(text, " \t\r\n"); {
	case m.depth > 0 && (strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[")):
		masked = string(m.names.json([]byte(text), m.depth-1))
	case strings.Contains(text, "://"):
		masked = m.names.Text(text)
	}
	if masked == text {
		return raw
	}
	return quote(masked)
}

// stringEnd returns the length of the string that data begins with, all of data if it
// does not end.
func stringEnd(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

func unquote(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return strings.Trim(string(raw), `"`)
	}
	return s
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return []byte(`"` + Mask + `"`)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
