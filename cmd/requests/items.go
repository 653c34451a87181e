package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// separators of items, longer ones before those they begin with.
var separators = []string{":=@", "==@", ":=", "==", "=@", ":@", "=", "@", ":"}

// item is one item of the command line.
type item struct{ text, name, separator, value string }

// parseItem finds the first separator that no backslash makes text.
func parseItem(text string) (item, error) {
	var name strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && strings.IndexByte(`\=:@;`, text[i+1]) >= 0 {
			i++
			name.WriteByte(text[i])
			continue
		}
		for _, s := range separators {
			if strings.HasPrefix(text[i:], s) {
				return item{text, name.String(), s, text[i+len(s):]}.checked()
			}
		}
		if text[i] == ';' && i == len(text)-1 {
			return item{text, name.String(), ";", ""}.checked()
		}
		name.WriteByte(text[i])
	}
	return item{}, misuse("%q is not an item: expected Header:value, name=value, name:=json, name==value or name@file", text)
}

func (i item) checked() (item, error) {
	if i.name == "" {
		return i, misuse("%q is not an item: it has no name", i.text)
	}
	return i, nil
}

// content is the value, of the file that it names where the separator says so.
func (i item) content() (string, error) {
	if !strings.HasSuffix(i.separator, "@") || i.separator == "@" {
		return i.value, nil
	}
	data, err := os.ReadFile(i.value)
	if err != nil {
		return "", misuse("%q: %v", i.text, err)
	}
	return strings.TrimSuffix(string(data), "\n"), nil
}

// items are what a request is made of.
type items struct {
	headers  requests.Headers
	without  []string // default headers that are left out
	params   requests.Params
	object   any // of the JSON body; nil if there are no data items
	form     requests.Form
	fields   toolbelt.Fields // of a multipart form
	hasFiles bool
}

// hasData reports whether the items make a body.
func (x *items) hasData() bool { return x.object != nil || len(x.fields) > 0 }

func parseItems(args []string) (*items, error) {
	x := &items{}
	for _, arg := range args {
		i, err := parseItem(arg)
		if err != nil {
			return nil, err
		}
		value, err := i.content()
		if err != nil {
			return nil, err
		}
		if err := x.add(i, value); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (x *items) add(i item, value string) error {
	switch i.separator {
	case ":", ":@":
		if value == "" && i.separator == ":" {
			x.without = append(x.without, i.name)
			return nil
		}
		x.headers.Add(i.name, strings.TrimSpace(value))
	case ";":
		x.headers.Add(i.name, "")
	case "==", "==@":
		x.params = append(x.params, [2]string{i.name, value})
	case "@":
		x.addFile(i)
	case "=", "=@":
		return x.addData(i, value, value)
	default:
		if !json.Valid([]byte(value)) {
			return misuse("%q: the value is not JSON", i.text)
		}
		return x.addData(i, value, json.RawMessage(value))
	}
	return nil
}

func (x *items) addFile(i item) {
	path, kind, _ := strings.Cut(i.value, ";type=")
	x.hasFiles = true
	x.fields = append(x.fields, toolbelt.Field{Name: i.name, Value: toolbelt.Path(path), ContentType: kind})
}

// addData adds to the JSON body and to the form: which it will be, the flags say.
func (x *items) addData(i item, text string, value any) (err error) {
	x.form = append(x.form, [2]string{i.name, text})
	x.fields = append(x.fields, toolbelt.Field{Name: i.name, Value: text})
	if x.object == nil {
		x.object = &object{values: map[string]any{}}
	}
	x.object, err = put(x.object, pathOf(i.name), value)
	if err != nil {
		return misuse("%q: %v", i.text, err)
	}
	return nil
}
