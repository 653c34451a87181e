package parity

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

func giveFiles(t *testing.T, in input, r *requests.Request) error {
	entries, err := typedEntries(in.typed(t, "files"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		field, err := pythonText(e[0])
		if err != nil {
			return err
		}
		f := requests.File{Field: field}
		if err := fileInto(t, e[1], &f); err != nil {
			return err
		}
		r.Files = append(r.Files, f)
	}
	return nil
}

// fileInto fills a part from content or (name, content, type, headers).
func fileInto(t *testing.T, v any, f *requests.File) error {
	items, ok := sequence(v)
	if !ok {
		return contentInto(t, v, f)
	}
	if len(items) < 2 || len(items) > 4 {
		return cannot("a file tuple of %d items", len(items))
	}
	switch name := items[0].(type) {
	case nil:
		f.NoName = true
	case string:
		f.Name = name
		if name == "" {
			return cannot("an empty file name: here it means that none is given")
		}
	default:
		return cannot("a file name that is %T", name)
	}
	if err := contentInto(t, items[1], f); err != nil {
		return err
	}
	if len(items) > 2 && items[2] != nil {
		text, ok := items[2].(string)
		if !ok {
			return cannot("a content type that is %T", items[2])
		}
		f.ContentType = text
	}
	if len(items) > 3 {
		pairs, _, err := typedPairs(items[3])
		f.Headers = pairs
		return err
	}
	return nil
}

func contentInto(t *testing.T, v any, f *requests.File) error {
	switch v := v.(type) {
	case nil:
	case string:
		f.Content = strings.NewReader(v)
	case []byte:
		f.Content = bytes.NewReader(v)
	case *fileValue:
		content, err := v.open(t)
		f.Content = content
		return err
	case *textFileValue:
		f.Content = v.open()
	default:
		return cannot("file content that is %T", v)
	}
	return nil
}

// encodeFiles sends files and data through a prepared request, its own boundary written as the recorded one.
func encodeFiles(t *testing.T, in input) (any, error) {
	if entries, _ := typedEntries(in.typed(t, "files")); !in.present("files") || in.list("files") != nil && len(entries) == 0 {
		return nil, cannot("no files at all where files are encoded")
	}
	if text, isText := in.typed(t, "data").(string); isText && text == "" {
		return nil, cannot("empty text as the fields of a form")
	}
	r, err := requestOf(t, in, "POST", "http://h.test/")
	if err != nil {
		return nil, err
	}
	p, err := bareSession().Prepare(r)
	if err != nil {
		return nil, err
	}
	contentType := p.Headers.Get("Content-Type")
	_, boundary, _ := strings.Cut(contentType, "boundary=")
	data, _ := p.Body()
	return map[string]any{
		"body":         b64(bytes.ReplaceAll(data, []byte(boundary), []byte("BOUNDARY"))),
		"content_type": strings.Replace(contentType, boundary, "BOUNDARY", 1),
	}, nil
}

// partFilename prepares a multipart body around one file and reads the name it was given.
func partFilename(t *testing.T, file *fileValue) (string, error) {
	content, err := file.open(t)
	if err != nil {
		return "", err
	}
	r := &requests.Request{Method: "POST", URL: "http://h.test/", Files: requests.Files{{Field: "field", Content: content}}}
	p, err := r.Prepare()
	if err != nil {
		return "", err
	}
	data, _ := p.Body()
	_, rest, _ := strings.Cut(string(data), `filename="`)
	name, _, _ := strings.Cut(rest, `"`)
	return name, nil
}
