package toolbelt_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func TestRefusedFields(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "unreadable")
	if err := os.WriteFile(secret, nil, 0); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	folder, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	tests := map[string]struct {
		field toolbelt.Field
		want  requests.Kind
	}{
		"number":             {toolbelt.Field{Value: 5}, requests.ErrInvalidBody},
		"boolean":            {toolbelt.Field{Value: true}, requests.ErrInvalidBody},
		"list":               {toolbelt.Field{Value: []string{"a"}}, requests.ErrInvalidBody},
		"nil file":           {toolbelt.Field{Value: (*os.File)(nil)}, requests.ErrInvalidBody},
		"nil reader":         {toolbelt.Field{Value: (*bytes.Reader)(nil)}, requests.ErrInvalidBody},
		"nil iterator":       {toolbelt.Field{Value: (*toolbelt.StreamingIterator)(nil)}, requests.ErrInvalidBody},
		"no length":          {toolbelt.Field{Value: io.MultiReader()}, requests.ErrInvalidBody},
		"negative length":    {toolbelt.Field{Value: sized{strings.NewReader(""), -1}}, requests.ErrInvalidBody},
		"pipe":               {toolbelt.Field{Value: r}, requests.ErrInvalidBody},
		"folder":             {toolbelt.Field{Value: folder}, requests.ErrFile},
		"path of a folder":   {toolbelt.Field{Value: toolbelt.Path(dir)}, requests.ErrFile},
		"missing path":       {toolbelt.Field{Value: toolbelt.Path(filepath.Join(dir, "none"))}, requests.ErrFile},
		"empty path":         {toolbelt.Field{Value: toolbelt.Path("")}, requests.ErrFile},
		"NUL in path":        {toolbelt.Field{Value: toolbelt.Path("a\x00b")}, requests.ErrFile},
		"NUL in name":        {toolbelt.Field{Name: "a\x00b"}, requests.ErrInvalidBody},
		"line in type":       {toolbelt.Field{ContentType: "a/b\r\nX: y"}, requests.ErrInvalidBody},
		"line in header":     {toolbelt.Field{Headers: requests.Headers{{"A", "b\r\nX: y"}}}, requests.ErrInvalidBody},
		"boundary at start":  {toolbelt.Field{Value: "--BOUND"}, requests.ErrInvalidBody},
		"boundary in bytes":  {toolbelt.Field{Value: []byte("a\r\n--BOUNDARY")}, requests.ErrInvalidBody},
		"boundary after LF":  {toolbelt.Field{Value: "a\n--BOUND--"}, requests.ErrInvalidBody},
		"unreadable by path": {toolbelt.Field{Value: toolbelt.Path(secret)}, requests.ErrFile},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if name == "unreadable by path" && os.Getuid() == 0 {
				t.Skip("the tests run as the superuser, who can read every file, so that none is unreadable")
			}
			_, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{test.field}, toolbelt.Boundary("BOUND"))
			if !isKind(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestBoundaries(t *testing.T) {
	good := []string{"b", "a b", "'()+_,-./:=?", strings.Repeat("x", 70)}
	bad := []string{" ", "a ", "a\r\nb", "a\"b", "é", "a\x00", "a;b", strings.Repeat("x", 71)}
	for _, boundary := range slices.Concat(good, bad) {
		_, err := toolbelt.NewMultipartEncoder(nil, toolbelt.Boundary(boundary))
		if got := err == nil; got != slices.Contains(good, boundary) {
			t.Errorf("%q: %v", boundary, err)
		}
	}
}

// TestRule40Boundary: boundaries are 128 random bits.
func TestRule40Boundary(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		e, err := toolbelt.NewMultipartEncoder(nil)
		if err != nil {
			t.Fatal(err)
		}
		if seen[e.Boundary()] || len(e.Boundary()) != 32 {
			t.Fatalf("boundary %q", e.Boundary())
		}
		seen[e.Boundary()] = true
	}
}

