package secret

import (
	"bytes"
	"strings"
)

// xmlMasker copies XML and masks on the way. It looks at tags only, so that what is broken
// or cut is masked as well.
type xmlMasker struct {
	names *Names
	out   []byte
	hide  int // how many elements are open from the secret one on, 0 outside
}

// XML masks the content of elements with secret names, attributes with such names, and
// values whose name or key is an attribute beside them: <add key="ApiKey" value="…"/>.
func (n *Names) XML(data []byte) []byte {
	if n.none {
		return data
	}
	m := xmlMasker{names: n, out: make([]byte, 0, len(data))}
	for len(data) > 0 {
		end := bytes.IndexByte(data, '<')
		if end < 0 {
			end = len(data)
		}
		m.text(data[:end])
		data = data[end:]
		end = markupLen(data)
		m.markup(string(data[:end]))
		data = data[end:]
	}
	return m.out
}

func (m *xmlMasker) text(text []byte) {
	switch blank := len(bytes.TrimSpace(text)) == 0; {
	case m.hide > 0 && !blank:
		m.out = append(m.out, Mask...)
	case bytes.Contains(text, []byte("://")):
		m.out = append(m.out, m.names.Text(string(text))...)
	default:
		m.out = append(m.out, text...)
	}
}

// markupLen returns the length of the tag, comment, instruction or CDATA section that data
// begins with.
func markupLen(data []byte) int {
	for _, form := range [][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}} {
		if bytes.HasPrefix(data, []byte(form[0])) {
			if i := bytes.Index(data, []byte(form[1])); i >= 0 {
				return i + len(form[1])
			}
			return len(data)
		}
	}
	quote := byte(0)
	for i, c := range data {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(data)
}

func (m *xmlMasker) markup(tag string) {
	cdata, isData := strings.CutPrefix(tag, "<![CDATA[")
	switch {
	case isData:
		m.out = append(m.out, "<![CDATA["...)
		m.text([]byte(strings.TrimSuffix(cdata, "]]>")))
		m.out = append(m.out, "]]>"...)
	case m.hide > 0 && strings.HasPrefix(tag, "<!--"):
	case strings.HasPrefix(tag, "<!"), strings.HasPrefix(tag, "<?"):
		m.out = append(m.out, tag...)
	case strings.HasPrefix(tag, "</"):
		m.hide = max(m.hide-1, 0)
		m.out = append(m.out, tag...)
	case tag != "":
		m.start(tag)
	}
}

// start copies a start tag, its secret attributes masked.
func (m *xmlMasker) start(tag string) {
	end := strings.IndexAny(tag, " \t\r\n/>")
	if end < 0 {
		end = len(tag)
	}
	secret := m.hide > 0 || m.names.field(localName(tag[1:end]))
	attributes := splitAttributes(tag[end:])
	for _, a := range attributes {
		switch strings.ToLower(a.name) {
		case "name", "key", "id":
			secret = secret || m.names.field(a.value)
		}
	}
	m.out = append(m.out, tag[:end]...)
	for _, a := range attributes {
		m.out = append(m.out, a.before...)
		switch value := strings.EqualFold(a.name, "value"); {
		case a.value == "":
		case m.names.field(localName(a.name)), secret && value:
			m.out = append(m.out, Mask...)
		default:
			m.out = append(m.out, m.names.Text(a.value)...)
		}
	}
	if (m.hide > 0 || secret) && !strings.HasSuffix(tag, "/>") {
		m.hide++
	}
}

// attribute is one with what is written before its value.
type attribute struct{ before, name, value string }

// splitAttributes cuts the rest of a tag; the last one may have no value.
func splitAttributes(s string) []attribute {
	var all []attribute
	for s != "" {
		eq := strings.IndexByte(s, '=')
		if eq < 0 {
			break
		}
		begin := eq + 1 + len(s[eq+1:]) - len(strings.TrimLeft(s[eq+1:], " \t\r\n"))
		if begin == len(s) || s[begin] != '"' && s[begin] != '\'' {
			all = append(all, attribute{before: s[:begin]})
			s = s[begin:]
			continue
		}
		end := strings.IndexByte(s[begin+1:], s[begin])
		if end < 0 {
			end = len(s) - begin - 1
		}
		name := strings.TrimLeft(strings.TrimSpace(s[:eq]), `"'`)
		all = append(all, attribute{s[:begin+1], strings.TrimSpace(name), s[begin+1 : begin+1+end]})
		s = s[begin+1+end:]
	}
	return append(all, attribute{before: s})
}

func localName(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }
