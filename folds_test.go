package requests_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/wiretest"
)

// zippedTwice is content under two codings, as a response says that has them on two lines.
func zippedTwice(t *testing.T, content string) string {
	t.Helper()
	for range 2 {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, content); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		content = b.String()
	}
	return content
}

// A fold is a blank, and blanks around a value are none of it, before anyone reads the
// value: cookies, framing, codings, links, redirects, trailers, and under an http.Client.
func TestFoldsAndBlanks(t *testing.T) {
	coded := zippedTwice(t, "ok")
	for name, tt := range map[string]struct{ head, body string }{
		"Content-Length":    {"Content-Length:\r\n 2\r\n", "ok"},
		"Transfer-Encoding": {"Transfer-Encoding:\r\n\tchunked\r\n", "2\r\nok\r\n0\r\nX-T: one\r\n two \r\n\r\n"},
		"Content-Encoding":  {fmt.Sprintf("Content-Encoding: gzip,\r\n gzip\r\nContent-Length: %d\r\n", len(coded)), coded},
		"blanks":            {"Content-Length: 2 \t\r\n", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			reply := wiretest.Send("HTTP/1.1 200 OK\r\nSet-Cookie: a=b;\r\n Path=/\r\nLink: </n>;\r\n\trel=\"next\"\r\nX-A: one \t\r\n" + tt.head + "\r\n" + tt.body)
			server := wiretest.Origin(t, reply)
			s := newTestSession(t)
			r, err := s.Get(t.Context(), server.URL("/"))
			if err != nil {
				t.Fatal(err)
			}
			text, err := r.Text()
			cookie, _ := s.Cookies.Get("a")
			got := []any{text, err, cookie, r.Links()["next"]["url"], r.Headers.Get("X-A"), r.Headers.Get("Set-Cookie")}
			if diff := cmp.Diff([]any{"ok", nil, "b", "/n", "one", "a=b; Path=/"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if trailers := r.Trailers(); name == "Transfer-Encoding" && trailers.Get("X-T") != "one two" {
				t.Errorf("trailers %q", trailers)
			}
			resp, err := (&http.Client{Transport: s.RoundTripper()}).Get(server.URL("/"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if string(body) != "ok" || err != nil || resp.Header.Get("X-A") != "one" || len(resp.Cookies()) != 1 {
				t.Errorf("under an http.Client: %q, %v, %v", body, err, resp.Header)
			}
		})
	}
	server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 302 Found\r\nLocation: /x \t\r\nContent-Length: 0\r\n\r\n"), wiretest.Text(200, "ok"))
	r, err := newTestSession(t).Get(t.Context(), server.URL("/"))
	if err != nil || r.URL != server.URL("/x") {
		t.Errorf("Location with blanks: %v, %v", r, err)
	}
}
