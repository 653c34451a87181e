// Package values makes pairs of names and values of what programs have them in.
package values

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-querystring/query"
)

// Pairs returns the pairs of v, sorted by name where v has no order of its own: pairs, maps with
// texts as keys (url.Values among them) whose values are what Text writes, or lists of these, and structs whose fields have "url" tags as github.com/google/go-querystring reads them. A nil
// pointer or map has none; nil itself is nothing that can have any.
func Pairs(v any) ([][2]string, error) {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Invalid:
		return nil, errors.New("nil has no pairs: give url.Values, a map, a struct or a list of pairs")
	case r.Kind() == reflect.Pointer && r.IsNil():
		return nil, nil
	}
	if t := reflect.TypeFor[[][2]string](); r.CanConvert(t) {
		return r.Convert(t).Interface().([][2]string), nil
	}
	if r.Kind() == reflect.Map && r.Type().Key().Kind() == reflect.String {
		all, err := ofMap(r)
		return sorted(all), err
	}
	if t := r.Type(); t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
		texts, err := written(reflect.Indirect(r))
		if err != nil {
			return nil, fmt.Errorf("a %T has no pairs: %w", v, err)
		}
		fields, err := query.Values(texts.Interface())
		if err != nil {
			return nil, fmt.Errorf("a %T has no pairs: %w", v, err)
		}
		return sorted(fields), nil
	}
	return nil, fmt.Errorf("a %T has no pairs: give url.Values, a map, a struct or a list of pairs", v)
}

// written returns a struct with the fields of r, as go-querystring is to read them: a field that is one
// text by itself is that text, and so are the elements of a list; those that are left out are gone. What
// only Go can read is an error, in structs of structs too.
func written(r reflect.Value) (reflect.Value, error) {
	var fields []reflect.StructField
	var all []reflect.Value
	for field, value := range r.Fields() {
		tag := field.Tag.Get("url")
		name, options, _ := strings.Cut(tag, ",")
		embedded := field.Anonymous && name == "" && reflect.Indirect(value).Kind() == reflect.Struct
		if !field.IsExported() && !embedded || tag == "-" || omitted(value, options) {
			continue
		}
		value, err := writtenField(value, embedded)
		if err != nil {
			return r, fmt.Errorf("the field %s cannot be %w", field.Name, err)
		}
		if !value.IsValid() {
			continue // nil: not given
		}
		if name == "" && !embedded {
			name = field.Name
		}
		tags := fmt.Sprintf("url:%q del:%q layout:%q", name+","+options, field.Tag.Get("del"), field.Tag.Get("layout"))
		fields = append(fields, reflect.StructField{Name: fmt.Sprint("F", len(fields)), Type: value.Type(), Tag: reflect.StructTag(tags), Anonymous: embedded})
		all = append(all, value)
	}
	s := reflect.New(reflect.StructOf(fields)).Elem()
	for i, value := range all {
		s.Field(i).Set(value)
	}
	return s, nil
}

func writtenField(value reflect.Value, embedded bool) (reflect.Value, error) {
	if embedded {
		return written(reflect.Indirect(value))
	}
	if value.Type().Implements(encoder) || value.Kind() == reflect.Pointer && value.IsNil() {
		return value, nil
	}
	value = Plain(value)
	switch {
	case !value.IsValid() || value.Type() == timeType || value.Type().Implements(encoder):
		return value, nil
	case IsText(value):
	case value.Kind() == reflect.Struct:
		return written(value)
	case value.Kind() == reflect.Slice || value.Kind() == reflect.Array:
		return writtenList(value)
	case value.Kind() == reflect.Bool:
		return value, nil // which the option "int" writes as a number
	}
	text, err := Text(value)
	return reflect.ValueOf(text), err
}

