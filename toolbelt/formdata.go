package toolbelt

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// FormData is a form whose values may be forms themselves, in order; a repeated key
// is a list. It is a [requests.Option] that sends itself form-encoded:
//
//	toolbelt.FormData{{"user", toolbelt.FormData{{"name", "ada"}, {"id", 7}}}}
//	// user[name]=ada&user[id]=7, the brackets encoded
//
// A value is a string, a []byte, a boolean, a number, or a nested form: FormData,
// [requests.Form], [][2]string, []any of such pairs, or a map with string keys,
// whose keys are sorted. An empty nested form vanishes. Anything else, nil
// included, is [requests.ErrInvalidArgument].
type FormData []Pair

// Pair is one entry of a [FormData].
type Pair struct {
	Key   string
	Value any
}

// Apply makes f the form of r.
func (f FormData) Apply(r *requests.Request) error {
	form, err := f.Flatten()
	if err != nil {
		return err
	}
	return form.Apply(r)
}

// Encode returns the form as application/x-www-form-urlencoded text.
func (f FormData) Encode() (string, error) {
	form, err := f.Flatten()
	if err != nil {
		return "", err
	}
	return uri.EncodePairs(form), nil
}

// Flatten returns the form with nested keys written out, as "user[name]".
func (f FormData) Flatten() (requests.Form, error) {
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
		key := pair.Key
		if depth > 0 {
			key = prefix + "[" + key + "]"
		}
		inner, ok, err := nested(pair.Value)
		switch {
		case err != nil:
		case ok:
			form, err = inner.appendTo(form, key, depth+1)
		default:
			form, err = appendValue(form, key, pair.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return form, nil
}

// nested returns v as a form; ok is false if it is a plain value.
func nested(v any) (f FormData, ok bool, err error) {
	switch v := v.(type) {
	case FormData:
		return v, true, nil
	case []Pair:
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
		f[i] = Pair{p[0], p[1]}
	}
	return f
}

func sorted[V any](m map[string]V) FormData {
	f := make(FormData, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		f = append(f, Pair{key, m[key]})
	}
	return f
}

// listed makes a form of a list whose items are pairs.
func listed(items []any) (FormData, error) {
	f := make(FormData, 0, len(items))
	for _, item := range items {
		pair, ok := asPair(item)
		if !ok {
			return nil, invalid("a list in a form must hold pairs, not a %T", item)
		}
		f = append(f, pair)
	}
	return f, nil
}

func asPair(item any) (Pair, bool) {
	switch item := item.(type) {
	case Pair:
		return item, true
	case [2]string:
		return Pair{item[0], item[1]}, true
	case [2]any:
		return pairOf(item[:])
	case []any:
		return pairOf(item)
	case []string:
		if len(item) == 2 {
			return Pair{item[0], item[1]}, true
		}
	}
	return Pair{}, false
}

func pairOf(item []any) (Pair, bool) {
	if len(item) != 2 {
		return Pair{}, false
	}
	key, ok := item[0].(string)
	return Pair{key, item[1]}, ok
}

// appendValue adds a plain value as text.
func appendValue(form requests.Form, key string, value any) (requests.Form, error) {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	case float64:
		text = strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		text = strconv.FormatFloat(float64(v), 'g', -1, 32)
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		text = fmt.Sprint(v)
	default:
		return nil, invalid("the value of form key %q is a %T", key, value)
	}
	return append(form, [2]string{key, text}), nil
}
