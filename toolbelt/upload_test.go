package toolbelt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func isKind(err error, kind error) bool { return errors.Is(err, kind) }

// receiver is a server that records the bodies it gets; answer may turn a request
// away with a status and headers, counting from 1.
type receiver struct {
	*httptest.Server
	bodies []string
	seen   []http.Header
	answer func(n int, w http.ResponseWriter, r *http.Request) (handled bool)
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request) bool) *receiver {
	rec := &receiver{answer: answer}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if int64(len(body)) != r.ContentLength {
			body = append(body, " (chunked)"...)
		}
		rec.bodies = append(rec.bodies, string(body))
		rec.seen = append(rec.seen, r.Header)
		if rec.answer != nil && rec.answer(len(rec.bodies), w, r) {
			return
		}
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(rec.Close)
	return rec
}

// redirectFirst answers the first request with 307.
func redirectFirst(n int, w http.ResponseWriter, r *http.Request) bool {
	if n > 1 {
		return false
	}
	http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
	return true
}

func openFile(t *testing.T, content string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "upload.bin")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// payload is long enough to go by every path.
var payload = strings.Repeat("0123456789abcdef", 20<<10)

// bodies are the kinds of content that can be sent twice.
func bodies(t *testing.T) map[string]any {
	f := openFile(t, "skipped"+payload)
	if _, err := f.Seek(7, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(payload)))
		io.WriteString(w, payload)
	}))
	t.Cleanup(source.Close)
	url, err := toolbelt.FileFromURL(t.Context(), nil, source.URL)
	if err != nil {
		t.Fatal(err)
	}
	iterator, err := toolbelt.NewStreamingIterator(int64(len(payload)), pieces)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"text":              payload,
		"bytes":             []byte(payload),
		"file":              f,
		"path":              toolbelt.Path(openFile(t, payload).Name()),
		"bytes.Reader":      bytes.NewReader([]byte(payload)),
		"bytes.Buffer":      bytes.NewBufferString(payload),
		"StreamingIterator": iterator,
		"URLFile":           url,
	}
}

func pieces(yield func([]byte) bool) {
	for i := 0; i < len(payload); i += 1000 {
		if !yield([]byte(payload[i:min(i+1000, len(payload))])) {
			return
		}
	}
}

func TestMultipartAfterRedirect(t *testing.T) {
	for name, value := range bodies(t) {
		t.Run(name, func(t *testing.T) {
			rec := newReceiver(t, redirectFirst)
			e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "a", Value: "1"}, {Name: "f", Filename: "f", Value: value}})
			if err != nil {
				t.Fatal(err)
			}
			upload(t, rec, e)
			want := "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" +
				"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + payload + "\r\n--B--\r\n"
			want = strings.ReplaceAll(want, "--B", "--"+e.Boundary())
			checkBodies(t, []string{want, want}, rec.bodies)
			if diff := cmp.Diff(e.ContentType(), rec.seen[1].Get("Content-Type")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestStreamingIteratorAfterRedirect(t *testing.T) {
	for _, name := range []string{"file", "path", "bytes.Reader", "StreamingIterator"} {
		t.Run(name, func(t *testing.T) {
			rec := newReceiver(t, redirectFirst)
			s, err := toolbelt.NewStreamingIterator(int64(len(payload)), bodies(t)[name])
			if err != nil {
				t.Fatal(err)
			}
			read := int64(0)
			upload(t, rec, toolbelt.NewMonitor(s, func(m *toolbelt.Monitor) { read = m.BytesRead() }))
			checkBodies(t, []string{payload, payload}, rec.bodies)
			if read != int64(len(payload)) {
				t.Errorf("the monitor saw %d bytes of %d", read, len(payload))
			}
		})
	}
}

func upload(t *testing.T, rec *receiver, body requests.Option) *requests.Response {
	t.Helper()
	s := requests.NewSession()
	defer s.Close()
	r, err := s.Post(t.Context(), rec.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RaiseForStatus(); err != nil {
		t.Error(err)
	}
	return r
}

// checkBodies compares without printing long bodies.
func checkBodies(t *testing.T, want, got []string) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d bodies arrived, want %d", len(got), len(want))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("body %d has %d bytes and is not the one sent, of %d", i+1, len(got[i]), len(want[i]))
		}
	}
}

func TestUnrewindable(t *testing.T) {
	rec := newReceiver(t, redirectFirst)
	once := io.MultiReader(strings.NewReader(payload))
	s, err := toolbelt.NewStreamingIterator(int64(len(payload)), once)
	if err != nil {
		t.Fatal(err)
	}
	_, err = requests.Post(t.Context(), rec.URL, s)
	if !isKind(err, requests.ErrUnrewindableBody) {
		t.Errorf("got %v", err)
	}
	if _, err = requests.Post(t.Context(), rec.URL, s); !isKind(err, requests.ErrUnrewindableBody) {
		t.Errorf("sent again: %v", err)
	}
}

