package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	errNotText   = errors.New("it is not text in UTF-8, which JSON would change: send it by name@file or @file")
)

// step leads from a value to one inside of it: a member, an element, or the end of an array.
type step struct {
	member string
	index  int // of an element; end is behind the last one; notIndex where it is a member
}

const (
	notIndex = -1
	end      = -2
)

// pathOf takes a name apart, as HTTPie does:
//
//	name             leads to
//	a[b][2][]        member b of a, in it element 2, in it a new element
//	[0][a], []       an element of the array that is the body
//	a\[b\]           the member "a[b]"
//	a[\2]            the member "2" of a
func pathOf(name string) ([]step, error) {
	root, rest := cutKey(name, '[')
	path := []step{{member: unescape(root), index: notIndex}}
	if root == "" && strings.HasPrefix(name, "[") {
		path = nil
	}
	for rest != "" {
		key, behind := cutKey(rest[1:], ']')
		if !strings.HasPrefix(behind, "]") {
			return nil, fmt.Errorf("expected ] behind %q", rest)
		}
		if rest = behind[1:]; rest != "" && rest[0] != '[' {
			return nil, fmt.Errorf("expected [ or nothing instead of %q", rest)
		}
		path = append(path, stepOf(key))
	}
	return path, nil
}

// stepOf is what stands in brackets. A backslash makes a number the name of a member.
func stepOf(key string) step {
	if key == "" {
		return step{index: end}
	}
	if index, err := strconv.Atoi(key); err == nil && index >= 0 && key[0] != '+' {
		return step{index: index}
	}
	return step{member: unescape(key), index: notIndex}
}

// cutKey cuts at the first stop that has no backslash before it; rest begins with it.
func cutKey(s string, stop byte) (key, rest string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case stop:
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// unescape drops the backslashes before brackets, numbers and themselves.
func unescape(key string) string {
	var b strings.Builder
	for i := 0; i < len(key); i++ {
		if key[i] == '\\' && i+1 < len(key) && strings.IndexByte(`[]\0123456789`, key[i+1]) >= 0 {
			i++
		}
		b.WriteByte(key[i])
	}
	return b.String()
}

// put sets what a path leads to, below node, and returns the node.
func put(node any, path []step, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	if path[0].index != notIndex {
		return putElement(node, path, value)
	}
	node = opened(node)
	o, ok := node.(*object)
	if node == nil {
		o, ok = &object{values: map[string]any{}}, true
	}
	if !ok {
		return nil, errNotArray
	}
	name := path[0].member
	old, there := o.values[name]
	if !there {
		o.names = append(o.names, name)
	}
	if len(path) == 1 {
		old = nil // the last one counts
	}
	var err error
	o.values[name], err = put(old, path[1:], value)
	return o, err
}

func putElement(node any, path []step, value any) (any, error) {
	node = opened(node)
	list, ok := node.([]any)
	if !ok && node != nil {
		return nil, errNotArray
	}
	index := path[0].index
	if index == end {
		index = len(list)
	}
	if index >= maxIndex {
		return nil, errLongArray
	}
	for len(list) <= index {
		list = append(list, nil)
	}
	old := list[index]
	if len(path) == 1 {
		old = nil
	}
	element, err := put(old, path[1:], value)
	list[index] = element
	return list, err
}

// opened is the array or the object of a value in JSON, which later items add to.
func opened(node any) any {
	raw, ok := node.(json.RawMessage)
	if !ok {
		return node
	}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) == nil && elements != nil {
		list := make([]any, len(elements))
		for i, element := range elements {
			list[i] = element
		}
		return list
	}
	if o := openedObject(raw); o != nil {
		return o
	}
	return node
}

// openedObject is nil for what is not an object. raw is valid JSON.
func openedObject(raw json.RawMessage) *object {
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil
	}
	o := &object{values: map[string]any{}}
	for d.More() {
		var value json.RawMessage
		name, _ := d.Token()
		text, isName := name.(string)
		if !isName || d.Decode(&value) != nil {
			return nil
		}
		if _, there := o.values[text]; !there {
			o.names = append(o.names, text)
		}
		o.values[text] = value
	}
	return o
}
