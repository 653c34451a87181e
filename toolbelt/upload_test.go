package toolbelt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

func isKind(err error, kind error) bool { return errors.Is(err, kind) }

// receiver is a server that records the bodies it gets.
type receiver struct {
	*httptest.Server
	first  http.HandlerFunc // answers the first request, if set
	unread bool             // the body of the first request is left alone

	mu     sync.Mutex
	count  int
	bodies []string
	seen   []http.Header
}

func newReceiver(t *testing.T, first http.HandlerFunc) *receiver {
	rec := &receiver{first: first}
	rec.Server = httptest.NewServer(rec)
	t.Cleanup(rec.Close)
	return rec
}

func (rec *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.count++
	if first := rec.count == 1; !first || !rec.unread {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if int64(len(body)) != r.ContentLength {
			body = append(body, " (chunked)"...)
		}
		rec.bodies = append(rec.bodies, string(body))
		rec.seen = append(rec.seen, r.Header)
	}
	if rec.count == 1 && rec.first != nil {
		rec.first(w, r)
		return
	}
	fmt.Fprint(w, "ok")
}

// secondTimes are the reasons why a body is sent again.
var secondTimes = map[string]struct {
	first  http.HandlerFunc
	option requests.Option
}{
	"redirect": {first: redirect},
	"digest": {
		first: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		option: requests.Authenticate(requests.DigestAuth("ada", "secret")),
	},
	"retry": {
		first: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	},
	"lost reply": {
		first: func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	},
}

func redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
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
var bodies = map[string]func(t *testing.T, content string) any{
	"text":  func(t *testing.T, content string) any { return content },
	"bytes": func(t *testing.T, content string) any { return []byte(content) },
	"file": func(t *testing.T, content string) any {
		f := openFile(t, "skipped"+content)
		if _, err := f.Seek(7, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		return f
	},
	"path":         func(t *testing.T, content string) any { return toolbelt.Path(openFile(t, content).Name()) },
	"bytes.Reader": func(t *testing.T, content string) any { return bytes.NewReader([]byte(content)) },
	"bytes.Buffer": func(t *testing.T, content string) any { return bytes.NewBufferString(content) },
	"StreamingIterator": func(t *testing.T, content string) any {
		s, err := toolbelt.NewStreamingIterator(int64(len(content)), pieces(content))
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
	"URLFile": func(t *testing.T, content string) any {
		source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			io.WriteString(w, content)
		}))
		t.Cleanup(source.Close)
		f, err := toolbelt.FileFromURL(t.Context(), nil, source.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	},
}

// pieces gives text in pieces of odd sizes.
func pieces(text string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for piece := range slices.Chunk([]byte(text), 1001) {
			if !yield(piece) {
				return
			}
		}
	}
}

// again runs test for every reason to send a body a second time and every kind of
// content. Files by every reason and some more by a redirect are also sent where the
// reply cuts the upload short, which costs half a second of waiting.
func again(t *testing.T, test func(t *testing.T, rec *receiver, value any, content string, option requests.Option)) {
	for reason, second := range secondTimes {
		for kind, value := range bodies {
			for _, cut := range []bool{false, true} {
				if cut && kind != "file" && (reason != "redirect" || !slices.Contains([]string{"bytes", "StreamingIterator", "URLFile"}, kind)) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/cut=%v", reason, kind, cut), func(t *testing.T) {
					t.Parallel()
					content := payload
					if cut {
						content = strings.Repeat(payload, 24)
					}
					rec := newReceiver(t, second.first)
					rec.unread = cut
					test(t, rec, value(t, content), content, second.option)
				})
			}
		}
	}
}

func TestMultipartAgain(t *testing.T) {
	again(t, func(t *testing.T, rec *receiver, value any, content string, option requests.Option) {
		e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "a", Value: "1"}, {Name: "f", Filename: "f", Value: value}})
		if err != nil {
			t.Fatal(err)
		}
		upload(t, rec, e, option)
		want := "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" +
			"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + content + "\r\n--B--\r\n"
		rec.check(t, strings.ReplaceAll(want, "--B", "--"+e.Boundary()))
		if diff := cmp.Diff(e.ContentType(), rec.seen[len(rec.seen)-1].Get("Content-Type")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestStreamingIteratorAgain(t *testing.T) {
	again(t, func(t *testing.T, rec *receiver, value any, content string, option requests.Option) {
		switch value.(type) {
		case string, []byte:
			value = pieces(content)
		}
		s, err := toolbelt.NewStreamingIterator(int64(len(content)), value)
		if err != nil {
			t.Fatal(err)
		}
		read := int64(0)
		upload(t, rec, toolbelt.NewMonitor(s, func(m *toolbelt.Monitor) { read = m.BytesRead() }), option)
		rec.check(t, content)
		if read != int64(len(content)) {
			t.Errorf("the monitor saw %d bytes of %d", read, len(content))
		}
	})
}

// check compares the bodies that arrived, without printing them.
func (rec *receiver) check(t *testing.T, want string) {
	t.Helper()
	times := 1
	if rec.first != nil && !rec.unread {
		times = 2
	}
	if rec.count != 2 || len(rec.bodies) != times {
		t.Fatalf("%d requests, %d bodies arrived, want 2 and %d", rec.count, len(rec.bodies), times)
	}
	for i, got := range rec.bodies {
		if want != got {
			t.Errorf("body %d has %d bytes and is not the one sent, of %d", i+1, len(got), len(want))
		}
	}
}

func upload(t *testing.T, rec *receiver, options ...requests.Option) {
	t.Helper()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(requests.Retries(requests.Retry{Total: 1, AnyMethod: true, StatusForcelist: []int{503}})))
	r, err := s.Post(t.Context(), rec.URL, options...)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RaiseForStatus(); err != nil {
		t.Error(err)
	}
}

func TestUnrewindable(t *testing.T) {
	rec := newReceiver(t, redirect)
	once := io.MultiReader(strings.NewReader(payload))
	s, err := toolbelt.NewStreamingIterator(int64(len(payload)), once)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := requests.Post(t.Context(), rec.URL, s); !isKind(err, requests.ErrUnrewindableBody) {
			t.Errorf("got %v", err)
		}
	}
	if rec.count != 1 {
		t.Errorf("%d requests arrived", rec.count)
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
	if len(rec.bodies) != 2 || rec.bodies[0] != string(whole) || rec.bodies[1] != string(whole) {
		t.Errorf("%d bodies arrived, or not the one sent", len(rec.bodies))
	}
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
