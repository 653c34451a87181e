package requests_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// replyWith is a response that no connection stands behind.
func replyWith(body string, headers ...[2]string) *requests.Response {
	return requests.NewResponse(nil, 200, headers, io.NopCloser(strings.NewReader(body)))
}

// collect runs through an iterator to its end.
func collect[T ~string | ~[]byte](t *testing.T, seq iter.Seq2[T, error]) []string {
	t.Helper()
	got := []string{}
	for x, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(x))
	}
	return got
}

func TestChunksOfMemory(t *testing.T) {
	r := replyWith("abcde")
	if _, err := r.Content(); err != nil {
		t.Fatal(err)
	}
	for range r.Chunks(2) { // leaving early does not matter to the next loop
		break
	}
	for size, want := range map[int][]string{2: {"ab", "cd", "e"}, 9: {"abcde"}, 0: {"abcde"}, -1: {"abcde"}} {
		if diff := cmp.Diff(want, collect(t, r.Chunks(size))); diff != "" {
			t.Errorf("size %d (-want +got):\n%s", size, diff)
		}
	}
}

func TestChunksConsumed(t *testing.T) {
	r := replyWith("abc")
	if diff := cmp.Diff([]string{"abc"}, collect(t, r.Chunks(9))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var last error
	for _, err := range r.Chunks(9) {
		last = err
	}
	if !errors.Is(last, requests.ErrStreamConsumed) {
		t.Errorf("a second time: %v", last)
	}
}

func TestTextIterators(t *testing.T) {
	body, html := "\xe9|\x85b|", [2]string{"Content-Type", "text/html"}
	tests := []struct {
		name string
		seq  func(r *requests.Response) iter.Seq2[string, error]
		want []string
	}{
		{"Split", func(r *requests.Response) iter.Seq2[string, error] { return r.Split("|") }, []string{"\xe9", "\x85b", ""}},
		{"TextSplit", func(r *requests.Response) iter.Seq2[string, error] { return r.TextSplit("|") }, []string{"é", "\u0085b", ""}},
		{"Lines", (*requests.Response).Lines, []string{"\xe9|\x85b|"}},
		{"TextLines", (*requests.Response).TextLines, []string{"é|", "b|"}},
		{"TextChunks", func(r *requests.Response) iter.Seq2[string, error] { return r.TextChunks(2) }, []string{"é|", "\u0085b", "|"}},
	}
	for _, tt := range tests {
		for _, read := range []bool{false, true} {
			r := replyWith(body, html)
			if read {
				if _, err := r.Content(); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, collect(t, tt.seq(r))); diff != "" {
				t.Errorf("%s, in memory %v (-want +got):\n%s", tt.name, read, diff)
			}
		}
	}
}

// TestLinesOfFlushedGzip: a line that the server flushed is there although the
// server sends nothing more before it was seen.
func TestLinesOfFlushedGzip(t *testing.T) {
	seen := make(chan string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for i := range 3 {
			fmt.Fprintf(z, "line %d\n", i)
			z.Flush()
			w.(http.Flusher).Flush()
			if got := <-seen; got != fmt.Sprintf("line %d", i) {
				t.Errorf("line %d came as %q", i, got)
			}
		}
		z.Close()
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	r, err := s.Get(t.Context(), server.URL, requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	for line, err := range r.Lines() {
		if err != nil {
			t.Fatal(err)
		}
		seen <- line
	}
}

func TestJSONWithoutCopies(t *testing.T) {
	body := `{"a":"` + strings.Repeat("x", 100_000) + `"}`
	r := replyWith(body)
	if _, err := r.Content(); err != nil {
		t.Fatal(err)
	}
	var v struct{ A string }
	const runs = 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		if err := r.JSON(&v); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	// The text itself has to be allocated, once.
	if n := (after.TotalAlloc - before.TotalAlloc) / runs; n > 180_000 || len(v.A) != 100_000 {
		t.Errorf("%d bytes allocated for %d", n, len(v.A))
	}
}

// fullDisk takes some bytes and then fails.
type fullDisk struct{ room int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteTo(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprint(z, "decoded")
	z.Close()
	for name, r := range map[string]*requests.Response{
		"plain": replyWith("decoded"),
		"gzip":  replyWith(zipped.String(), [2]string{"Content-Encoding", "gzip"}),
	} {
		var b bytes.Buffer
		if n, err := io.Copy(&b, r); n != 7 || err != nil || b.String() != "decoded" {
			t.Errorf("%s: %d, %v, %q", name, n, err, b.String())
		}
		if n, err := r.WriteTo(&b); n != 0 || err != nil {
			t.Errorf("%s again: %d, %v", name, n, err)
		}
	}
	loaded := replyWith("decoded")
	if _, err := loaded.Content(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if n, err := loaded.WriteTo(&b); n != 7 || err != nil || b.String() != "decoded" {
		t.Errorf("from memory: %d, %v, %q", n, err, b.String())
	}
	if _, err := replyWith("decoded").WriteTo(&fullDisk{room: 3}); err != errFull {
		t.Errorf("error of the writer: %v", err)
	}
	bad := replyWith("no gzip", [2]string{"Content-Encoding", "gzip"})
	for range 2 {
		if _, err := bad.WriteTo(io.Discard); !errors.Is(err, requests.ErrContentDecoding) {
			t.Errorf("error of the body: %v", err)
		}
	}
}

// operations are the ways to use a body. Each gives what it got, and its error.
var operations = map[string]func(r *requests.Response) (string, error){
	"Read": func(r *requests.Response) (string, error) {
		b := make([]byte, 2)
		n, err := io.ReadFull(r, b)
		return string(b[:n]), err
	},
	"WriteTo": func(r *requests.Response) (string, error) {
		var b strings.Builder
		_, err := r.WriteTo(&b)
		return b.String(), err
	},
	"ReadChunk": func(r *requests.Response) (string, error) {
		chunk, err := r.ReadChunk(3)
		return string(chunk), err
	},
	"Content": func(r *requests.Response) (string, error) {
		content, err := r.Content()
		return string(content), err
	},
	"Chunks":     func(r *requests.Response) (string, error) { return gather(r.Chunks(3)) },
	"Lines":      func(r *requests.Response) (string, error) { return gather(r.Lines()) },
	"TextLines":  func(r *requests.Response) (string, error) { return gather(r.TextLines()) },
	"Split":      func(r *requests.Response) (string, error) { return gather(r.Split("|")) },
	"TextSplit":  func(r *requests.Response) (string, error) { return gather(r.TextSplit("|")) },
	"TextChunks": func(r *requests.Response) (string, error) { return gather(r.TextChunks(3)) },
}

// gather joins what a loop gives by commas.
func gather[T ~string | ~[]byte](seq iter.Seq2[T, error]) (string, error) {
	var parts []string
	for x, err := range seq {
		if err != nil {
			return strings.Join(parts, ","), err
		}
		parts = append(parts, string(x))
	}
	return strings.Join(parts, ","), nil
}

// TestBodyStates does everything in every state, as the table in response_body.go has it.
func TestBodyStates(t *testing.T) {
	broken := errors.New("broken")
	states := map[string]func(r *requests.Response){
		"fresh":     func(r *requests.Response) {},
		"streaming": func(r *requests.Response) { _, _ = io.ReadFull(r, make([]byte, 2)) },
		"in memory": func(r *requests.Response) { _, _ = r.Content() },
		"spent":     func(r *requests.Response) { _, _ = io.Copy(io.Discard, onlyRead{r}) },
		"failed":    func(r *requests.Response) { _, _ = io.Copy(io.Discard, r) },
		"closed":    func(r *requests.Response) { _ = r.Close() },
		"left": func(r *requests.Response) {
			for range r.Lines() {
				break
			}
		},
	}
	const body = "a|b\nc|d\n"
	want := map[string]map[string]string{
		"fresh": {
			"Read": "a|", "WriteTo": body, "ReadChunk": "a|b", "Content": body, "Chunks": "a|b,\nc|,d\n", "Lines": "a|b,c|d",
			"TextLines": "a|b,c|d", "Split": "a,b\nc,d\n", "TextSplit": "a,b\nc,d\n", "TextChunks": "a|b,\nc|,d\n",
		},
		"streaming": {
			"Read": "b\n", "WriteTo": body[2:], "ReadChunk": "b\nc", "Content": body[2:], "Chunks": "b\nc,|d\n", "Lines": "b,c|d",
			"TextLines": "b,c|d", "Split": "b\nc,d\n", "TextSplit": "b\nc,d\n", "TextChunks": "b\nc,|d\n",
		},
		"spent": {"Read": "EOF", "WriteTo": "", "ReadChunk": "EOF"},
	}
	want["in memory"] = want["fresh"]
	for state, prepare := range states {
		for operation, do := range operations {
			var src io.Reader = iotest.OneByteReader(strings.NewReader(body))
			if state == "failed" {
				src = iotest.ErrReader(broken)
			}
			r := requests.NewResponse(nil, 200, nil, io.NopCloser(io.MultiReader(src, strings.NewReader(""))))
			prepare(r)
			got, err := do(r)
			expected, ok := want[state][operation]
			switch {
			case ok && expected == "EOF":
				if got != "" || err != io.EOF {
					t.Errorf("%s, %s: %q, %v", state, operation, got, err)
				}
			case ok:
				if diff := cmp.Diff(expected, got); diff != "" || err != nil {
					t.Errorf("%s, %s: %v (-want +got):\n%s", state, operation, err, diff)
				}
			case state == "failed":
				if !errors.Is(err, broken) || !errors.Is(err, requests.ErrChunkedEncoding) {
					t.Errorf("%s, %s: %q, %v", state, operation, got, err)
				}
			default:
				isClosed := state != "spent"
				if !errors.Is(err, requests.ErrStreamConsumed) || errors.Is(err, http.ErrBodyReadAfterClose) != isClosed || strings.Contains(err.Error(), "closed") != isClosed {
					t.Errorf("%s, %s: %q, %v", state, operation, got, err)
				}
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestCloseWhileReading: Close ends a Read in another goroutine with an error that says so.
func TestCloseWhileReading(t *testing.T) {
	for _, coding := range []string{"", "gzip", "br"} {
		pr, pw := io.Pipe()
		r := requests.NewResponse(nil, 200, requests.Headers{{"Content-Encoding", coding}}, pr)
		done := make(chan error)
		go func() {
			_, err := io.Copy(io.Discard, r)
			done <- err
		}()
		_, _ = pw.Write([]byte{0x1f})
		r.Close()
		if err := <-done; !errors.Is(err, requests.ErrStreamConsumed) || !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("%q: %v", coding, err)
		}
	}
}

// TestCloseBesideReading: Close in one goroutine and each way of reading in another: all of
// the body comes, or an error that says it was closed, and never a part of it for the whole.
func TestCloseBesideReading(t *testing.T) {
	whole := strings.Repeat(strings.Repeat("x", 63)+"\n", 50)
	ways := map[string]func(r *requests.Response) (n int, err error){
		"Content": func(r *requests.Response) (int, error) {
			content, err := r.Content()
			return len(content), err
		},
		"WriteTo": func(r *requests.Response) (int, error) {
			n, err := r.WriteTo(io.Discard)
			return int(n), err
		},
		"Read": func(r *requests.Response) (n int, err error) {
			for piece := make([]byte, 48); err == nil; {
				var m int
				m, err = r.Read(piece)
				n += m
			}
			if err == io.EOF {
				err = nil
			}
			return n, err
		},
		"Chunks": func(r *requests.Response) (n int, last error) {
			for chunk, err := range r.Chunks(-1) {
				n, last = n+len(chunk), err
			}
			return n, last
		},
		"Lines": func(r *requests.Response) (n int, last error) {
			for line, err := range r.Lines() {
				if last = err; err == nil {
					n += len(line) + 1
				}
			}
			return n, last
		},
	}
	server := h2Server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
		}
		for piece := range slices.Chunk([]byte(whole), 640) {
			_, _ = w.Write(piece)
			_ = http.NewResponseController(w).Flush()
		}
	})
	for _, version := range []bool{false, true} {
		s := h2Session(t, requests.HTTP2(version))
		for name, read := range ways {
			for i := range 40 {
				path := []string{"/length", "/chunks"}[i%2]
				r, err := s.Get(t.Context(), server.URL+path, requests.Stream(true))
				if err != nil {
					t.Fatal(err)
				}
				if i%4 > 1 {
					_, _ = r.Read(make([]byte, 1))
				}
				var closing sync.WaitGroup
				closing.Go(func() { r.Close() })
				n, err := read(r)
				closing.Wait()
				if err == nil && n < len(whole)-1 || err != nil && !errors.Is(err, requests.ErrStreamConsumed) {
					t.Errorf("%s of %s, HTTP/2 %v: %d bytes of %d, %v", name, path, version, n, len(whole), err)
				}
			}
		}
	}
}
