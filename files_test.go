package requests_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// receipt is what a server has read of an upload.
type receipt struct {
	Framing string
	Fields  map[string]int // the length of each
}

// uploads is a server that notes every multipart upload, and redirects those to /moved.
func uploads(t *testing.T) (url string, got func() []receipt) {
	var all []receipt
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := receipt{"chunked", map[string]int{}}
		if r.ContentLength >= 0 {
			seen.Framing = "length"
		}
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			t.Error(err)
		}
		parts := multipart.NewReader(r.Body, params["boundary"])
		for {
			part, err := parts.NextPart()
			if err != nil {
				break
			}
			n, _ := io.Copy(io.Discard, part)
			seen.Fields[part.FormName()] += int(n)
		}
		all = append(all, seen)
		if r.URL.Path == "/moved" {
			w.Header().Set("Location", "/there")
			w.WriteHeader(307)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []receipt { server.Close(); return all }
}

// TestFiles: the content of a file arrives whole, however it is given and how often the request
// is sent, or sending it again is ErrUnrewindableBody.
func TestFiles(t *testing.T) {
	for size, label := range map[int]string{0: "empty", 5: "small", 3 << 20: "large"} {
		text := strings.Repeat("x", size)
		name := filepath.Join(t.TempDir(), "content")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		large := size > 1<<20
		for kind, c := range map[string]struct {
			content func() io.Reader
			framing string
			once    bool
		}{
			"strings.Reader": {func() io.Reader { return strings.NewReader(text) }, "length", false},
			"bytes.Reader":   {func() io.Reader { return bytes.NewReader([]byte(text)) }, "length", false},
			"bytes.Buffer":   {func() io.Reader { return bytes.NewBufferString(text) }, "length", false},
			"file":           {func() io.Reader { return open(t, name) }, "length", false},
			"seeker":         {func() io.Reader { return io.NewSectionReader(strings.NewReader(text), 0, int64(size)) }, "length", false},
			"from its middle": {func() io.Reader {
				r := strings.NewReader("read" + text)
				io.CopyN(io.Discard, r, 4)
				return r
			}, "length", false},
			"reader": {func() io.Reader { return onlyReader{strings.NewReader(text)} }, map[bool]string{false: "length", true: "chunked"}[large], large},
			"pipe": {func() io.Reader {
				r, w := io.Pipe()
				go func() { io.WriteString(w, text); w.Close() }()
				return r
			}, map[bool]string{false: "length", true: "chunked"}[large], large},
			"encoder": {func() io.Reader {
				s, err := toolbelt.NewStreamingIterator(int64(size), strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				return s
			}, "length", false},
		} {
			t.Run(label+" "+kind, func(t *testing.T) {
				url, received := uploads(t)
				s := newTestSession(t)
				r := &requests.Request{Method: "POST", URL: url, Form: requests.Form{{"a", "1"}}, Files: requests.Files{
					{Field: "f", Content: c.content()}, {Field: "g", Content: strings.NewReader("23")},
				}}
				whole := receipt{c.framing, map[string]int{"a": 1, "f": size, "g": 2}}
				want := []receipt{whole}
				if _, err := s.Do(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				for _, path := range []string{"/", "/moved"} {
					r.URL = url + path
					_, err := s.Do(t.Context(), r)
					if errors.Is(err, requests.ErrUnrewindableBody) != c.once || err != nil && !c.once {
						t.Errorf("%s: %v", path, err)
					}
					if !c.once {
						want = append(want, whole)
					}
				}
				if !c.once {
					want = append(want, whole)
				}
				if diff := cmp.Diff(want, received()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// TestFilesAreStreamed: a large file is never in memory, and its length is announced.
func TestFilesAreStreamed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	url, received := uploads(t)
	s := newTestSession(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := s.Post(t.Context(), url, requests.Files{{Field: "f", Content: open(t, name)}})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 12 {
		t.Errorf("%d MiB were allocated", used)
	}
	if diff := cmp.Diff([]receipt{{"length", map[string]int{"f": size}}}, received()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, inMemory := r.Request.Body(); inMemory || r.Request.Headers.Get("Content-Length") != strconv.FormatInt(r.Request.ContentLength(), 10) {
		t.Errorf("sent with %v", r.Request.Headers)
	}
}

// TestFilesThatLie: content of another length than its reader said is not sent as if it were whole, be it a body by itself or a
// part of one, in one write with the head or moved by the kernel.
func TestFilesThatLie(t *testing.T) {
	for what, c := range map[string]struct{ size, change int64 }{
		"large, shrinks": {2 << 20, 1 << 20}, "large, grows": {2 << 20, 3 << 20},
		"small, shrinks": {100, 50}, "small, grows": {100, 150},
	} {
		for _, h2 := range []bool{false, true} {
			for form, given := range map[string]func(f *os.File) requests.Request{
				"Body": func(f *os.File) requests.Request { return requests.Request{Body: f} },
				"Files": func(f *os.File) requests.Request {
					return requests.Request{Files: requests.Files{{Field: "f", Content: f}}}
				},
			} {
				if form == "Files" && c.size < 1<<20 {
					continue // it is read when the request is prepared
				}
				name := filepath.Join(t.TempDir(), "lies")
				if err := os.WriteFile(name, make([]byte, c.size), 0o600); err != nil {
					t.Fatal(err)
				}
				site := newSite(t)
				s := lane{site, "direct", "http", h2, "Session"}.session(t)
				r := given(open(t, name))
				r.Method, r.URL = "POST", "http://example.com/"
				p, err := s.Prepare(&r)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(name, c.change); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Send(t.Context(), p, requests.SendOptions{}); !errors.Is(err, requests.ErrBodyLength) {
					t.Errorf("%s of %s, HTTP/2 %v: %v", form, what, h2, err)
				}
			}
		}
	}
}

// TestRequestSentTwice: a Request whose body is a reader starts again where it first stood.
func TestRequestSentTwice(t *testing.T) {
	name := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(name, []byte("body"), 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, c := range map[string]struct {
		body any
		want string
	}{
		"strings.Reader": {strings.NewReader("body"), "body body"},
		"bytes.Buffer":   {bytes.NewBufferString("body"), "body body"},
		"file":           {open(t, name), "body body"},
		"text":           {"body", "body body"},
		"encoder":        {noError(toolbelt.NewStreamingIterator(4, strings.NewReader("body"))), "body body"},
		"reader":         {onlyReader{strings.NewReader("body")}, "body unrewindable body"},
		"one-shot encoder": {noError(toolbelt.NewStreamingIterator(4, onlyReader{strings.NewReader("body")})),
			"body unrewindable body"},
	} {
		t.Run(kind, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
			defer server.Close()
			s := newTestSession(t)
			r := &requests.Request{Method: "PUT", URL: server.URL, Body: c.body}
			var got []string
			for range 2 {
				resp, err := s.Do(t.Context(), r)
				if err != nil {
					got = append(got, errorKind(err))
					continue
				}
				text, err := resp.Text()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func noError[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// waitingFile says that it is read, and then waits for the end of its test.
type waitingFile struct {
	reading func()
	end     <-chan struct{}
}

func (w waitingFile) Read([]byte) (int, error) {
	w.reading()
	<-w.end
	return 0, io.EOF
}

// TestFilesThatWait: a file whose Read waits does not hold a call that is over, nor one that
// panics.
func TestFilesThatWait(t *testing.T) {
	server := wiretest.Origin(t)
	end := make(chan struct{})
	defer close(end)
	post := func(ctx context.Context, reading func(), options ...requests.Option) error {
		file := requests.File{Field: "f", Content: waitingFile{reading, end}}
		return errorOf(newSession(t).Post(ctx, server.URL("/"), append(options, requests.Files{file})...))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	if err := post(ctx, func() { cancel(cause) }); !errors.Is(err, requests.ErrCanceled) || !errors.Is(err, cause) {
		t.Errorf("canceled: %v", err)
	}
	if err := post(t.Context(), func() {}, requests.Timeouts{Total: time.Millisecond}); !errors.Is(err, requests.ErrTotalTimeout) {
		t.Errorf("Timeouts.Total: %v", err)
	}
	func() {
		defer func() {
			if v := recover(); v != "boom" {
				t.Errorf("the panic that came on is %v", v)
			}
		}()
		_ = post(t.Context(), func() { panic("boom") })
	}()
	if err := post(t.Context(), runtime.Goexit); err == nil {
		t.Error("a goroutine that is ended: no error")
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
