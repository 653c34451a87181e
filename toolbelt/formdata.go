package toolbelt

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// FormData is a form whose values may be forms themselves: pairs of key and value, in
// order; a repeated key is a list. It is a [requests.Option] that sends itself
// form-encoded:
//
//	toolbelt.FormData{{"user", toolbelt.FormData{{"name", "ada"}, {"id", 7}}}}
//	// user[name]=ada&user[id]=7, the brackets encoded
//
// A key or value is a string, a []byte, a boolean or a number. A value can also be a
// nested form: FormData, [requests.Form], [][2]string, []any of such pairs, or a map
// with string keys, whose keys are sorted. An empty nested form vanishes. Anything
// else, nil included, is [requests.ErrInvalidArgument].
type FormData [][2]any

// Apply makes f the form of r.
func (f FormData) Apply(r *requests.Request) error {
	form, err := f.flatten()
	if err != nil {
		return err
	}
	return form.Apply(r)
}

// Encode returns the form as application/x-www-form-urlencoded text.
func (f FormData) Encode() (string, error) {
	form, err := f.flatten()
	if err != nil {
		return "", err
	}
	return uri.EncodePairs(form), nil
}

// flatten returns the form with nested keys written out, as "user[name]".
func (f FormData) flatten() (requests.Form, error) {
	return f.appendTo(nil, "", 0)
}

// URLEncode encodes a form of any type a nested form of [FormData] may have.
func URLEncode(form any) (string, error) {
	f, ok, err := nested(form)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", invalid("a form cannot be a %T", form)
	}
	return f.Encode()
}

func invalid(format string, args ...any) error {
	return &requests.Error{Kind: requests.ErrInvalidArgument, Detail: fmt.Sprintf(format, args...)}
}

// maxNesting bounds how deep forms go, so that one that contains itself ends.
const maxNesting = 100

// appendTo adds the entries of f, which is the value of key prefix at depth.
func (f FormData) appendTo(form requests.Form, prefix string, depth int) (requests.Form, error) {
	if depth > maxNesting {
		return nil, invalid("the form is nested more than %d deep", maxNesting)
	}
	for _, pair := range f {
		key, ok := plainText(pair[0])
		if !ok {
			return nil, invalid("a key of the form is a %T", pair[0])
		}
		if depth > 0 {
			key = prefix + "[" + key + "]"
		}
		var err error
		if form, err = appendEntry(form, key, pair[1], depth); err != nil {
			return nil, err
		}
	}
	return form, nil
}

func appendEntry(form requests.Form, key string, value any, depth int) (requests.Form, error) {
	inner, ok, err := nested(value)
	if err != nil {
		return nil, err
	}
	if ok {
		return inner.appendTo(form, key, depth+1)
	}
	text, ok := plainText(value)
	if !ok {
		return nil, invalid("the value of form key %q is a %T", key, value)
	}
	return append(form, [2]string{key, text}), nil
}

// nested returns v as a form; ok is false if it is a plain value.
func nested(v any) (f FormData, ok bool, err error) {
	switch v := v.(type) {
	case FormData:
		return v, true, nil
	case requests.Form:
		return pairsOf(v), true, nil
	case requests.Params:
		return pairsOf(v), true, nil
	case [][2]string:
		return pairsOf(v), true, nil
	case map[string]any:
		return sorted(v), true, nil
	case map[string]string:
		return sorted(v), true, nil
	case []any:
		f, err = listed(v)
		return f, err == nil, err
	}
	return nil, false, nil
}

func pairsOf[S ~[][2]string](pairs S) FormData {
	f := make(FormData, len(pairs))
	for i, p := range pairs {
		f[i] = [2]any{p[0], p[1]}
	}
	return f
}

func sorted[V any](m map[string]V) FormData {
	f := make(FormData, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		f = append(f, [2]any{key, m[key]})
	}
	return f
}

// listed makes a form of a list whose items are pairs.
func listed(items []any) (FormData, error) {
	f := make(FormData, len(items))
	for i, item := range items {
		switch item := item.(type) {
		case [2]string:
			f[i] = [2]any{item[0], item[1]}
			continue
		case [2]any:
			f[i] = item
			continue
		case []any:
			if len(item) == 2 {
				f[i] = [2]any(item)
				continue
			}
		}
		return nil, invalid("a list in a form must hold pairs, not a %T", item)
	}
	return f, nil
}

// plainText writes out a plain key or value.
func plainText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32), true
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), true
	}
	return "", false
}
