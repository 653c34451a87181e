package parity

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// pythonText writes a scalar as Python's str does: what a caller in Go writes into a string himself.
func pythonText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case json.Number:
		return v.String(), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return pythonFloat(v), nil
	case bool:
		if v {
			return "True", nil
		}
		return "False", nil
	}
	return "", cannot("%T as text", v)
}

// pythonFloat is repr of a float: the shortest digits, always with a point or an exponent.
func pythonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)), "+")
	}
	exp := math.Floor(math.Log10(math.Abs(f)))
	if f != 0 && (exp < -4 || exp >= 16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// typedPairs flattens a mapping or a sequence of pairs: lists repeat the key, the keys of null values come apart.
func typedPairs(v any) (pairs [][2]string, null []string, err error) {
	entries, err := typedEntries(v)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		key, err := pythonText(e[0])
		if err != nil {
			return nil, nil, err
		}
		values, isList := sequence(e[1])
		if !isList {
			values = []any{e[1]}
		}
		for _, value := range values {
			if value == nil {
				null = append(null, key)
				continue
			}
			text, err := pythonText(value)
			if err != nil {
				return nil, nil, err
			}
			pairs = append(pairs, [2]string{key, text})
		}
	}
	return pairs, null, nil
}

// sequence gives the items of a list or tuple.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case list:
		return v, true
	case tuple:
		return v, true
	}
	return nil, false
}

func typedEntries(v any) ([][2]any, error) {
	if v == nil {
		return nil, nil
	}
	if d, ok := v.(dict); ok {
		return d, nil
	}
	items, ok := sequence(v)
	if !ok {
		return nil, cannot("%T where pairs are due", v)
	}
	var entries [][2]any
	for _, item := range items {
		pair, ok := sequence(item)
		if !ok || len(pair) != 2 {
			return nil, cannot("%v where a pair is due", item)
		}
		entries = append(entries, [2]any{pair[0], pair[1]})
	}
	return entries, nil
}

// pairsTree shows pairs as the recordings do.
func pairsTree(pairs [][2]string) any {
	out := make([][2]string, len(pairs))
	copy(out, pairs)
	return out
}

// latin1Pairs shows header fields as the recordings do.
func latin1Pairs(pairs [][2]string) [][2]string {
	out := make([][2]string, len(pairs))
	for i, p := range pairs {
		out[i] = [2]string{latin1(p[0]), latin1(p[1])}
	}
	return out
}
