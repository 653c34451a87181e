package parity

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// The typed values of the vectors, where they are not plain Go values already. Text is string, bytes are []byte,
// an int is int64, a float float64, None nil.
type (
	list  []any
	tuple []any
	// dict keeps its order; keys may be any value.
	dict [][2]any
	// fileValue is a binary file-like object.
	fileValue struct {
		content []byte
		name    any
		pos     int
	}
	// textFileValue is a text file-like object.
	textFileValue struct {
		content string
		pos     int
	}
	// iterValue is an iterator usable once.
	iterValue []any
)

// typed decodes one typed value out of a tree.
func typed(tree any) (any, error) {
	switch tree := tree.(type) {
	case json.Number:
		return typedNumber(tree)
	case []any:
		items, err := typedItems(tree)
		return list(items), err
	case map[string]any:
		return typedObject(tree)
	}
	return tree, nil
}

// typedNumber tells ints from floats the way Python's json does: by the way they are written.
func typedNumber(n json.Number) (any, error) {
	if strings.ContainsAny(n.String(), ".eE") {
		return n.Float64()
	}
	i, err := n.Int64()
	if err != nil {
		return n, nil // beyond 64 bits: keep the digits
	}
	return i, nil
}

func typedItems(items []any) ([]any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		v, err := typed(item)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func typedObject(object map[string]any) (any, error) {
	switch {
	case object["b64"] != nil:
		return decodeB64(object["b64"])
	case object["tuple"] != nil:
		items, err := typedItems(object["tuple"].([]any))
		return tuple(items), err
	case object["dict"] != nil:
		return typedDict(object["dict"].([]any))
	case object["float"] != nil:
		return typedFloat(object["float"])
	case object["file"] != nil:
		return typedFile(object)
	case object["textfile"] != nil:
		return &textFileValue{content: object["textfile"].(string), pos: intOf(object["pos"])}, nil
	case object["iter"] != nil:
		items, err := typedItems(object["iter"].([]any))
		return iterValue(items), err
	}
	return nil, fmt.Errorf("unknown typed value %v", object)
}

func typedDict(pairs []any) (any, error) {
	out := dict{}
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			return nil, fmt.Errorf("dict entry %v is no pair", p)
		}
		kv, err := typedItems(pair)
		if err != nil {
			return nil, err
		}
		out = append(out, [2]any{kv[0], kv[1]})
	}
	return out, nil
}

func typedFloat(name any) (any, error) {
	switch name {
	case "nan":
		return math.NaN(), nil
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	}
	return nil, fmt.Errorf("unknown float %v", name)
}

func typedFile(object map[string]any) (any, error) {
	content, err := decodeB64(object["file"])
	if err != nil {
		return nil, err
	}
	var name any
	if raw, ok := object["name"]; ok {
		if name, err = typed(raw); err != nil {
			return nil, err
		}
	}
	return &fileValue{content: content, name: name, pos: intOf(object["pos"])}, nil
}

func decodeB64(v any) ([]byte, error) {
	text, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("base64 text is %T", v)
	}
	return base64.StdEncoding.DecodeString(text)
}

// intOf reads a number of a tree; an absent one is 0.
func intOf(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	i, _ := n.Int64()
	return int(i)
}
