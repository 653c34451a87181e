package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestManual walks testdata/manual.examples: the commands of HTTPie's manual, and below each what is wanted
// on the wire, without the fields that every request has.
func TestManual(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "manual.examples"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("HOME", ".")
	for _, file := range archive.Files {
		if err := os.MkdirAll(filepath.Dir(file.Name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file.Name, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, example := range strings.Split(string(archive.Comment), "\n$ ")[1:] {
		line, want, _ := strings.Cut(example, "\n")
		if got := sentBy(t, line); got != strings.TrimSpace(want) {
			t.Errorf("%s (-want +got)\n%s", line, cmp.Diff(strings.TrimSpace(want), got))
		}
	}
}

// sentBy is what a command sends to a host of its own, or says on standard error if that is nothing.
func sentBy(t *testing.T, line string) string {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan string, 1)
	go record(server, sent)
	var out, stderr bytes.Buffer
	c := &command{stdout: &out, stderr: &stderr}
	if input, behind, piped := strings.Cut(line, " | "); piped {
		c.stdin, line = strings.NewReader(input), behind
	}
	args := append([]string{"--proxy=http:http://" + server.Addr().String()}, words(strings.TrimPrefix(line, "requests "))...)
	status := c.run(context.Background(), args)
	_ = server.Close()
	if wire := <-sent; wire != "" {
		return wire
	}
	return strings.TrimSpace(fmt.Sprintf("(%d)\n%s%s", status, brief(out.String()), stderr.String()))
}

// record answers one request, and gives what was sent.
func record(server net.Listener, sent chan<- string) {
	defer close(sent)
	conn, err := server.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	var wire bytes.Buffer
	r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &wire)))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	sent <- brief(wire.String())
}

// everywhere are fields that every request has.
var everywhere = []string{"Host: pie.dev", "Host: example.org", "Accept-Encoding: ", "Connection: ", "Proxy-Connection: ", "Accept: */*", "User-Agent: go-requests/", "Content-Length: "}

func brief(wire string) string {
	var kept []string
	for _, line := range strings.Split(strings.ReplaceAll(wire, "\r\n", "\n"), "\n") {
		common := false
		for _, field := range everywhere {
			common = common || strings.HasPrefix(line, field)
		}
		if !common {
			kept = append(kept, line)
		}
	}
	text := strings.TrimSpace(strings.Join(kept, "\n"))
	return strings.ReplaceAll(text, "application/xml", "text/xml") // which of them depends on the system
}

// words splits a command at its blanks; quotes keep them.
func words(line string) (out []string) {
	word, quoted, begun := "", false, false
	for _, c := range line + " " {
		switch {
		case c == '\'':
			quoted, begun = !quoted, true
		case c == ' ' && !quoted:
			if begun {
				out = append(out, word)
			}
			word, begun = "", false
		default:
			word, begun = word+string(c), true
		}
	}
	return out
}