func TestEncoderTwice(t *testing.T) {
	rec := newReceiver(t, nil)
	e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "f", Value: openFile(t, payload)}}, toolbelt.Boundary("B"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		upload(t, rec, e)
	}
	checkBodies(t, []string{string(whole), string(whole)}, rec.bodies)
}

// sized is a reader that announces a length of its own.
type sized struct {
	io.Reader
	n int
}

func (s sized) Len() int { return s.n }

// idle gives neither bytes nor an error.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestLyingReaders(t *testing.T) {
	tests := map[string]struct {
		r    io.Reader
		want error
	}{
		"short":           {sized{strings.NewReader("abc"), 4}, requests.ErrBodyLength},
		"long":            {sized{strings.NewReader("abc"), 2}, requests.ErrBodyLength},
		"long by a block": {sized{strings.NewReader(payload), 1 << 10}, requests.ErrBodyLength},
		"not empty":       {sized{strings.NewReader("abc"), 0}, requests.ErrBodyLength},
		"byte by byte":    {sized{iotest.OneByteReader(strings.NewReader("abc")), 2}, requests.ErrBodyLength},
		"EOF with data":   {sized{iotest.DataErrReader(strings.NewReader("abc")), 4}, requests.ErrBodyLength},
		"stuck":           {sized{idle{}, 4}, io.ErrNoProgress},
		"stuck at end":    {sized{io.MultiReader(strings.NewReader("abcd"), idle{}), 4}, io.ErrNoProgress},
		"broken":          {sized{iotest.ErrReader(os.ErrDeadlineExceeded), 4}, os.ErrDeadlineExceeded},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rec := newReceiver(t, nil)
			fields := []toolbelt.Field{{Name: "a", Value: "1"}, {Name: "f", Value: test.r}}
			e, err := toolbelt.NewMultipartEncoder(fields)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err = requests.Post(ctx, rec.URL, e)
			if !isKind(err, test.want) || !strings.Contains(err.Error(), `field "f"`) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if len(rec.bodies) > 0 {
				t.Errorf("%d bodies arrived as if they were whole", len(rec.bodies))
			}
		})
	}
}

func TestHonestReaders(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"byte by byte":  iotest.OneByteReader(strings.NewReader("abcd")),
		"halves":        iotest.HalfReader(strings.NewReader("abcd")),
		"EOF with data": iotest.DataErrReader(strings.NewReader("abcd")),
	} {
		e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "f", Value: sized{r, 4}}}, toolbelt.Boundary("B"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Bytes()
		want := "--B\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nabcd\r\n--B--\r\n"
		if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

func TestFileThatChanges(t *testing.T) {
	for name, size := range map[string]int64{"shrinks": 100 << 10, "grows": 400 << 10, "shrinks to nothing": 0} {
		t.Run(name, func(t *testing.T) {
			for kind, value := range map[string]any{"file": openFile(t, payload), "path": toolbelt.Path(openFile(t, payload).Name())} {
				rec := newReceiver(t, nil)
				e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "f", Value: value}})
				if err != nil {
					t.Fatal(err)
				}
				path := fmt.Sprint(value)
				if f, ok := value.(*os.File); ok {
					path = f.Name()
				}
				if err := os.Truncate(path, size); err != nil {
					t.Fatal(err)
				}
				if _, err := requests.Post(t.Context(), rec.URL, e); !isKind(err, requests.ErrBodyLength) {
					t.Errorf("%s: got %v", kind, err)
				}
				if len(rec.bodies) > 0 {
					t.Errorf("%s: a body arrived", kind)
				}
			}
		})
	}
}

func TestFileFromURL(t *testing.T) {
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/none":
			w.WriteHeader(http.StatusNotFound)
		case "/chunked":
			w.(http.Flusher).Flush()
			io.WriteString(w, "x")
		default:
			fmt.Fprintf(w, "%s", r.Header.Get("Accept-Encoding"))
		}
	}))
	defer source.Close()
	s := toolbelt.NewBaseURLSession(source.URL)
	defer s.Close()
	for _, path := range []string{"/none", "/chunked"} {
		if _, err := toolbelt.FileFromURL(t.Context(), s, path); !isKind(err, toolbelt.ErrFileNotSupported) {
			t.Errorf("%s: got %v", path, err)
		}
	}
	f, err := toolbelt.FileFromURL(t.Context(), s, "/file")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		before := f.Len()
		got, err := io.ReadAll(f)
		want := []any{int64(8), "identity", int64(0), error(nil)}
		if diff := cmp.Diff(want, []any{before, string(got), f.Len(), err}); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if err := f.Rewind(); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
}
