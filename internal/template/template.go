// Package template expands URI templates (RFC 6570) for requests, where a value that is missing
// or leads elsewhere must not go unnoticed.
package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// operator says how the values of an expression are joined (RFC 6570, appendix A).
type operator struct {
	first, sep string
	named      bool
	ifEmpty    string // behind the name of an empty value
	reserved   bool   // reserved characters and percent-encodings stay
}

var operators = [...]struct {
	sign byte
	operator
}{
	{0, operator{sep: ","}},
	{'+', operator{sep: ",", reserved: true}},
	{'#', operator{first: "#", sep: ",", reserved: true}},
	{'.', operator{first: ".", sep: "."}},
	{'/', operator{first: "/", sep: "/"}},
	{';', operator{first: ";", sep: ";", named: true}},
	{'?', operator{first: "?", sep: "&", named: true, ifEmpty: "="}},
	{'&', operator{first: "&", sep: "&", named: true, ifEmpty: "="}},
}

var errMalformed = errors.New("the URI template is malformed")

// Expand puts values into the template. A value is what values.Text writes; a slice is a list, a map
// with texts as keys an associative array in the order of its keys, pairs one in their own order,
// and nil is what RFC 6570 calls undefined. An error is a template that is none, a name without a
// value, a value without a name, and a value that would make an empty or a dot segment of a path, or
// lead to another host.
func Expand(template string, values map[string]any) (string, error) {
	var b strings.Builder
	unused := maps.Clone(values)
	for rest := template; rest != ""; {
		literal, behind, found := strings.Cut(rest, "{")
		if b.WriteString(literal); strings.Contains(literal, "}") {
			return "", errMalformed
		}
		if !found {
			break
		}
		expression, after, closed := strings.Cut(behind, "}")
		if !closed {
			return "", errMalformed
		}
		text, err := expand(expression, values, unused)
		if err != nil {
			return "", err
		}
		if text == "" && isSegment(literal, expression, after) {
			return "", fmt.Errorf("the value of {%s} is empty, and it is a segment of the path", expression)
		}
		if !staysWithHost(b.String(), text, after, strings.HasPrefix(expression, "+")) {
			return "", fmt.Errorf("the value of {%s} leads to another host than the URI template", expression)
		}
		b.WriteString(text)
		rest = after
	}
	if len(unused) > 0 {
		return "", fmt.Errorf("the URI template has no {%s}", slices.Sorted(maps.Keys(unused))[0])
	}
	if strays(b.String()) > strays(template) {
		return "", errors.New("a value makes an empty or a dot segment of the path")
	}
	return b.String(), nil
}

// isSegment reports whether an expression is a name and a segment of a path by itself.
func isSegment(before, expression, after string) bool {
	name := strings.TrimPrefix(expression, "+")
	return strings.HasSuffix(before, "/") && isName(name) && (after == "" || strings.ContainsAny(after[:1], "/?#"))
}

// strays counts the segments of a path that lead elsewhere: "." and "..", which a URL may have
// encoded, and empty ones before the last, which make a host of what follows if they come first.
func strays(url string) (n int) {
	path, _, _ := strings.Cut(url, "#")
	path, _, _ = strings.Cut(path, "?")
	if scheme, rest, ok := strings.Cut(path, "://"); ok && !strings.Contains(scheme, "/") {
		path = rest
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch strings.ReplaceAll(ascii.Lower(segment), "%2e", ".") {
		case ".", "..":
			n++
		case "":
			if 0 < i && i < len(segments)-1 {
				n++
			}
		}
	}
	return n
}

// expand is one expression, and takes the names it has from unused.
func expand(expression string, values, unused map[string]any) (string, error) {
	if expression == "" {
		return "", errMalformed
	}
	op := operators[0].operator
	for _, o := range operators[1:] {
		if expression[0] == o.sign {
			op, expression = o.operator, expression[1:]
			break
		}
	}
	var parts []string
	for spec := range strings.SplitSeq(expression, ",") {
		s, err := parseSpec(spec)
		if err != nil {
			return "", err
		}
		given, ok := values[s.name]
		if !ok {
			return "", fmt.Errorf("there is no value for {%s} of the URI template", s.name)
		}
		delete(unused, s.name)
		v, err := valueOf(given)
		if err != nil {
			return "", fmt.Errorf("the value of {%s} cannot be %w", s.name, err)
		}
		if v.kind != text && s.prefix > 0 {
			return "", fmt.Errorf("{%s} asks for the beginning of a text, and the value is none", s.name)
		}
		if !v.undefined() {
			parts = append(parts, op.write(s, v))
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	return op.first + strings.Join(parts, op.sep), nil
}

// write is the expansion of one variable (RFC 6570 section 3.2.1).
func (op operator) write(s spec, v value) string {
	switch {
	case v.kind == text:
		return op.pair(s.name, firstRunes(v.texts[0], s.prefix))
	case !s.explode:
		all := make([]string, len(v.texts))
		for i, t := range v.texts {
			all[i] = op.encode(t)
		}
		joined := strings.Join(all, ",")
		if op.named {
			return s.name + "=" + joined
		}
		return joined
	}
	var parts []string
	for i, t := range v.texts {
		switch {
		case v.kind == list:
			parts = append(parts, op.pair(s.name, t))
		case i%2 == 0 && op.named && v.texts[i+1] == "":
			parts = append(parts, op.encode(t)+op.ifEmpty)
		case i%2 == 0:
			parts = append(parts, op.encode(t)+"="+op.encode(v.texts[i+1]))
		}
	}
	return strings.Join(parts, op.sep)
}

// pair is a text, behind its name where the operator wants that.
func (op operator) pair(name, t string) string {
	switch {
	case !op.named:
		return op.encode(t)
	case t == "":
		return name + op.ifEmpty
	}
	return name + "=" + op.encode(t)
}
