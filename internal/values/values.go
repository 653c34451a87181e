// Package values makes pairs of names and values of what programs have them in.
package values

import (
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
// texts as keys (url.Values among them) whose values are texts, bytes, numbers, bools, what has a String method, or lists
// of these, and structs whose fields have "url" tags as github.com/google/go-querystring reads them. A nil
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
		if err := checkFields(reflect.Indirect(r)); err != nil {
			return nil, fmt.Errorf("a %T has no pairs: %w", v, err)
		}
		fields, err := query.Values(v)
		if err != nil {
			return nil, fmt.Errorf("a %T has no pairs: %w", v, err)
		}
		return sorted(fields), nil
	}
	return nil, fmt.Errorf("a %T has no pairs: give url.Values, a map, a struct or a list of pairs", v)
}

// checkFields refuses the fields of a struct that go-querystring writes as only Go reads them, in
// structs of structs too.
func checkFields(r reflect.Value) error {
	for field, value := range r.Fields() {
		tag := field.Tag.Get("url")
		if !field.IsExported() && !field.Anonymous || tag == "-" {
			continue
		}
		if err := checkField(value, tag); err != nil {
			return fmt.Errorf("the field %s cannot be %w", field.Name, err)
		}
	}
	return nil
}

func checkField(value reflect.Value, tag string) error {
	if omitted(value, tag) || value.Type().Implements(encoder) || isText(value) || value.Type() == timeType {
		return nil
	}
	switch value.Kind() {
	case reflect.Interface, reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		return checkField(value.Elem(), tag)
	case reflect.Struct:
		return checkFields(value)
	case reflect.Slice, reflect.Array:
		for _, element := range value.Seq2() {
			if err := checkField(element, tag); err != nil {
				return err
			}
		}
		return nil
	}
	_, err := textOf(value)
	return err
}

// omitted reports whether a field is left out for being empty.
func omitted(value reflect.Value, tag string) bool {
	_, options, _ := strings.Cut(tag, ",")
	return slices.Contains(strings.Split(options, ","), "omitempty") && (value.IsZero() || value.Kind() == reflect.Map && value.Len() == 0)
}

var (
	encoder  = reflect.TypeFor[query.Encoder]()
	timeType = reflect.TypeFor[time.Time]()
)

func ofMap(r reflect.Value) (url.Values, error) {
	all := url.Values{}
	for key, value := range r.Seq2() {
		value = plain(value)
		elements := []reflect.Value{value}
		if kind := value.Kind(); (kind == reflect.Slice || kind == reflect.Array) && !isText(value) {
			elements = elements[:0]
			for _, element := range value.Seq2() {
				elements = append(elements, plain(element))
			}
		}
		for _, element := range elements {
			if !element.IsValid() {
				continue // nil: not given
			}
			text, err := textOf(element)
			if err != nil {
				return nil, fmt.Errorf("the value of %q cannot be %w", key, err)
			}
			all.Add(key.String(), text)
		}
	}
	return all, nil
}

// plain is what value points to, unless it says by itself how it is written.
func plain(value reflect.Value) reflect.Value {
	for value.Kind() == reflect.Interface || value.Kind() == reflect.Pointer && (value.IsNil() || !isText(value)) {
		value = value.Elem()
	}
	return value
}

// isText reports whether value is written as one text, whatever its kind.
func isText(value reflect.Value) bool {
	if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Uint8 {
		return true
	}
	return value.Type().Implements(reflect.TypeFor[fmt.Stringer]())
}

// textOf returns what a value is written as; what only Go can read is none.
func textOf(value reflect.Value) (string, error) {
	switch value.Kind() {
	case reflect.Map, reflect.Struct, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		if !isText(value) {
			return "", fmt.Errorf("a %v: give a text, a number, a bool, a fmt.Stringer or a list of these", value.Type())
		}
	}
	if s, ok := value.Interface().(fmt.Stringer); ok {
		return s.String(), nil
	}
	if value.Kind() == reflect.Slice {
		return string(value.Bytes()), nil
	}
	return fmt.Sprint(value), nil
}

func sorted(all url.Values) (pairs [][2]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, value := range all[name] {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	return pairs
}
