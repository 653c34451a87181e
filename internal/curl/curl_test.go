package curl

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mountable/requests/internal/bounded"
)

// TestWords: a command is cut as a shell cuts it, and what a shell would do is refused.
func TestWords(t *testing.T) {
	tests := map[string][]string{
		`curl a\ b 'c d' "e f"`:      {"curl", "a b", "c d", "e f"},
		"a \\\n b \\\r\n\tc":         {"a", "b", "c"},
		`'it'\''s' "\"\$\\\a"`:       {"it's", `"$\\a`},
		`$'a\n\t\'\x41\101é\\' $"x"`: {"a\n\t'AAé\\", "x"},
		`'' "" a#b # a comment`:      {"", "", "a#b"},
		"a # one\n":                  {"a"},
		`"cost $ 5" $`:               {"cost $ 5", "$"},
		`\`:                          {`\`},
		`a^b ^c ^ '^"' "^"`:          {"a^b", "^c", "^", `^"`, "^"},
		"":                           nil,
	}
	for text, want := range tests {
		got, err := split(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"a | b", "a; b", "a\nb", "a & b", "a > b", "curl ^\"http://h/^\"", "curl \"http://h/\" -H ^\"X-A: 1^\"", "a ^\n b", "a ^\r\n b", "a\"b\"^\"c", "`a`", `"$(a)"`, `$HOME`, `"${a}"`, `'a`, `"a`, `$'a`, `$'\q'`, `$'\x'`, `$'\0'`, `$'\UFFFFFFFF'`} {
		if got, err := split(text); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// TestParse reads commands.
func TestParse(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(file, []byte("x\xff\r\ny=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	form := [][2]string{{"Content-Type", "application/x-www-form-urlencoded"}}
	tests := map[string]Command{
		`curl -X PUT -- -h.example/`:                          {Method: "PUT", URL: "http://-h.example/"},
		`curl h.example`:                                      {Method: "GET", URL: "http://h.example"},
		`/usr/bin/curl -sSLko out https://h/`:                 {Method: "GET", URL: "https://h/", Follow: true, Insecure: true},
		`curl -XPATCH -da=1 -d b=2 https://h/`:                {Method: "PATCH", URL: "https://h/", Body: []byte("a=1&b=2"), HasBody: true, Headers: form},
		`curl -G -d a=1 --data-urlencode 'b=c d' https://h?x`: {Method: "GET", URL: "https://h?x&a=1&b=c+d"},
		`curl -G -d a=1 'https://h/p#f'`:                      {Method: "GET", URL: "https://h/p?a=1#f"},
		`curl -d @` + file + ` h`:                             {Method: "POST", URL: "http://h", Body: []byte("x\xffy=1"), HasBody: true, Headers: form},
		`curl --data-binary @` + file + ` -H Content-Type: h`: {Method: "POST", URL: "http://h", Body: []byte("x\xff\r\ny=1\n"), HasBody: true, Without: []string{"Content-Type"}},
		`curl --data-raw @no h`:                               {Method: "POST", URL: "http://h", Body: []byte("@no"), HasBody: true, Headers: form},
		`curl --json '{"a":' --json 1} h`: {Method: "POST", URL: "http://h", Body: []byte(`{"a":1}`), HasBody: true,
			Headers: [][2]string{{"Content-Type", "application/json"}, {"Accept", "application/json"}}},
		`curl -H 'A: b' -H 'C;' -H D: -A '' -e r -r 0-9 h`: {Method: "GET", URL: "http://h",
			Headers: [][2]string{{"A", "b"}, {"C", ""}, {"Referer", "r"}, {"Range", "bytes=0-9"}}, Without: []string{"D", "User-Agent"}},
		`curl -H 'A: b' -H A: h`:    {Method: "GET", URL: "http://h", Headers: [][2]string{{"A", "b"}}},
		`curl -b 'a=1; b=2' -b f h`: {Method: "GET", URL: "http://h", Cookies: [][2]string{{"a", "1"}, {"b", "2"}}, CookieFiles: []string{"f"}},
		`curl -u ada:x:y h`:         {Method: "GET", URL: "http://h", User: "ada:x:y", Scheme: "basic"},
		`curl --digest -u a:b h`:    {Method: "GET", URL: "http://h", User: "a:b", Scheme: "digest"},
		`curl -T ` + file + ` h/d/ -H 'Transfer-Encoding: chunked'`: {Method: "PUT", URL: "http://h/d/a.txt", Body: []byte("x\xff\r\ny=1\n"), HasBody: true, Chunked: true},
		`curl -x p:1 -U 'a:b@c' -m 1.5 --connect-timeout 2 h`:       {Method: "GET", URL: "http://h", Proxy: "http://a:b%40c@p:1", Total: 1500 * time.Millisecond, Connect: 2 * time.Second},
		`curl -E c.pem:pw --key k --cacert ca h`:                    {Method: "GET", URL: "http://h", Cert: "c.pem", Password: "pw", Key: "k", CA: "ca"},
		`curl -I 'http://[::1]/\[a\]'`:                              {Method: "HEAD", URL: "http://[::1]/[a]"},
		`curl -g 'http://h/{a,b}'`:                                  {Method: "GET", URL: "http://h/{a,b}"},
		`curl -F a=b -F 'c=@` + file + `;type=text/x; charset=u;filename="q;.txt"' -F 'd=<` + file + `' --form-string e=@x -F 'f=x;y;headers="A: b"' h`: {Method: "POST", URL: "http://h", Parts: []Part{
			{Name: "a", Content: []byte("b")}, {Name: "c", IsFile: true, FileName: "q;.txt", Type: "text/x; charset=u", Content: []byte("x\xff\r\ny=1\n")},
			{Name: "d", Content: []byte("x\xff\r\ny=1\n")}, {Name: "e", Content: []byte("@x")}, {Name: "f", Content: []byte("x;y"), Headers: [][2]string{{"A", "b"}}}}},
	}
	for text, want := range tests {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, *got, cmpopts.IgnoreUnexported(Command{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
}

// TestParseErrors: each error names the flag, and no value.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"wget h":                        "begin with curl",
		"":                              "begin with curl",
		"curl":                          "0 URLs",
		"curl a b":                      "2 URLs",
		"curl --bogus=s3cret h":         `"--bogus"`,
		"curl -sé h":                    `"-é"`,
		"curl --next h":                 `"--next"`,
		"curl --resolve h:1:2 h":        "--resolve is not for a request: use ResolveTo",
		"curl -c s3cret h":              "-c is not for a request",
		"curl h -H":                     "-H needs a value",
		"curl -H s3cret h":              "-H: expected",
		"curl -u s3cret h":              "-u has no password",
		"curl -d a -F b=c h":            "cannot be given together",
		"curl -I -d a h":                "-I and a body",
		"curl -T - h":                   "standard input",
		"curl -T /dev/null h":           "regular file",
		"curl -d @/no/such h":           "-d: ",
		"curl -F s3cret h":              "-F: expected",
		"curl -F 'a=b;type=x;foo=s' h;": "outside of quotes",
		"curl -F 'a=\"b\";foo=s' h":     `";foo"`,
		"curl h/{a,b}":                  "pattern",
		"curl h/[1-3]":                  "pattern",
		"curl -m s3cret h":              "-m: expected a number",
		"curl -C - h":                   "-C: expected a number",
		"curl -U a:s3cret h":            "--proxy-user without",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// FuzzParse: no text makes it panic, and what it reads is one request.
func FuzzParse(f *testing.F) {
	f.Add(`curl 'https://h/' -H 'A: b' --data-raw $'a\'b' --compressed`)
	f.Add(`curl -F "a=b;type=\"x" h`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") || strings.Contains(text, "<") || strings.Contains(text, "T") {
			return // no files
		}
		if c, err := Parse(text); err == nil && (c.Method == "" && !strings.Contains(text, "X") && !strings.Contains(text, "request") || c.URL == "") {
			t.Errorf("%q: %+v", text, c)
		}
	})
}

// TestCommandFileBound: what is larger than a body in memory should be is refused.
func TestCommandFileBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(f.Truncate(maxFile+1), f.Close()) // a sparse file
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-d", "--data-binary", "--data-urlencode"} {
		_, err := Parse("curl http://h " + flag + " @" + filepath.ToSlash(path))
		if _, tooLarge := errors.AsType[*bounded.TooLargeError](err); !tooLarge {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