func TestPathNamesItself(t *testing.T) {
	path := toolbelt.Path(openFile(t, "x").Name())
	var got []string
	for _, f := range []toolbelt.Field{{Value: path}, {Value: path, Filename: "other"}, {Value: path, HasFilename: true}, {Value: "x"}} {
		e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{f}, toolbelt.Boundary("B"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		_, disposition, _ := strings.Cut(string(b), `name=""`)
		disposition, _, _ = strings.Cut(disposition, "\r\n")
		got = append(got, disposition)
	}
	want := []string{`; filename="upload.bin"`, `; filename="other"`, `; filename=""`, ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPathIsClosed: a file opened by the encoder is closed when its part has been
// read, when sending fails, on Close and on Rewind. That none stays open is what
// TestMain looks at.
func TestPathIsClosed(t *testing.T) {
	path := toolbelt.Path(openFile(t, payload).Name())
	fields := []toolbelt.Field{{Name: "a", Value: path}, {Name: "b", Value: path}}
	stop := map[string]func(e *toolbelt.MultipartEncoder) error{
		"read":   func(e *toolbelt.MultipartEncoder) error { _, err := io.Copy(io.Discard, e); return err },
		"failed": func(e *toolbelt.MultipartEncoder) error { _, _ = e.WriteTo(broken{}); return nil },
		"close":  func(e *toolbelt.MultipartEncoder) error { return e.Close() },
		"rewind": func(e *toolbelt.MultipartEncoder) error { return e.Rewind() },
	}
	for name, stop := range stop {
		e, err := toolbelt.NewMultipartEncoder(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(e, make([]byte, 1<<10)); err != nil {
			t.Fatal(err)
		}
		if err := stop(e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := e.Read(make([]byte, 1)); (name == "failed" || name == "close") == (err == nil || err == io.EOF) {
			t.Errorf("%s: reading on gives %v", name, err)
		}
		if err := e.Rewind(); err != nil {
			t.Error(err)
		}
		if b, err := e.Bytes(); int64(len(b)) != e.Len() || err != nil {
			t.Errorf("%s: after Rewind %d bytes, %v", name, len(b), err)
		}
	}
}

// broken is a connection that takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, net.ErrClosed }

// TestEncoderReader runs the contract of io.Reader over every way the content comes.
func TestEncoderReader(t *testing.T) {
	for kind, value := range bodies {
		t.Run(kind, func(t *testing.T) {
			e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "a", Value: value(t, payload)}, {Name: "b", Value: "1"}}, toolbelt.Boundary("B"))
			if err != nil {
				t.Fatal(err)
			}
			want := "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + payload +
				"\r\n--B\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n1\r\n--B--\r\n"
			if kind == "path" {
				want = strings.Replace(want, `"a"`, `"a"; filename="upload.bin"`, 1)
			}
			if err := iotest.TestReader(e, []byte(want)); err != nil {
				t.Error(err)
			}
			for name, read := range readers {
				if name == "Read(1)" {
					continue
				}
				if err := e.Rewind(); err != nil {
					t.Fatal(err)
				}
				if got, err := read(e); string(got) != want || err != nil {
					t.Errorf("%s: %d bytes of %d, or others, and %v", name, len(got), len(want), err)
				}
			}
		})
	}
}

// TestStreamSockets: what comes from a socket or pipe is not read beyond the size, as
// nothing more may come for long.
func TestStreamSockets(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	go io.WriteString(server, "abcd")
	if _, err := io.WriteString(w, "abcd"); err != nil {
		t.Fatal(err)
	}
	for _, source := range []io.Reader{r, client} {
		s, err := toolbelt.NewStreamingIterator(4, source)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s)
		if diff := cmp.Diff("abcd", string(got)); diff != "" || err != nil {
			t.Errorf("%T: %v (-want +got)\n%s", source, err, diff)
		}
	}
}

func TestStreamingIteratorSources(t *testing.T) {
	failing := func(yield func([]byte, error) bool) {
		_ = yield([]byte("ab"), nil) && yield(nil, os.ErrDeadlineExceeded)
	}
	tests := map[string]struct {
		size   int64
		source any
		want   error
	}{
		"texts":          {4, slices.Values([]string{"ab", "", "cd"}), nil},
		"too few":        {5, slices.Values([]string{"ab", "cd"}), requests.ErrBodyLength},
		"too many":       {3, slices.Values([]string{"ab", "cd"}), requests.ErrBodyLength},
		"one too many":   {4, slices.Values([]string{"ab", "cd", "e"}), requests.ErrBodyLength},
		"not empty":      {0, slices.Values([]string{"a"}), requests.ErrBodyLength},
		"empty":          {0, slices.Values([]string{}), nil},
		"failing":        {4, failing, os.ErrDeadlineExceeded},
		"negative":       {-1, slices.Values([]string{}), requests.ErrInvalidBody},
		"nil":            {1, nil, requests.ErrInvalidBody},
		"nil func":       {1, (func(func([]byte) bool))(nil), requests.ErrInvalidBody},
		"list":           {1, []string{"a"}, requests.ErrInvalidBody},
		"path that lies": {5, toolbelt.Path(openFile(t, "abcd").Name()), requests.ErrBodyLength},
		"path":           {4, toolbelt.Path(openFile(t, "abcd").Name()), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := toolbelt.NewStreamingIterator(test.size, test.source)
			if err == nil {
				_, err = io.Copy(io.Discard, s)
			}
			if err != test.want && !isKind(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// plainReader hides what else a reader can do.
type plainReader struct{ io.Reader }

// TestStreamingIteratorTakesNoMore: of a reader, the announced bytes are read and no
// further one, and a reader that stays open is not waited for.
func TestStreamingIteratorTakesNoMore(t *testing.T) {
	const text = "0123456789 and more"
	open := func(r io.Reader) io.Reader { // gives text, and then waits for ever
		blocked, _ := io.Pipe()
		return io.MultiReader(r, blocked)
	}
	read := map[string]func(s *toolbelt.StreamingIterator) ([]byte, error){
		"Read": func(s *toolbelt.StreamingIterator) ([]byte, error) { return io.ReadAll(plainReader{s}) },
		"byte by byte": func(s *toolbelt.StreamingIterator) ([]byte, error) {
			return io.ReadAll(iotest.OneByteReader(s))
		},
		"WriteTo": func(s *toolbelt.StreamingIterator) ([]byte, error) {
			var b bytes.Buffer
			_, err := s.WriteTo(&b)
			return b.Bytes(), err
		},
	}
	for way, read := range read {
		for _, size := range []int64{0, 1, 10} {
			source := strings.NewReader(text)
			s, err := toolbelt.NewStreamingIterator(size, plainReader{source})
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(s)
			rest, _ := io.ReadAll(source)
			if diff := cmp.Diff([]string{text[:size], text[size:]}, []string{string(got), string(rest)}); diff != "" || err != nil {
				t.Errorf("%s, %d bytes: %v, taken and left (-want +got)\n%s", way, size, err, diff)
			}
		}
		for name, source := range map[string]io.Reader{
			"open":     open(strings.NewReader(text[:10])),
			"buffered": bufio.NewReaderSize(open(iotest.HalfReader(strings.NewReader(text[:10]))), 16),
		} {
			s, err := toolbelt.NewStreamingIterator(10, source)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := read(s); string(got) != text[:10] || err != nil {
				t.Errorf("%s, %s: %q, %v", way, name, got, err)
			}
		}
	}
	pr, pw := io.Pipe()
	go io.WriteString(pw, text)
	s, err := toolbelt.NewStreamingIterator(10, pr)
	if err != nil {
		t.Fatal(err)
	}
	rec := newReceiver(t, nil)
	if _, err := requests.Post(t.Context(), rec.URL, s); err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, len(text)-10)
	if _, err := io.ReadFull(pr, rest); err != nil || string(rest) != text[10:] {
		t.Errorf("left in the pipe: %q, %v", rest, err)
	}
	pr.Close()
}

// FuzzEncoder: whatever goes in comes out of the decoder, and Len is true.
func FuzzEncoder(f *testing.F) {
	f.Add("name", "file.txt", "text/plain", "value", 7)
	f.Add("a\"b", "", "", "\r\n--x\r\n", 1)
	f.Add("é\r\n", "\\", "a", "", 3)
	f.Fuzz(func(t *testing.T, name, filename, contentType, value string, n int) {
		e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{
			{Name: name, Filename: filename, ContentType: contentType, Value: value},
			{Name: name, Value: strings.NewReader(value)},
		})
		if err != nil {
			return
		}
		whole, err := inPieces(1 + max(n, 0)%100)(e)
		if int64(len(whole)) != e.Len() || err != nil {
			t.Fatalf("%d bytes, Len %d, %v", len(whole), e.Len(), err)
		}
		d, err := toolbelt.NewMultipartDecoder(whole, e.ContentType(), "latin-1")
		if err != nil || len(d.Parts) != 2 {
			t.Fatalf("%d parts, %v", len(d.Parts), err)
		}
		for _, p := range d.Parts {
			if diff := cmp.Diff(value, string(p.Content)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
	})
}

// These readers tell their length in one way only.
type (
	withLen64 struct{ io.Reader }
	withSize  struct{ *io.SectionReader }
	withSeek  struct{ io.ReadSeeker }
)

func (withLen64) Len() int64 { return 4 }

func TestLengths(t *testing.T) {
	section := io.NewSectionReader(strings.NewReader("skipabcd"), 0, 8)
	seeker := strings.NewReader("skipabcd")
	for _, s := range []io.Seeker{section, seeker} {
		if _, err := s.Seek(4, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range map[string]io.Reader{
		"Len":   sized{strings.NewReader("abcd"), 4},
		"Len64": withLen64{strings.NewReader("abcd")},
		"Size":  withSize{section},
		"Seek":  withSeek{seeker},
	} {
		e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "f", Value: r}}, toolbelt.Boundary("B"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Bytes()
		want := "--B\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nabcd\r\n--B--\r\n"
		if diff := cmp.Diff(want, string(got)); diff != "" || err != nil || e.Len() != int64(len(want)) {
			t.Errorf("%s: Len %d, %v (-want +got)\n%s", name, e.Len(), err, diff)
		}
	}
}

// failAfter takes n bytes.
type failAfter struct{ n int }

func (w *failAfter) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, net.ErrClosed
	}
	return len(b), nil
}

// halfWriter breaks the contract of io.Writer.
type halfWriter struct{}

func (halfWriter) Write(b []byte) (int, error) { return len(b) / 2, nil }

func TestWriteToFails(t *testing.T) {
	for kind, value := range bodies {
		e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "a", Value: value(t, payload)}, {Name: "b", Value: value(t, payload)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []requests.Streamer{e, toolbelt.NewMonitor(e, nil)} {
			for n := 0; n < int(e.Len()); n += 1 + int(e.Len())/7 {
				if err := body.Rewind(); err != nil {
					t.Fatal(err)
				}
				if _, err := body.(io.WriterTo).WriteTo(&failAfter{n: n}); err != net.ErrClosed {
					t.Errorf("%s after %d bytes: %v", kind, n, err)
				}
			}
			if err := body.Rewind(); err != nil {
				t.Fatal(err)
			}
			if _, err := body.(io.WriterTo).WriteTo(halfWriter{}); err != io.ErrShortWrite {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

// TestMonitorOfOther watches a Streamer that is none of the toolbelt's.
func TestMonitorOfOther(t *testing.T) {
	var seen []int64
	m := toolbelt.NewMonitor(&rereader{*strings.NewReader("abcd")}, func(m *toolbelt.Monitor) { seen = append(seen, m.BytesRead()) })
	var got strings.Builder
	n, err := io.Copy(&got, m)
	if diff := cmp.Diff([]any{"abcd", int64(4), []int64{4}, ""}, []any{got.String(), n, seen, m.ContentType()}); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// rereader is a Streamer.
type rereader struct{ r strings.Reader }

func (r *rereader) Read(b []byte) (int, error) { return r.r.Read(b) }
func (r *rereader) Len() int64                 { return r.r.Size() }
func (r *rereader) Rewind() error              { _, err := r.r.Seek(0, io.SeekStart); return err }

// TestNilOptions: an option may be a variable that is not always set.
func TestNilOptions(t *testing.T) {
	if _, err := toolbelt.NewMultipartEncoder(toolbelt.Fields{{Name: "a", Value: "b"}}, nil); err != nil {
		t.Error(err)
	}
	if _, err := toolbelt.FromURLs(slices.Values([]string{}), nil); err != nil {
		t.Error(err)
	}
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(nil))
	if _, err := toolbelt.Download(t.Context(), s, "http://127.0.0.1:1/", filepath.Join(t.TempDir(), "f"), nil); !errors.Is(err, requests.ErrConnect) {
		t.Error(err)
	}
}
