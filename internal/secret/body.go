package secret

import (
	"bytes"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// Body masks what is secret in a body of this Content-Type: in forms and their parts, JSON
// and XML, be it in UTF-16 or UTF-32. Without a type, or as plain text, it is what it looks like.
// Other bodies are returned unchanged. What is broken or cut is masked as far as it can be read.
func (n *Names) Body(contentType string, data []byte) []byte {
	if n.none || len(data) == 0 {
		return data
	}
	kind, params, _ := strings.Cut(contentType, ";")
	kind = ascii.Lower(ascii.TrimBlanks(kind))
	if w, ok := wideOf(data); ok && mayBeMasked(kind) {
		return n.wideBody(w, contentType, data)
	}
	switch kind {
	case "":
		if kind = looksLike(data); kind == "" && isForm(data) {
			kind = "x-www-form-urlencoded"
		}
	case "text/plain":
		kind = looksLike(data)
	}
	switch {
	case strings.HasSuffix(kind, "x-www-form-urlencoded"):
		return []byte(n.Pairs(string(data)))
	case strings.HasPrefix(kind, "multipart/"):
		return n.multipart(param(params, "boundary"), data)
	case strings.Contains(kind, "json"):
		return n.JSON(data)
	case strings.Contains(kind, "xml"):
		return n.XML(data)
	}
	return data
}

// mayBeMasked reports whether Body looks into what has this type.
func mayBeMasked(kind string) bool {
	return kind == "" || kind == "text/plain" || strings.HasSuffix(kind, "x-www-form-urlencoded") ||
		strings.HasPrefix(kind, "multipart/") || strings.Contains(kind, "json") || strings.Contains(kind, "xml")
}

// Coded is Body for one that undo takes the content coding from: as it is where nothing in it is
// secret, else without the coding and masked.
func (n *Names) Coded(contentType string, data []byte, undo func() ([]byte, error)) []byte {
	if n.none {
		return data
	}
	plain, err := undo()
	if err != nil {
		return n.Opaque(data)
	}
	if masked := n.Body(contentType, plain); !bytes.Equal(masked, plain) {
		return masked
	}
	return data
}

// Opaque is what is shown of a body that nobody can look into: nothing, where secrets are masked.
func (n *Names) Opaque(data []byte) []byte {
	if n.none || len(data) == 0 {
		return data
	}
	return []byte(Mask)
}

func looksLike(data []byte) string {
	text := bytes.TrimLeft(data, " \t\r\n\ufeff")
	switch {
	case len(text) == 0:
	case text[0] == '{' || text[0] == '[':
		return "json"
	case text[0] == '<':
		return "xml"
	}
	return ""
}

// isForm reports whether data may be a form: a name and "=", and no blank anywhere.
func isForm(data []byte) bool {
	text := bytes.TrimRight(data, "\r\n")
	return bytes.IndexByte(text, '=') > 0 && !bytes.ContainsAny(text, " \t\r\n\x00")
}

// multipart masks the content of parts with secret names, and looks into the others.
func (n *Names) multipart(boundary string, data []byte) []byte {
	if boundary == "" {
		line, _, _ := bytes.Cut(data, []byte("\n"))
		boundary = strings.TrimPrefix(strings.TrimRight(string(line), "\r"), "--")
	}
	if boundary == "" {
		return data
	}
	delimiter := []byte("--" + boundary)
	parts := bytes.Split(data, delimiter)
	for i, part := range parts[1:] {
		parts[i+1] = n.part(part)
	}
	return bytes.Join(parts, delimiter)
}

func (n *Names) part(part []byte) []byte {
	head, content, ok := bytes.Cut(part, []byte("\r\n\r\n"))
	if !ok {
		return part
	}
	name, kind := "", ""
	for line := range strings.SplitSeq(string(head), "\r\n") {
		field, value, _ := strings.Cut(line, ":")
		switch ascii.Lower(field) {
		case "content-disposition":
			name = param(value, "name")
		case "content-type":
			kind = value
		}
	}
	content, tail := bytes.CutSuffix(content, []byte("\r\n"))
	masked := []byte(Mask)
	if !n.Is(name) {
		masked = n.Body(kind, content)
	}
	out := append(bytes.Clone(head), "\r\n\r\n"...)
	out = append(out, masked...)
	if tail {
		out = append(out, "\r\n"...)
	}
	return out
}

// param returns the parameter of that name, without quotes.
func param(value, name string) string {
	for p := range strings.SplitSeq(value, ";") {
		key, v, _ := strings.Cut(ascii.TrimBlanks(p), "=")
		if ascii.EqualFold(ascii.TrimBlanks(key), name) {
			return strings.Trim(ascii.TrimBlanks(v), `"`)
		}
	}
	return ""
}
