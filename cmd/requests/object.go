package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// object is a JSON object whose members keep their order.
type object struct {
	names  []string
	values map[string]any
}

// MarshalJSON implements [json.Marshaler].
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteString(", ")
		}
		key, _ := json.Marshal(name)
		value, err := json.Marshal(o.values[name])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteString(": ")
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// maxIndex bounds the arrays that an index makes: what lies before it is null.
const maxIndex = 1000

var (
	errNotArray  = errors.New("it is an object before and an array here, or the other way round")
	errLongArray = errors.New("an index has to be below 1000")
)

// pathOf takes a name apart: "a[b][]" is "a", "b" and "". What is not well-formed is one name.
func pathOf(name string) []string {
	root, rest, nested := strings.Cut(name, "[")
	if !nested || !strings.HasSuffix(rest, "]") {
		return []string{name}
	}
	return append([]string{root}, strings.Split(strings.TrimSuffix(rest, "]"), "][")...)
}

// put sets what a path leads to, below node, and returns the node. "" is the end of an array, and a
// number an element of one, unless node is an object already.
func put(node any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	_, isObject := node.(*object)
	index, err := strconv.Atoi(path[0])
	if (path[0] == "" || err == nil && index >= 0) && !isObject {
		return putElement(node, path, index, value)
	}
	o, ok := node.(*object)
	if node == nil {
		o, ok = &object{values: map[string]any{}}, true
	}
	if !ok {
		return nil, errNotArray
	}
	old, there := o.values[path[0]]
	if !there {
		o.names = append(o.names, path[0])
	}
	if len(path) == 1 {
		old = nil // the last one counts
	}
	o.values[path[0]], err = put(old, path[1:], value)
	return o, err
}

func putElement(node any, path []string, index int, value any) (any, error) {
	list, ok := node.([]any)
	if !ok && node != nil {
		return nil, errNotArray
	}
	if path[0] == "" {
		index = len(list)
	}
	if index >= maxIndex {
		return nil, errLongArray
	}
	for len(list) <= index {
		list = append(list, nil)
	}
	element, err := put(list[index], path[1:], value)
	list[index] = element
	return list, err
}
