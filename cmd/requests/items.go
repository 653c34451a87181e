package main

import (
	"cmp"
	"encoding/json"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

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
			if i++; text[i] == '\\' {
				name.WriteByte('\\') // both stay: the name of JSON's member takes them apart
			}
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

// checked refuses an item without a name, but for the file that is the body.
func (i item) checked() (item, error) {
	if i.name == "" && i.separator != "@" {
		return i, misuse("%q is not an item: it has no name", i.text)
	}
	return i, nil
}

// content is the value, of the file that it names where the separator says so. A line end at the end
// of a file is not part of a header or a parameter.
func (i item) content() (string, error) {
	if !strings.HasSuffix(i.separator, "@") || i.separator == "@" {
		return i.value, nil
	}
	data, err := os.ReadFile(atHome(i.value))
	if err != nil {
		return "", misuse("%q: %v", i.text, err)
	}
	if i.separator == ":@" || i.separator == "==@" {
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	return string(data), nil
}

// atHome expands a tilde, which a shell does not do behind an @.
func atHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

// items are what a request is made of.
type items struct {
	headers  requests.Headers
	without  []string // default headers that are left out
	params   requests.Params
	data     []datum // of the JSON body
	form     requests.Form
	fields   toolbelt.Fields // of a multipart form
	hasFiles bool
	notForm  string // an item whose value no form can have
	file     string // whose content is the body
	fileType string // its Content-Type, "" where that is not known
}

// datum is a data item: its value is a text, or JSON.
type datum struct {
	item
	json any
}

// object is the JSON body.
func (x *items) object() (body any, err error) {
	for _, d := range x.data {
		path, err := pathOf(d.name)
		if text, ok := d.json.(string); ok && !utf8.ValidString(text) {
			err = errNotText
		}
		if err == nil {
			body, err = put(body, path, d.json)
		}
		if err != nil {
			return nil, misuse("%q: %v", d.text, err)
		}
	}
	return body, nil
}

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
	if x.fileType != "" && !x.headers.Has("Content-Type") {
		x.headers = append(requests.Headers{{"Content-Type", x.fileType}}, x.headers...)
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
		return x.addFile(i)
	case "=", "=@":
		x.addData(i, value, value)
	default:
		if !json.Valid([]byte(value)) {
			return misuse("%q: the value is not JSON", i.text)
		}
		text, ok := formText(value)
		if !ok {
			x.notForm = cmp.Or(x.notForm, i.text)
		}
		x.addData(i, text, json.RawMessage(value))
	}
	return nil
}

// formText is what a form has for a value in JSON, if it can have one.
func formText(value string) (string, bool) {
	var decoded any
	_ = json.Unmarshal([]byte(value), &decoded)
	switch v := decoded.(type) {
	case string:
		return v, true
	case float64, bool:
		return strings.TrimSpace(value), true
	}
	return "", false
}

// keepBoundary adds the boundary of a multipart form to a Content-Type among the items.
func (x *items) keepBoundary(form string) {
	_, boundary, multipart := strings.Cut(form, "; boundary=")
	own := x.headers.Get("Content-Type")
	if multipart && strings.HasPrefix(form, "multipart/") && own != "" && !strings.Contains(strings.ToLower(own), "boundary=") {
		x.headers.Set("Content-Type", own+"; boundary="+boundary)
	}
}

// addFile adds a file to the form or, where it has no name, makes it the body.
func (x *items) addFile(i item) error {
	path, kind, _ := strings.Cut(i.value, ";type=")
	if kind == "" {
		kind, _, _ = strings.Cut(mime.TypeByExtension(filepath.Ext(path)), ";") // the name does not tell the charset
	}
	if i.name != "" {
		x.hasFiles = true
		x.fields = append(x.fields, toolbelt.Field{Name: i.name, Value: toolbelt.Path(atHome(path)), ContentType: kind})
		return nil
	}
	if x.file != "" || path == "" {
		return misuse("%q: one file is the body, and it has to be named", i.text)
	}
	x.file, x.fileType = atHome(path), kind
	return nil
}

// addData adds to the JSON body and to the form: which it will be, the flags say.
func (x *items) addData(i item, text string, value any) {
	x.form = append(x.form, [2]string{i.name, text})
	x.fields = append(x.fields, toolbelt.Field{Name: i.name, Value: text})
	x.data = append(x.data, datum{i, value})
}
