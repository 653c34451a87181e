package main

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestStreamed: a line is printed before the next one is sent, however it is printed. The body is a
// pipe, which the test does not write to until it has read.
func TestStreamed(t *testing.T) {
	for _, tt := range []struct {
		pretty           string
		terminal, stream bool
		kind             string
		want             [2]string
	}{
		{"none", false, false, "application/json", [2]string{`{"a":1}`, `{"b":"2"}`}},
		{"none", false, true, "application/json", [2]string{`{"a":1}`, `{"b":"2"}`}},
		{"none", true, false, "application/json", [2]string{`{"a":1}`, `{"b":"2"}`}},
		{"none", true, true, "application/json", [2]string{`{"a":1}`, `{"b":"2"}`}},
		{"colors", false, true, "application/json", [2]string{`{"a":1}`, `{"b":"2"}`}},
		{"colors", true, true, "application/json", [2]string{`{"a":1}`, `{"b":"2"}`}},
		{"format", false, true, "application/json", [2]string{"{\n    \"a\": 1\n}", "{\n    \"b\": \"2\"\n}"}},
		{"all", true, true, "application/json", [2]string{"{\n    \x1b[34m\"a\"\x1b[0m: 1\n}", "{\n    \x1b[34m\"b\"\x1b[0m: \"2\"\n}"}},
		{"all", true, false, "text/event-stream", [2]string{`{"a":1}`, `{"b":"2"}`}},
	} {
		sent, body := sendingPipe()
		printed, out := io.Pipe()
		r := requests.NewResponse(nil, 200, requests.Headers{{"Content-Type", tt.kind}}, body)
		p := newPrinter(out, tt.terminal, tt.pretty)
		p.stream = tt.stream
		go func() { _ = out.CloseWithError(p.response(r, "b")) }()
		lines := bufio.NewReader(printed)
		var got [2]string
		for i, line := range []string{"{\"a\":1}\n", "{\"b\":\"2\"}\n"} {
			sent <- line
			got[i] = readLines(t, lines, strings.Count(tt.want[i], "\n")+1)
		}
		close(sent)
		rest, err := io.ReadAll(lines)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || len(rest) > 0 {
			t.Errorf("%+v: %q, %v (-want +got)\n%s", tt, rest, err, diff)
		}
	}
}

// sendingPipe is a body of what is sent, piece by piece.
func sendingPipe() (chan<- string, io.ReadCloser) {
	pieces := make(chan string, 1)
	r, w := io.Pipe()
	go func() {
		for piece := range pieces {
			_, _ = io.WriteString(w, piece)
		}
		_ = w.Close()
	}()
	return pieces, r
}

func readLines(t *testing.T, r *bufio.Reader, n int) string {
	t.Helper()
	var text strings.Builder
	for range n {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(line)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// TestFlow: what is shown on a terminal as it comes is as safe as what is shown at once, wherever it
// is cut.
func TestFlow(t *testing.T) {
	for _, tt := range []struct{ kind, body, want string }{
		{"text/plain; charset=utf-8", "a\x1b[2Jb\r\nü", "a\ufffd[2Jb\nü\n"},
		{"text/plain; charset=utf-8", "a\rb\r\n", "a\ufffdb\n"},
		{"text/plain; charset=iso-8859-1", "\xfc\n", "ü\n"},
		{"text/plain; charset=utf-8", "ab\r", "ab\ufffd\n"},
		{"application/octet-stream", "\x00\x01", "(the body is binary and not shown on a terminal)\n"},
		{"text/plain", "", ""},
	} {
		for size := 1; size <= len(tt.body)+1; size++ {
			var out strings.Builder
			r := requests.NewResponse(nil, 200, requests.Headers{{"Content-Type", tt.kind}}, io.NopCloser(cut{strings.NewReader(tt.body), size}))
			err := newPrinter(&out, true, "none").response(r, "b")
			if diff := cmp.Diff(tt.want, out.String()); diff != "" || err != nil {
				t.Errorf("%q in pieces of %d: %v (-want +got)\n%s", tt.body, size, err, diff)
			}
		}
	}
}

// cut gives at most size bytes at a time.
type cut struct {
	io.Reader
	size int
}

func (c cut) Read(b []byte) (int, error) { return c.Reader.Read(b[:min(len(b), c.size)]) }
