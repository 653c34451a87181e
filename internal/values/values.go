// Package values makes pairs of names and values of what programs have them in.
package values

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"

	"github.com/google/go-querystring/query"
)

// Pairs returns the pairs of v, sorted by name where v has no order of its own: pairs, maps with
// texts as keys (url.Values among them) whose values are anything that prints or lists of that,
// and structs whose fields have "url" tags as github.com/google/go-querystring reads them. Nil
// has none.
func Pairs(v any) ([][2]string, error) {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Invalid || r.Kind() == reflect.Pointer && r.IsNil() {
		return nil, nil
	}
	if t := reflect.TypeFor[[][2]string](); r.CanConvert(t) {
		return r.Convert(t).Interface().([][2]string), nil
	}
	if r.Kind() == reflect.Map && r.Type().Key().Kind() == reflect.String {
		return sorted(ofMap(r)), nil
	}
	if t := r.Type(); t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
		fields, err := query.Values(v)
		if err != nil {
			return nil, fmt.Errorf("a %T has no pairs: %w", v, err)
		}
		return sorted(fields), nil
	}
	return nil, fmt.Errorf("a %T has no pairs: give url.Values, a map, a struct or a list of pairs", v)
}

func ofMap(r reflect.Value) url.Values {
	all := url.Values{}
	for key, value := range r.Seq2() {
		for value.Kind() == reflect.Interface || value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		switch value.Kind() {
		case reflect.Invalid: // nil: not given
		case reflect.Slice, reflect.Array:
			for _, element := range value.Seq2() {
				all.Add(key.String(), fmt.Sprint(element))
			}
		default:
			all.Add(key.String(), fmt.Sprint(value))
		}
	}
	return all
}

func sorted(all url.Values) (pairs [][2]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, value := range all[name] {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	return pairs
}
