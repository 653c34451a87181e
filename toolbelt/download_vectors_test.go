package toolbelt

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
)

// none is the expectation of no name.
const none = "<none>"

// nameDifferences are where a name is not the recorded one. The rules:
//
//   - quotes are not part of a name, and what is escaped in them is not (RFC 6266)
//   - filename* wins over filename (RFC 8187); an unfinished quoted string is no name
//   - blanks around a name are not part of it
//   - names are made safe (security rule 37)
//   - "filename=" is no name, where Python raises TypeError
var nameDifferences = map[string]string{
	"toolbelt_filename-004": "a b.txt",
	"toolbelt_filename-007": "x",
	"toolbelt_filename-013": "b.txt",
	"toolbelt_filename-014": "b.txt",
	"toolbelt_filename-017": "x",
	"toolbelt_filename-018": "a_b",
	"toolbelt_filename-021": none,
	"toolbelt_filename-023": none,
	"toolbelt_filename-024": none, // recorded as the empty name
	"toolbelt_filename-026": "y",
	"toolbelt_filename-032": none, // recorded as the empty name
	"toolbelt_filename-033": "q.txt",
	"toolbelt_filename-037": none,
	"toolbelt_filename-040": "x",

	"toolbelt_download_path-015": "f.txt",
	"toolbelt_download_path-016": "f.txt",
	"toolbelt_download_path-017": "<DIR>/f.txt",
	"toolbelt_download_path-022": "b.txt",
	"toolbelt_download_path-023": "b.txt",
	"toolbelt_download_path-024": "<DIR>/b.txt",
}

// wantName is what a vector's name has to be.
func wantName[In any](t *testing.T, v *vector[In]) string {
	t.Helper()
	if name, ok := nameDifferences[v.ID]; ok {
		return name
	}
	if v.Error != "" {
		return none
	}
	name := new(string)
	v.out(t, &name)
	if name == nil {
		return none
	}
	return *name
}

func TestFilenameVectors(t *testing.T) {
	type input struct {
		Header string `json:"content_disposition"`
	}
	for _, v := range cases.Recorded[vector[input]](t, "toolbelt_filename") {
		raw, _ := Filename(v.In.Header)
		got, ok := SafeFilename(raw)
		if !ok {
			got = none
		}
		if want := wantName(t, &v); got != want {
			t.Errorf("%s: %q names %q, want %q", v.ID, v.In.Header, got, want)
		}
	}
}

// respond makes a streamed response of one body that comes in these chunks.
func respond(disposition *string, chunks ...recordedBytes) *requests.Response {
	var h requests.Headers
	if disposition != nil {
		h.Add("Content-Disposition", *disposition)
	}
	p := &requests.PreparedRequest{Method: "GET", URL: "http://h.test/from/url.bin?x=y"}
	return requests.NewResponse(p, 200, h, &chunkedReader{chunks})
}

// chunkedReader gives one chunk a Read.
type chunkedReader struct{ chunks []recordedBytes }

func (c *chunkedReader) Read(b []byte) (int, error) {
	if len(c.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.chunks[0])
	if c.chunks[0] = c.chunks[0][n:]; len(c.chunks[0]) == 0 {
		c.chunks = c.chunks[1:]
	}
	return n, nil
}

func (c *chunkedReader) Close() error          { return nil }
func (c *chunkedReader) Chunked() bool         { return true }
func (c *chunkedReader) ChunkRemaining() int64 { return 0 }

func TestDownloadPathVectors(t *testing.T) {
	type input struct {
		Header *string `json:"content_disposition"`
		Path   string
	}
	dir := t.TempDir()
	for _, v := range cases.Recorded[vector[input]](t, "toolbelt_download_path") {
		got, err := DownloadPath(respond(v.In.Header), strings.ReplaceAll(v.In.Path, "<DIR>", dir))
		if errors.Is(err, ErrStreaming) {
			got = none
		} else if err != nil {
			t.Errorf("%s: %v", v.ID, err)
		}
		got = strings.ReplaceAll(got, dir, "<DIR>")
		if want := wantName(t, &v); got != want {
			t.Errorf("%s: %+v goes to %q, want %q", v.ID, v.In, got, want)
		}
	}
}

type saved struct {
	Returned string
	Written  recordedBytes
	Writes   []int
}

func TestStreamToFileVectors(t *testing.T) {
	type input struct {
		Chunks   []recordedBytes
		Path     string
		Existing []string
		Header   *string `json:"content_disposition"`
	}
	for _, v := range cases.Recorded[vector[input]](t, "toolbelt_stream_to_file") {
		t.Run(v.ID, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for _, name := range v.In.Existing {
				writeFile(t, name, "old")
			}
			r := respond(v.In.Header, v.In.Chunks...)
			var got saved
			var err error
			if v.In.Path == "fileobj" {
				var w writes
				_, err = StreamResponseToWriter(r, &w)
				got = saved{Written: w.data, Writes: w.sizes}
			} else {
				got.Returned, err = StreamResponseToFile(r, strings.ReplaceAll(v.In.Path, "<DIR>", dir))
				got.Written, _ = os.ReadFile(got.Returned)
				got.Returned = strings.ReplaceAll(got.Returned, dir, "<DIR>")
			}
			kinds := map[string]error{"StreamingError": ErrStreaming, "FileNotFoundError": os.ErrNotExist}
			if !errors.Is(err, kinds[v.Error]) {
				t.Fatalf("the error is %v, want %s", err, v.Error)
			}
			if v.Error != "" {
				return
			}
			var want saved
			v.out(t, &want)
			if v.In.Path == "fileobj" {
				want.Returned = "" // the name of a writer is its owner's to know
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// writes remembers each Write.
type writes struct {
	data  []byte
	sizes []int
}

func (w *writes) Write(b []byte) (int, error) {
	w.data, w.sizes = append(w.data, b...), append(w.sizes, len(b))
	return len(b), nil
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// entries are the names in a directory.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestTeeVectors(t *testing.T) {
	type input struct {
		Chunks    []recordedBytes
		Fn        string
		Chunksize int
	}
	type output struct {
		Yielded []recordedBytes
		Stored  recordedBytes
	}
	for _, v := range cases.Recorded[vector[input]](t, "toolbelt_tee") {
		if v.Error != "" {
			continue // a TypeError: what is not for bytes cannot be given
		}
		t.Run(v.ID, func(t *testing.T) {
			var options []DownloadOption
			if v.In.Chunksize > 0 {
				options = append(options, ChunkSize(v.In.Chunksize))
			}
			var want, got output
			v.out(t, &want)
			r := respond(nil, v.In.Chunks...)
			got.Yielded = []recordedBytes{}
			var file bytes.Buffer
			seq := Tee(r, &file, options...)
			if v.In.Fn == "tee_to_bytearray" {
				seq = TeeToBytes(r, (*[]byte)(&got.Stored), options...)
			}
			for chunk, err := range seq {
				if err != nil {
					t.Fatal(err)
				}
				got.Yielded = append(got.Yielded, bytes.Clone(chunk))
			}
			got.Stored = append(got.Stored, file.Bytes()...)
			want.Stored = append(recordedBytes(nil), want.Stored...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
