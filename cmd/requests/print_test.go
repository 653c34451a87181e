package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestTerminal: what a server sends cannot steer a terminal, nor fill it with bytes.
func TestTerminal(t *testing.T) {
	for body, want := range map[string]string{
		"a\x1b[2Jb\r\n":   "a\ufffd[2Jb\n",
		"a\rb\r\nc":       "a\ufffdb\nc\n",
		"\x00\x01":        "(the body is binary and not shown on a terminal)\n",
		`{"a":{"b":"c"}}`: "{\n    \"a\": {\n        \"b\": \"c\"\n    }\n}\n",
		"plain":           "plain\n",
	} {
		var out strings.Builder
		p := newPrinter(&out, true, "format")
		r := requests.NewResponse(nil, 200, requests.Headers{{"X-Evil", "\x1b]0;title\a"}, {"Content-Type", "application/json"}}, readCloser(body))
		if err := p.response(r, "hb"); err != nil {
			t.Fatal(err)
		}
		head := "HTTP/1.1 200 OK\nX-Evil: \ufffd]0;title\ufffd\nContent-Type: application/json\n\n"
		if diff := cmp.Diff(head+want, out.String()); diff != "" {
			t.Errorf("%q (-want +got)\n%s", body, diff)
		}
	}
}

// TestDeepJSON: what a server sends is not indented where its lines would be many times as long as all of it.
func TestDeepJSON(t *testing.T) {
	nested := func(depth, elements int) string {
		return strings.Repeat("[", depth) + strings.Repeat("1,", elements) + `"[[{\"[,"` + strings.Repeat("]", depth)
	}
	got, want := map[string]bool{}, map[string]bool{} // whether it is indented
	for text, indented := range map[string]bool{
		nested(2, 10): true, nested(1000, 10): true, nested(10, 100_000): true, nested(1000, 20_000): false,
		`["` + strings.Repeat("[,", 1<<20) + `"]`: true,
	} {
		var out strings.Builder
		p := newPrinter(&out, false, "format")
		if err := p.body([]byte(text), "application/json"); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%.9s, %d bytes", text, len(text))
		got[name], want[name] = out.Len() > len(text)+2, indented
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSessionOfNoHost: a URL whose host is a folder does not lead a session file elsewhere.
func TestSessionOfNoHost(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	for _, url := range []string{"http://..", "http://../a", "http://.", "http://", "nothing"} {
		if k, err := openKept("work", url); err == nil {
			t.Errorf("%s: %s", url, k.path)
		}
	}
}

// TestNotText: JSON has no bytes that are not text, and none are put in their place.
func TestNotText(t *testing.T) {
	for _, arg := range []string{"data=\xff", "data[]=\x89PNG\xff", "a[b]=x\xc3"} {
		x, err := parseItems([]string{"a=b", arg})
		if err != nil {
			t.Fatal(err)
		}
		if body, err := x.object(); err == nil || !strings.Contains(err.Error(), "not text") {
			t.Errorf("%q: %v, %v", arg, body, err)
		}
	}
}

type body struct{ *strings.Reader }

func (body) Close() error { return nil }

func readCloser(s string) body { return body{strings.NewReader(s)} }

// TestItems: where an item is cut.
func TestItems(t *testing.T) {
	for text, want := range map[string][3]string{
		"Header:value":    {"Header", ":", "value"},
		"Header:":         {"Header", ":", ""},
		"Header;":         {"Header", ";", ""},
		"a;b=c":           {"a;b", "=", "c"},
		"name==value":     {"name", "==", "value"},
		"name==@file":     {"name", "==@", "file"},
		"name=value":      {"name", "=", "value"},
		"name==":          {"name", "==", ""},
		"name:=1":         {"name", ":=", "1"},
		"name:=@file":     {"name", ":=@", "file"},
		"name=@file":      {"name", "=@", "file"},
		"name@file":       {"name", "@", "file"},
		"Host:@file":      {"Host", ":@", "file"},
		`a\=b=c`:          {"a=b", "=", "c"},
		`a\\b=c`:          {`a\\b`, "=", "c"},
		`a\nb=c`:          {`a\nb`, "=", "c"},
		"url=http://x:80": {"url", "=", "http://x:80"},
	} {
		i, err := parseItem(text)
		if diff := cmp.Diff(want, [3]string{i.name, i.separator, i.value}); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", text, err, diff)
		}
	}
}

// A command line prints what would be sent.
func Example() {
	c := &command{stdout: os.Stdout, stderr: os.Stderr}
	status := c.run(context.Background(), strings.Fields("--offline --print B PUT pie.dev/put name=Ada age:=36"))
	fmt.Println(" ", status)
	// Output: {"name":"Ada","age":36}  0
}
