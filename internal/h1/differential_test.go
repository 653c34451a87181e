package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mountable/requests/internal/cases"
)

// FuzzNetHTTP compares responses with net/http: where both take one, they read one body. Status
// lines, folds and the like are read more freely here, as Requests does.
func FuzzNetHTTP(f *testing.F) {
	for _, s := range streams {
		f.Add([]byte(s))
	}
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00003;a=\"b\r\n\"\r\nabc\r\n0\r\nX: y\r\n\r\nrest", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nab", "HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
	} {
		f.Add([]byte(s))
	}
	for _, seed := range cases.Seeds("responses.json", "cases", "raw_b64") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), &http.Request{Method: "GET"})
		if err != nil || theirs.StatusCode < 200 {
			return
		}
		body, err := io.ReadAll(theirs.Body)
		if err != nil {
			return
		}
		ours, _, err := exchange(bytes.NewReader(raw), "GET")
		if err == nil && (ours.Status != theirs.StatusCode || ours.Body != string(body)) {
			t.Errorf("%q: %d %q, net/http says %d %q", raw, ours.Status, ours.Body, theirs.StatusCode, body)
		}
	})
}

// FuzzNetHTTPChunks compares chunked bodies: what net/http takes and is taken here is the same.
func FuzzNetHTTPChunks(f *testing.F) {
	for _, s := range []string{"3\r\nabc\r\n0\r\n\r\n", "3;x\nabc\r\n0\r\nT: u\r\n\r\n", "0003\r\nabc\r\n000\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "-1\r\n", "0x3\r\nabc\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "3\r\nabcd\r\n0\r\n\r\n"} {
		f.Add(s)
	}
	for _, seed := range cases.Seeds("responses.json", "cases", "raw_b64") {
		if _, chunks, ok := strings.Cut(seed, "\r\n\r\n"); ok && strings.Contains(seed, "chunked") {
			f.Add(chunks)
		}
	}
	f.Fuzz(func(t *testing.T, chunks string) {
		const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head+chunks)), &http.Request{Method: "GET"})
		if err != nil {
			t.Fatal(err)
		}
		want, theirErr := io.ReadAll(theirs.Body)
		got, _, err := exchange(strings.NewReader(head+chunks), "GET")
		if err == nil && theirErr == nil && got.Body != string(want) {
			t.Errorf("%q: %q, net/http says %q", chunks, got.Body, want)
		}
	})
}
