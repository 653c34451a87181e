package adapters_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

func plain(r io.Reader) (io.Reader, error) { return r, nil }

// shifted is a coding: a mark, and then each byte one higher. Closing it counts. Behind the mark "?"
// three bytes are right.
type shifted struct {
	in     io.Reader
	closed *int
}

var errMark = errors.New("no mark")

func (s shifted) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	for i := range p[:n] {
		p[i]--
	}
	return n, err
}

func (s shifted) Close() error { *s.closed++; return nil }

func unshift(closed *int) func(io.Reader) (io.Reader, error) {
	return func(r io.Reader) (io.Reader, error) {
		mark := make([]byte, 1)
		if _, err := io.ReadFull(r, mark); err != nil {
			return nil, err
		}
		switch mark[0] {
		case '!':
			return shifted{r, closed}, nil
		case '0':
			return nil, nil
		case '?':
			return shifted{io.MultiReader(io.LimitReader(r, 3), iotest.ErrReader(errMark)), closed}, nil
		}
		return nil, errMark
	}
}

func shift(s string) string {
	b := []byte("!" + s)
	for i := range b[1:] {
		b[i+1]++
	}
	return string(b)
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestContentDecoder: a coding of the program's own is undone wherever it stands in the list,
// in memory and streamed, and what is cut or corrupt is an error.
func TestContentDecoder(t *testing.T) {
	type result struct{ Text, Kind, Coding, Closed string }
	done := func(text string) result { return result{text, "", "[]", "2"} }
	for name, row := range map[string]struct {
		codings []string
		body    string
		length  int // that is announced, 0 for that of body
		status  int
		want    result
	}{
		"alone":             {[]string{"x-shift"}, shift("hello"), 0, 200, done("hello")},
		"in other letters":  {[]string{"X-Shift"}, shift("hello"), 0, 200, done("hello")},
		"empty":             {[]string{"x-shift"}, "", 0, 200, result{"", "", "[x-shift]", "0"}},
		"nothing in it":     {[]string{"x-shift"}, shift(""), 0, 200, done("")},
		"under gzip":        {[]string{"x-shift, gzip"}, gzipped(t, shift("hello")), 0, 200, done("hello")},
		"over gzip":         {[]string{"gzip", "identity, x-shift"}, shift(gzipped(t, "hello")), 0, 200, done("hello")},
		"twice":             {[]string{"x-shift, x-shift"}, shift(shift("hello")), 0, 200, result{"hello", "", "[]", "4"}},
		"with an unknown":   {[]string{"x-shift, other"}, "hello", 0, 200, result{"", "content decoding failed", "[]", "0"}},
		"another":           {[]string{"gzip"}, gzipped(t, "hello"), 0, 200, result{"hello", "", "[gzip]", "0"}},
		"none":              {nil, "hello", 0, 200, result{"hello", "", "[]", "0"}},
		"corrupt at once":   {[]string{"x-shift"}, "hello", 0, 200, result{"", "content decoding failed", "[]", "0"}},
		"nothing to read":   {[]string{"x-shift"}, "0" + shift("hello")[1:], 0, 200, result{"", "content decoding failed", "[]", "0"}},
		"corrupt later":     {[]string{"x-shift"}, "?" + shift("hello")[1:], 0, 200, result{"", "content decoding failed", "[]", "2"}},
		"without its mark":  {[]string{"x-shift, gzip"}, gzipped(t, ""), 0, 200, result{"", "", "[]", "0"}},
		"cut by the server": {[]string{"x-shift"}, shift("hel"), 9, 200, result{"", "incomplete body", "[]", "2"}},
		"too many":          {[]string{"x-shift, x-shift, x-shift, x-shift, x-shift, x-shift"}, "hello", 0, 200, result{"", "content decoding failed", "", ""}},
		"of an error":       {[]string{"x-shift"}, shift("hello"), 0, 500, done("hello")},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Encoding"] = row.codings
				if row.length > 0 {
					w.Header().Set("Content-Length", fmt.Sprint(row.length))
				}
				w.WriteHeader(row.status)
				io.WriteString(w, row.body)
			}))
			defer server.Close()
			closed := 0
			s := requests.NewSession()
			defer s.Close()
			s.Mount("http://", adapters.ContentDecoder("X-Shift", unshift(&closed))(requests.NewHTTPAdapter()))
			var got result
			for _, stream := range []bool{false, true} {
				got = result{}
				r, err := s.Get(t.Context(), server.URL, requests.Stream(stream))
				if err == nil {
					var text []byte
					if text, err = io.ReadAll(r); err == nil {
						got.Text = string(text)
					}
					got.Coding = fmt.Sprint(r.Headers.Values("Content-Encoding"))
					r.Close()
				}
				var e *requests.Error
				if errors.As(err, &e) {
					got.Kind = e.Kind.Error()
					if e.Response != nil && !stream {
						got.Coding = fmt.Sprint(e.Response.Headers.Values("Content-Encoding"))
					}
				}
			}
			if got.Coding != "" {
				got.Closed = fmt.Sprint(closed)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r, err := s.Head(t.Context(), server.URL); err != nil || len(r.Headers.Values("Content-Encoding")) != len(row.codings) {
				t.Errorf("HEAD: %v, %v", r, err)
			}
		})
	}
}

// TestContentDecoderElsewhere: below an http.Client, in pieces, and with the connection kept.
func TestContentDecoderElsewhere(t *testing.T) {
	long := strings.Repeat("hello\n", 50_000)
	ports := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ports[r.RemoteAddr] = true
		w.Header().Set("Content-Encoding", "x-shift")
		io.WriteString(w, shift(long))
	}))
	defer server.Close()
	closed := 0
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", adapters.ContentDecoder("x-shift", unshift(&closed))(requests.NewHTTPAdapter()))
	client := &http.Client{Transport: s.RoundTripper()}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(whole) != long || err != nil || resp.ContentLength != -1 || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("below a client: %d bytes, %v, %d announced, %v", len(whole), err, resp.ContentLength, resp.Header)
	}
	r, err := s.Get(t.Context(), server.URL, requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line, err := range r.Lines() {
		if lines++; err != nil || string(line) != "hello" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	r, err = s.Get(t.Context(), server.URL, requests.Limits{MaxBody: int64(len(long)) - 1})
	if r != nil || !errors.Is(err, requests.ErrBodyTooLarge) {
		t.Errorf("longer than allowed: %v, %v", r, err)
	}
	if lines != 50_000 || len(ports) != 1 {
		t.Errorf("%d lines, %d connections", lines, len(ports))
	}
}
