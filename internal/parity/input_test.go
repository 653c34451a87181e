package parity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"strings"

	"github.com/mountable/requests"
)

// inexpressible is a value that Python could be given and Go's types cannot: the step or vector is skipped for it.
type inexpressible struct{ what string }

func (e inexpressible) Error() string { return "no Go value: " + e.what }

func cannot(format string, args ...any) error {
	return inexpressible{fmt.Sprintf(format, args...)}
}

// text reads a JSON value as text: a string, a number, or {"bytes": ..}.
func text(raw json.RawMessage) (string, error) {
	var s string
	if json.Unmarshal(raw, &s) == nil && string(raw) != "null" {
		return s, nil
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil && n != "" {
		return n.String(), nil
	}
	var wrapped struct {
		Bytes *wireText `json:"bytes"`
	}
	if json.Unmarshal(raw, &wrapped) == nil && wrapped.Bytes != nil {
		return string(*wrapped.Bytes), nil
	}
	return "", cannot("%s where text is due", raw)
}

// rawPair is a name with any value.
type rawPair struct {
	name  string
	value json.RawMessage
}

func (p *rawPair) UnmarshalJSON(raw []byte) error {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil || len(items) != 2 {
		return fmt.Errorf("no pair: %s", raw)
	}
	p.value = items[1]
	var err error
	p.name, err = text(items[0])
	return err
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// headerOptions gives headers as one mapping: of names that differ in case only the last wins, in the first one's place.
func headerOptions(raw json.RawMessage) ([]requests.Option, error) {
	var pairs []rawPair
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, err
	}
	var headers requests.Headers
	var options []requests.Option
	for _, p := range pairs {
		if isNull(p.value) {
			options = append(options, requests.WithoutHeader(p.name))
			continue
		}
		value, err := headerValue(p.value)
		if err != nil {
			return nil, err
		}
		headers.Set(unlatin1(p.name), value)
	}
	return append(options, headers), nil
}

// headerValue is the bytes of a header value: text in Latin-1, or bytes. Nothing else is one.
func headerValue(raw json.RawMessage) (string, error) {
	value, err := text(raw)
	if err != nil || raw[0] == '{' {
		return value, err
	}
	if raw[0] != '"' {
		return "", cannot("header value %s", raw)
	}
	return unlatin1(value), nil
}

// fields flattens a mapping or list of pairs: lists repeat the key. The names of null values come apart.
func fields(raw json.RawMessage) (pairs [][2]string, null []string, err error) {
	var in []rawPair
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, nil, err
	}
	for _, p := range in {
		if isNull(p.value) {
			null = append(null, p.name)
			continue
		}
		values := []json.RawMessage{p.value}
		if p.value[0] == '[' {
			if err := json.Unmarshal(p.value, &values); err != nil {
				return nil, nil, err
			}
		}
		for _, v := range values {
			value, err := text(v)
			if err != nil {
				return nil, nil, err
			}
			pairs = append(pairs, [2]string{p.name, value})
		}
	}
	return pairs, null, nil
}

// shapes are the ways to give data or params.
type shapes struct {
	Map    json.RawMessage   `json:"map"`
	List   json.RawMessage   `json:"list"`
	Text   *string           `json:"text"`
	Bytes  *wireText         `json:"bytes"`
	Chunks []wireText        `json:"chunks"`
	File   string            `json:"file"`
	Seek   int64             `json:"seek"`
	Reader *readerSpec       `json:"reader"`
	Tuple  []json.RawMessage `json:"tuple"`
}

// readerSpec is a stream with chosen abilities.
type readerSpec struct {
	Bytes wireText `json:"bytes"`
	Mode  string   `json:"mode"`
	Seek  int64    `json:"seek"`
	Len   *int     `json:"len"`
}

func paramOptions(raw json.RawMessage) ([]requests.Option, error) {
	var query string
	if json.Unmarshal(raw, &query) == nil {
		return []requests.Option{requests.Query(query)}, nil
	}
	var in shapes
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.List != nil {
		pairs, _, err := fields(in.List)
		return []requests.Option{requests.OnlyParams(pairs)}, err
	}
	pairs, null, err := fields(in.Map)
	return []requests.Option{requests.Params(pairs), requests.WithoutParam(null...)}, err
}

func (s *shapes) option() (requests.Option, error) {
	if raw := or(s.Map, s.List); raw != nil {
		return formOption(raw)
	}
	v, err := s.content()
	return requests.Body(v), err
}

func or(a, b json.RawMessage) json.RawMessage {
	if a != nil {
		return a
	}
	return b
}

func formOption(raw json.RawMessage) (requests.Option, error) {
	pairs, null, err := fields(raw)
	if len(pairs) == 0 && len(null) > 0 {
		return nil, cannot("a form with nothing but null values")
	}
	return requests.Form(pairs), err
}

