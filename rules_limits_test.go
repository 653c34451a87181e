package requests_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// endlessly writes first, then more for as long as anybody listens.
func endlessly(t *testing.T, first string, more func(i int) string) *wiretest.Server {
	return wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		if _, err := io.WriteString(c, first); err != nil {
			return
		}
		for i := 0; ; i++ {
			var block strings.Builder
			for block.Len() < 16<<10 {
				block.WriteString(more(i))
			}
			if _, err := io.WriteString(c, block.String()); err != nil {
				return
			}
		}
	}})
}

// TestRule29Endless: what a server sends without end, where the protocol has no end for
// it, is an error in bounded memory and time; directly, and from a proxy.
func TestRule29Endless(t *testing.T) {
	const okHead = "HTTP/1.1 200 OK\r\n"
	for name, server := range map[string]*wiretest.Server{
		"status line":      endlessly(t, "HTTP/1.1 200 ", func(int) string { return "x" }),
		"garbage":          endlessly(t, "", func(int) string { return "x" }),
		"one field":        endlessly(t, okHead+"X: ", func(int) string { return "y" }),
		"a name":           endlessly(t, okHead, func(int) string { return "y" }),
		"folded field":     endlessly(t, okHead+"X: y\r\n", func(int) string { return " y\r\n" }),
		"fields":           endlessly(t, okHead, func(i int) string { return fmt.Sprintf("X-%d: y\r\n", i) }),
		"empty fields":     endlessly(t, okHead, func(int) string { return "X:\n" }),
		"cookies":          endlessly(t, okHead, func(i int) string { return fmt.Sprintf("Set-Cookie: n%d=v\r\n", i) }),
		"interim":          endlessly(t, "", func(int) string { return "HTTP/1.1 100 Continue\r\n\r\n" }),
		"interim, fields":  endlessly(t, "", func(int) string { return "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" }),
		"trailers":         endlessly(t, okHead+"Transfer-Encoding: chunked\r\n\r\n0\r\n", func(i int) string { return fmt.Sprintf("X-%d: y\r\n", i) }),
		"a trailer":        endlessly(t, okHead+"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", func(int) string { return "y" }),
		"chunk size":       endlessly(t, okHead+"Transfer-Encoding: chunked\r\n\r\n", func(int) string { return "0" }),
		"chunk extension":  endlessly(t, okHead+"Transfer-Encoding: chunked\r\n\r\n1;", func(int) string { return "x" }),
		"chunk extensions": endlessly(t, okHead+"Transfer-Encoding: chunked\r\n\r\n", func(int) string { return "1;" + strings.Repeat("x", 1000) + "\r\ny\r\n" }),
	} {
		for _, way := range []string{"direct", "forwarded", "tunnel"} {
			url, proxies := "http://example.com/", requests.Proxies{"all": server.URL("")}
			switch way {
			case "direct":
				url, proxies = server.URL("/"), nil
			case "tunnel":
				url = "https://example.com/"
			}
			s := newSession(t)
			flat(t, name+", "+way, func() error {
				_, err := s.Get(t.Context(), url, proxies, requests.Timeouts{Total: time.Minute})
				if err == nil || errors.Is(err, requests.ErrTimeout) {
					return fmt.Errorf("%w, want an error of its own", err)
				}
				return nil
			})
			s.Close()
		}
		server.Close()
	}
}

// TestRule29Counts: just below the bounds all is well, above them it is an error, and
// never is a part taken for the whole.
func TestRule29Counts(t *testing.T) {
	fields := func(n int) string { return strings.Repeat("X-A: y\r\n", n) }
	for _, tt := range []struct {
		name, reply string
		good        bool
	}{
		{"900 fields", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields(900) + "\r\n", true},
		{"1,001 fields", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields(1000) + "\r\n", false},
		{"100,000 fields", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields(100_000) + "\r\n", false},
		{"200 KiB", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + strings.Repeat("y", 200<<10) + "\r\n\r\n", true},
		{"300 KiB", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + strings.Repeat("y", 300<<10) + "\r\n\r\n", false},
		{"20 interim", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 20) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
		{"21 interim", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 21) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
		{"900 trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + fields(900) + "\r\n", true},
		{"1,001 trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + fields(1001) + "\r\n", false},
	} {
		server := wiretest.Origin(t, wiretest.Send(tt.reply))
		s := newSession(t)
		if _, err := s.Get(t.Context(), server.URL("/")); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestRule29Cookies: no reply, and no number of replies, makes the jar grow without bound.
func TestRule29Cookies(t *testing.T) {
	n := 0
	server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply {
		var fields [][2]string
		for range 900 {
			n++
			fields = append(fields, [2]string{"Set-Cookie", fmt.Sprintf("n%d=%s", n, strings.Repeat("v", 100))})
		}
		return wiretest.Text(200, "", fields...)
	}})
	s := newSession(t)
	for range 20 {
		if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
			t.Fatal(err)
		}
	}
	last := server.Requests()[19]
	if s.Cookies.Len() > 256 || len(last.Get("Cookie")) > 64<<10 {
		t.Errorf("%d cookies, %d bytes of them sent", s.Cookies.Len(), len(last.Get("Cookie")))
	}
}
