package template

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/values"
)

// spec is a variable of an expression.
type spec struct {
	name    string
	prefix  int // so many characters of a text; 0 for all
	explode bool
}

// maxPrefix is the bound of RFC 6570 section 2.4.1.
const maxPrefix = 9999

func parseSpec(s string) (spec, error) {
	name, prefix, hasPrefix := strings.Cut(s, ":")
	name, explode := strings.CutSuffix(name, "*")
	n := 0
	if hasPrefix {
		n, _ = strconv.Atoi(prefix)
	}
	if !isName(name) || hasPrefix && (explode || !ascii.IsDigits(prefix) || n < 1 || n > maxPrefix) {
		return spec{}, errMalformed
	}
	return spec{name, n, explode}, nil
}

// isName reports whether s is the name of a variable.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c == '%' && (i+2 >= len(s) || !ascii.IsHex(s[i+1]) || !ascii.IsHex(s[i+2])) {
			return false
		}
		if !isAlphanumeric(c) && c != '_' && c != '.' && c != '%' {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(c byte) bool { return ascii.IsDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

// kind is what RFC 6570 tells apart.
type kind uint8

const (
	text kind = iota
	list
	pairs
)

// value is one text, those of a list, or the names and values of pairs in turn.
type value struct {
	kind  kind
	texts []string
}

// undefined reports whether there is nothing to expand: a list without elements is undefined, too.
func (v value) undefined() bool { return len(v.texts) == 0 }

func valueOf(v any) (value, error) {
	r := values.Plain(reflect.ValueOf(v))
	switch {
	case !r.IsValid():
		return value{}, nil
	case values.IsList(r):
		return ofList(r)
	case r.Kind() == reflect.Map && !values.IsText(r):
		return ofMap(r)
	}
	t, err := values.Text(r)
	return value{text, []string{t}}, err
}

func ofList(r reflect.Value) (value, error) {
	if t := reflect.TypeFor[[][2]string](); r.CanConvert(t) {
		return ofPairs(r.Convert(t).Interface().([][2]string)), nil
	}
	v := value{kind: list}
	for _, element := range r.Seq2() {
		if element = values.Plain(element); !element.IsValid() {
			continue // undefined
		}
		t, err := values.Text(element)
		if err != nil {
			return v, err
		}
		v.texts = append(v.texts, t)
	}
	return v, nil
}

func ofMap(r reflect.Value) (value, error) {
	var all [][2]string
	for key, element := range r.Seq2() {
		if element = values.Plain(element); !element.IsValid() {
			continue // undefined
		}
		name, err := values.Text(values.Plain(key))
		if err != nil {
			return value{}, err
		}
		t, err := values.Text(element)
		if err != nil {
			return value{}, err
		}
		all = append(all, [2]string{name, t})
	}
	slices.SortFunc(all, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return ofPairs(all), nil
}

func ofPairs(all [][2]string) value {
	v := value{kind: pairs}
	for _, kv := range all {
		v.texts = append(v.texts, kv[0], kv[1])
	}
	return v
}

// firstRunes returns the first n characters of s, all of them for 0.
func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n == -1 && i > 0 {
			return s[:i]
		}
	}
	return s
}

// encode percent-encodes what may not stand in a URL, or not as a part of a value.
func (op operator) encode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case isAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0,
			op.reserved && strings.IndexByte(":/?#[]@!$&'()*+,;=", c) >= 0,
			op.reserved && c == '%' && i+2 < len(s) && ascii.IsHex(s[i+1]) && ascii.IsHex(s[i+2]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
