package requests_test

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// sentBody is a kind of body: how it is given, and what of it has to arrive.
type sentBody struct {
	give  func(t *testing.T, text string) requests.Option
	again bool // the same request can send it again
	anew  bool // another request of the same value can
	want  func(text string) string
}

// plainBody is a value of the Body option that arrives as it is.
func plainBody(again bool, value func(t *testing.T, text string) any) sentBody {
	give := func(t *testing.T, text string) requests.Option { return requests.Body(value(t, text)) }
	return sentBody{give, again, again, func(text string) string { return text }}
}

// partBody is a body with one part, which is named f.
func partBody(again bool, give func(t *testing.T, text string) requests.Option) sentBody {
	return sentBody{give, again, again, func(text string) string { return "f=" + text }}
}

// contents are readers and values that give text.
var contents = map[string]struct {
	again bool
	give  func(t *testing.T, text string) any
}{
	"string":         {true, func(t *testing.T, text string) any { return text }},
	"[]byte":         {true, func(t *testing.T, text string) any { return []byte(text) }},
	"bytes.Buffer":   {true, func(t *testing.T, text string) any { return bytes.NewBufferString(text) }},
	"bytes.Reader":   {true, func(t *testing.T, text string) any { return bytes.NewReader([]byte(text)) }},
	"strings.Reader": {true, func(t *testing.T, text string) any { return strings.NewReader(text) }},
	"io.SectionReader": {true, func(t *testing.T, text string) any {
		return io.NewSectionReader(strings.NewReader("<"+text+">"), 1, int64(len(text)))
	}},
	"*os.File": {true, func(t *testing.T, text string) any {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, []byte("skipped"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return noError(f, errorOf(f.Seek(7, io.SeekStart)))
	}},
	"io.MultiReader": {false, func(t *testing.T, text string) any { return io.MultiReader(strings.NewReader(text)) }},
	"io.Pipe": {false, func(t *testing.T, text string) any {
		r, w := io.Pipe()
		t.Cleanup(func() { r.Close() })
		go func() { w.CloseWithError(errorOf(io.WriteString(w, text))) }()
		return r
	}},
	"os.Pipe": {false, func(t *testing.T, text string) any {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		go func() { _, _ = w.WriteString(text); w.Close() }()
		return r
	}},
}

func errorOf[T any](_ T, err error) error { return err }

// iterators give text item by item.
var iterators = map[string]func(text string) any{
	"iter.Seq[[]byte]": func(text string) any { return iter.Seq[[]byte](func(yield func([]byte) bool) { yield([]byte(text)) }) },
	"iter.Seq[string]": func(text string) any { return iter.Seq[string](func(yield func(string) bool) { yield(text) }) },
	"func of string":   func(text string) any { return func(yield func(string) bool) { yield(text) } },
	"func of []byte":   func(text string) any { return func(yield func([]byte) bool) { yield([]byte(text)) } },
	"iter.Seq2[[]byte]": func(text string) any {
		return iter.Seq2[[]byte, error](func(yield func([]byte, error) bool) { yield([]byte(text), nil) })
	},
	"iter.Seq2[string]": func(text string) any {
		return iter.Seq2[string, error](func(yield func(string, error) bool) { yield(text, nil) })
	},
	"a named iterator": func(text string) any { return words(func(yield func(string) bool) { yield(text) }) },
}

// words is an iterator under a name of its own.
type words func(yield func(string) bool)

// withoutLength are the contents that the toolbelt's encoder refuses, as they tell no length.
var withoutLength = map[string]bool{"io.MultiReader": true, "io.Pipe": true, "os.Pipe": true}

// sentBodies returns every kind of body.
func sentBodies() map[string]sentBody {
	kinds := map[string]sentBody{
		"NoBody":          {func(*testing.T, string) requests.Option { return requests.Body(http.NoBody) }, true, true, func(string) string { return "" }},
		"json.RawMessage": plainBody(true, func(_ *testing.T, text string) any { return json.RawMessage(text) }),
		"nil":             {func(*testing.T, string) requests.Option { return requests.Body(nil) }, true, true, func(string) string { return "" }},
		"Form": {func(_ *testing.T, text string) requests.Option { return requests.Form{{"f", text}} }, true, true,
			func(text string) string { return url.Values{"f": {text}}.Encode() }},
		"JSON": {func(_ *testing.T, text string) requests.Option { return requests.JSON([]string{text}) }, true, true,
			func(text string) string { b, _ := json.Marshal([]string{text}); return string(b) }},
	}
	for name, give := range iterators {
		seq := plainBody(false, func(_ *testing.T, text string) any { return give(text) })
		seq.anew = true // another request asks the function again
		kinds[name] = seq
	}
	for name, c := range contents {
		kinds[name] = plainBody(c.again, c.give)
		if !withoutLength[name] {
			addEncoders(kinds, name, c.again, c.give)
		}
		if name != "string" && name != "[]byte" {
			addReader(kinds, name, c.again, c.give)
		}
	}
	kinds["StreamingIterator of iter.Seq[[]byte]"] = plainBody(true, func(_ *testing.T, text string) any {
		return noError(toolbelt.NewStreamingIterator(int64(len(text)), iterators["iter.Seq[[]byte]"](text)))
	})
	kinds["URLFile"] = plainBody(true, func(t *testing.T, text string) any { return urlFile(t, text) })
	addEncoders(kinds, "URLFile", true, func(t *testing.T, text string) any { return urlFile(t, text) })
	addEncoders(kinds, "Path", true, func(t *testing.T, text string) any {
		name := filepath.Join(t.TempDir(), "f")
		return noError(toolbelt.Path(name), os.WriteFile(name, []byte(text), 0o600))
	})
	return kinds
}

// addReader adds the ways to send what is an io.Reader.
func addReader(kinds map[string]sentBody, name string, again bool, give func(t *testing.T, text string) any) {
	files := func(t *testing.T, text string) requests.Option {
		return requests.Files{{Field: "f", Content: give(t, text).(io.Reader)}}
	}
	kinds["Files of "+name] = partBody(true, files) // in memory
	if name == "*os.File" || name == "io.MultiReader" || name == "bytes.Buffer" {
		large := func(text string) string { return strings.Repeat(text, 1<<20/len(text)+1) }
		kinds["large Files of "+name] = sentBody{
			func(t *testing.T, text string) requests.Option { return files(t, large(text)) },
			again, again, func(text string) string { return "f=" + large(text) },
		}
	}
	kinds["StreamingIterator of "+name] = plainBody(again, func(t *testing.T, text string) any {
		return noError(toolbelt.NewStreamingIterator(int64(len(text)), give(t, text)))
	})
}

// addEncoders adds the toolbelt's ways to send a part.
func addEncoders(kinds map[string]sentBody, name string, again bool, give func(t *testing.T, text string) any) {
	encoder := func(t *testing.T, text string) *toolbelt.MultipartEncoder {
		return noError(toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "f", Value: give(t, text)}}))
	}
	kinds["MultipartEncoder of "+name] = partBody(again, func(t *testing.T, text string) requests.Option { return encoder(t, text) })
	kinds["Monitor of "+name] = partBody(again, func(t *testing.T, text string) requests.Option {
		return toolbelt.NewMonitor(encoder(t, text), func(*toolbelt.Monitor) {})
	})
}

func urlFile(t *testing.T, text string) *toolbelt.URLFile {
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text) }))
	t.Cleanup(source.Close)
	f := noError(toolbelt.FileFromURL(t.Context(), nil, source.URL))
	t.Cleanup(func() { f.Close() })
	return f
}