// writtenList is a list of texts, unless go-querystring has options for what is in it.
func writtenList(list reflect.Value) (reflect.Value, error) {
	switch t := list.Type().Elem(); {
	case t == timeType, t.Kind() == reflect.Pointer && t.Elem() == timeType, t.Kind() == reflect.Bool && !t.Implements(stringer):
		return list, nil
	}
	texts := []string{}
	for _, element := range list.Seq2() {
		if element = Plain(element); !element.IsValid() {
			continue // nil: not given
		}
		text, err := Text(element)
		if err != nil {
			return list, err
		}
		texts = append(texts, text)
	}
	return reflect.ValueOf(texts), nil
}

// omitted reports whether a field is left out for being empty.
func omitted(value reflect.Value, options string) bool {
	return slices.Contains(strings.Split(options, ","), "omitempty") && (value.IsZero() || (value.Kind() == reflect.Map || value.Kind() == reflect.Slice) && value.Len() == 0)
}

var (
	encoder   = reflect.TypeFor[query.Encoder]()
	stringer  = reflect.TypeFor[fmt.Stringer]()
	marshaler = reflect.TypeFor[encoding.TextMarshaler]()
	failure   = reflect.TypeFor[error]()
	timeType  = reflect.TypeFor[time.Time]()
)

func ofMap(r reflect.Value) (url.Values, error) {
	all := url.Values{}
	for key, value := range r.Seq2() {
		value = Plain(value)
		elements := []reflect.Value{value}
		if IsList(value) {
			elements = elements[:0]
			for _, element := range value.Seq2() {
				elements = append(elements, Plain(element))
			}
		}
		for _, element := range elements {
			if !element.IsValid() {
				continue // nil: not given
			}
			text, err := Text(element)
			if err != nil {
				return nil, fmt.Errorf("the value of %q cannot be %w", key, err)
			}
			all.Add(key.String(), text)
		}
	}
	return all, nil
}

// Plain is what value points to, unless it says by itself how it is written. It is not valid for nil.
func Plain(value reflect.Value) reflect.Value {
	for value.Kind() == reflect.Interface || value.Kind() == reflect.Pointer && (value.IsNil() || !IsText(value)) {
		value = value.Elem()
	}
	return value
}

// IsList reports whether a plain value is a list, and not one text.
func IsList(value reflect.Value) bool {
	return (value.Kind() == reflect.Slice || value.Kind() == reflect.Array) && !IsText(value)
}

// IsText reports whether value is for Text as it is, whatever its kind: it has a method that Text looks at.
func IsText(value reflect.Value) bool {
	t := value.Type()
	switch {
	case t.Implements(stringer), t.Implements(failure), t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return true
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.String:
		return false // a string is itself
	}
	return t.Implements(marshaler)
}

// Unfit is a value that only Go can read.
type Unfit string

func (u Unfit) Error() string {
	return "a " + string(u) + ": give a text, a number, a bool, a fmt.Stringer, an encoding.TextMarshaler or a list of these"
}

// Text returns what a plain value is written as, and Unfit for what only Go can read. A time is
// that of RFC 3339, as in structs; any other value says it by its String method; a string is itself, however it shows or marshals, as Secret of requests does; then
// comes MarshalText. An error is none: it tells of a failure that went unnoticed.
func Text(value reflect.Value) (string, error) {
	t, kind := value.Type(), value.Kind()
	switch {
	case t == timeType || t == reflect.PointerTo(timeType):
		return reflect.Indirect(value).Interface().(time.Time).Format(time.RFC3339Nano), nil
	case t.Implements(stringer):
		return value.Interface().(fmt.Stringer).String(), nil
	case t.Implements(failure):
	case kind == reflect.String:
		return value.String(), nil
	case t.Implements(marshaler):
		text, err := value.Interface().(encoding.TextMarshaler).MarshalText()
		return string(text), err
	case kind == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return string(value.Bytes()), nil
	case reflect.Bool <= kind && kind <= reflect.Float64:
		return fmt.Sprint(value), nil
	}
	return "", Unfit(t.String())
}

func sorted(all url.Values) (pairs [][2]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, value := range all[name] {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	return pairs
}