// content is what Body takes.
func (s *shapes) content() (any, error) {
	switch {
	case s.Text != nil:
		return *s.Text, nil
	case s.Bytes != nil:
		return []byte(*s.Bytes), nil
	case s.Chunks != nil:
		return once(s.Chunks), nil
	case s.Reader != nil:
		return s.Reader.open(), nil
	case s.File != "":
		return openAt(s.File, s.Seek)
	}
	return nil, fmt.Errorf("data of no known shape")
}

// once is an iterator that is empty the second time, as Python's are.
func once(chunks []wireText) iter.Seq[[]byte] {
	used := false
	return func(yield func([]byte) bool) {
		if used {
			return
		}
		used = true
		for _, c := range chunks {
			if !yield(c) {
				return
			}
		}
	}
}

func openAt(path string, at int64) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	_, err = f.Seek(at, io.SeekStart)
	return f, err
}

// open makes the reader with just the abilities asked for.
func (r *readerSpec) open() io.Reader {
	in := bytes.NewReader(r.Bytes)
	in.Seek(r.Seek, io.SeekStart)
	switch r.Mode {
	case "seekable":
		return struct{ io.ReadSeeker }{in}
	case "no_seek", "bad_seek":
		return &awkward{Reader: in, tells: in}
	case "bad_tell":
		return &awkward{Reader: in}
	}
	if r.Len != nil {
		return &sized{in, *r.Len}
	}
	return struct{ io.Reader }{in}
}

type sized struct {
	io.Reader
	length int
}

func (s *sized) Len() int { return s.length }

// awkward has a Seek method that can tell the position at best.
type awkward struct {
	io.Reader
	tells io.Seeker
}

func (a *awkward) Seek(offset int64, whence int) (int64, error) {
	if a.tells == nil || offset != 0 || whence != io.SeekCurrent {
		return 0, errors.New("this stream does not seek")
	}
	return a.tells.Seek(0, io.SeekCurrent)
}

// fileOptions builds the parts of a multipart body.
func fileOptions(raw json.RawMessage) (requests.Option, error) {
	var pairs []rawPair
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, err
	}
	var files requests.Files
	for _, p := range pairs {
		f, err := filePart(p)
		if err != nil {
			return nil, err
		}
		if f.Content != nil {
			files = append(files, f)
		}
	}
	return files, nil
}

func filePart(p rawPair) (requests.File, error) {
	var in shapes
	if err := json.Unmarshal(p.value, &in); err != nil {
		return requests.File{}, err
	}
	f := requests.File{Field: p.name}
	if in.Tuple == nil {
		err := fillPart(&f, &in)
		return f, err
	}
	err := fillTuple(&f, in.Tuple)
	return f, err
}

func fillPart(f *requests.File, in *shapes) error {
	v, err := in.content()
	switch v := v.(type) {
	case string:
		f.Content = strings.NewReader(v)
	case []byte:
		f.Content = bytes.NewReader(v)
	case io.Reader:
		f.Content = v
	}
	return err
}

// fillTuple reads (filename, content, type, headers).
func fillTuple(f *requests.File, items []json.RawMessage) error {
	if isNull(items[0]) {
		f.NoName = true
	} else if err := json.Unmarshal(items[0], &f.Name); err != nil {
		return err
	}
	if len(items) > 1 && !isNull(items[1]) {
		var in shapes
		if err := json.Unmarshal(items[1], &in); err != nil {
			return err
		}
		if err := fillPart(f, &in); err != nil {
			return err
		}
	}
	if len(items) > 2 && !isNull(items[2]) {
		if err := json.Unmarshal(items[2], &f.ContentType); err != nil {
			return err
		}
	}
	if len(items) > 3 {
		pairs, _, err := fields(items[3])
		f.Headers = pairs
		return err
	}
	return nil
}

// jsonBody keeps the member order of a json body and gives the floats that JSON cannot.
func jsonBody(raw json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return orderedValue(dec)
}

func orderedValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		items := []any{}
		for dec.More() {
			v, err := orderedValue(dec)
			if err != nil {
				return nil, err
			}
			items = append(items, v)
		}
		_, err = dec.Token()
		return items, err
	case json.Delim('{'):
		return orderedMembers(dec)
	case "${nan}":
		return math.NaN(), nil
	case "${inf}":
		return math.Inf(1), nil
	}
	return token, nil
}

func orderedMembers(dec *json.Decoder) (any, error) {
	object := orderedObject{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		v, err := orderedValue(dec)
		if err != nil {
			return nil, err
		}
		object = append(object, member{key.(string), v})
	}
	_, err := dec.Token()
	return object, err
}

type member struct {
	key   string
	value any
}

// orderedObject marshals as a JSON object in this order, as a Python dict does.
type orderedObject []member

func (o orderedObject) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out.Write(key)
		out.WriteByte(':')
		out.Write(value)
	}
	return append([]byte{'{'}, append(out.Bytes(), '}')...), nil
}
