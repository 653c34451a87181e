package netrc

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const good = "login l password p"
	tests := []struct{ name, text, host, want string }{
		{"plain", "machine h login l password p", "h", "l p"},
		{"lines", "machine h\n\tlogin l\n\tpassword p\n", "h", "l p"},
		{"CR LF", "machine h\r\nlogin l\r\npassword p\r\n", "h", "l p"},
		{"CR", "machine h\rlogin l\rpassword p\r", "h", "l p"},
		{"byte order mark", "\ufeffmachine h login l", "h", "l "},
		{"capitals", "MACHINE H Login l PassWord p", "h", "l p"},
		{"the host in capitals", "machine h login l", "H", "l "},
		{"user", "machine h user u", "h", "u "},
		{"account", "machine h account a password p", "h", "a p"},
		{"quoted", `machine "h" login "a b" password "c\"d\\"`, "h", `a b c"d\`},
		{"quoted over lines", "machine h login \"a\n# machine x\" password p", "h", "a\n# machine x p"},
		{"no blank after a quote", `machine h login "l"password p`, "h", "l p"},
		{"quote within a word", `machine h login a"b password c"`, "h", `a"b c"`},
		{"escapes", `machine h login a\ b password \"c`, "h", `a b "c`},
		{"backslash at the end", `machine h login a\`, "h", `a\ `},
		{"empty values", `machine h login "" password p`, "h", " p"},
		{"value is a keyword", "machine h login machine password default", "h", "machine default"},
		{"values repeated", "machine h login a login b", "h", "b "},
		{"the last entry", "machine h login a password b\nmachine h login c password d", "h", "c d"},
		{"empty last entry", "machine h login a password b\nmachine h", "h", "none"},
		{"default", "default login d password e", "x", "d e"},
		{"empty entry bars the default", "machine h\ndefault login d password e", "h", "none"},
		{"machine called default", "machine default login a", "h", "none"},

		{"comment after the entries", "machine h login new password good\n\n# machine h login old password secret\n", "h", "new good"},
		{"comment right after", "machine h login new password good\n# machine h login old password secret\n", "h", "new good"},
		{"comment word", "machine h login new password good\n#machine h login old password secret", "h", "new good"},
		{"indented comment", "machine h login new password good\n \t # machine h login old", "h", "new good"},
		{"comment on the first line", "# HTTP\nmachine h login l", "h", "l "},
		{"comment after an empty line", "\n# HTTP\nmachine h login l", "h", "l "},
		{"comments between entries", "machine a login x\n\n# two words\n\n#\n# machine h login old\nmachine h login l", "h", "l "},
		{"comment within an entry", "machine h\n# login old\nlogin l\n#password old\npassword p", "h", "l p"},
		{"comment behind a value", "machine h login l # password old\npassword p", "h", "l p"},
		{"comment word behind a value", "machine h login l #password old\npassword p", "h", "l p"},
		{"comment behind an entry", "machine h login l password p # machine h login old", "h", "l p"},
		{"comment with a quote", "machine h login l # don't \"\npassword p", "h", "l p"},
		{"comment with a backslash", "# \\\nmachine h login l", "h", "l "},
		{"comment with CR LF", "# machine h login old\r\nmachine h login l\r\n", "h", "l "},
		{"comment between keyword and value", "machine\n# x\nh login\n#old\nl", "h", "l "},
		{"value that begins like a comment", "machine h login #l password #1", "h", "#l #1"},
		{"error: a comment for a value", "machine h login l\npassword # machine x", "h", "error: line 2"},
		{"quoted value that begins like a comment", "machine h login l password\n\"#1\"", "h", "l #1"},
		{"comment at the end", "machine h login l #", "h", "l "},
		{"nothing but comments", "# a\n#b\n", "h", "none"},

		{"macro", "macdef m\nmachine h login x\n\nmachine h login l", "h", "l "},
		{"macro after an entry", "machine h login l\nmacdef m\nmachine h login x\n\n", "h", "l "},
		{"macro ends at blanks", "macdef m\nmachine h login x\n \t \nmachine h login l", "h", "l "},
		{"macro with CR LF", "macdef m\r\nx\r\n\r\nmachine h login l", "h", "l "},
		{"macro named on a shared line", "macdef m x\ny\n\nmachine h login l", "h", "l "},
		{"macro without lines", "macdef m\n\nmachine h login l", "h", "l "},
		{"macro with a comment", "macdef m\n# x\nmachine h login x\n\n# y\nmachine h login l", "h", "l "},
		{"macro to the end", "machine h login l macdef m\nmachine h login x\n", "h", "l "},
		{"macro within an entry", "machine h login l\nmacdef m\nx\n\npassword p", "h", "l p"},

		{"error: no name", "machine h " + good + "\nmachine", "", "error: line 2"},
		{"error: empty name", `machine "" login l`, "", "error: line 1"},
		{"error: no value", "machine h\nlogin", "", "error: line 2"},
		{"error: only a comment for a value", "machine h login\n# x", "", "error: line 1"},
		{"error: stray value", "machine h login l\npassword a b", "", "error: line 2"},
		{"error: word on top", "\n\nhost h", "", "error: line 3"},
		{"error: login on top", "login l machine h", "", "error: line 1"},
		{"error: quote without end", "machine h login l\npassword \"p\n", "", "error: line 2"},
		{"error: empty word", `machine h login l "" password p`, "", "error: line 1"},
		{"error: macro without name", "macdef", "", "error: line 1"},
		{"error: encoding", "machine h\nlogin \xff", "", "error: line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse([]byte(tt.text))
			got := "none"
			if e, ok := errors.AsType[*Error](err); ok {
				got = fmt.Sprintf("error: line %d", e.Line)
			} else if r := lookup(f, tt.host); r.OK {
				got = r.Login + " " + r.Password
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

// TestLookupUser: a host may have an entry for each login.
func TestLookupUser(t *testing.T) {
	f, err := Parse([]byte("machine h login a password 1 machine h login b password 2 machine h login a password 3 machine H account c"))
	if err != nil {
		t.Fatal(err)
	}
	var got []found
	for _, user := range []string{"a", "b", "c", "A", ""} {
		var r found
		r.Login, r.Password, r.OK = f.LookupUser("h", user)
		got = append(got, r)
	}
	want := []found{{"a", "3", true}, {"b", "2", true}, {"c", "", true}, {}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRule14DefaultIsOptIn shows that the default entry is used only when asked for.
func TestRule14DefaultIsOptIn(t *testing.T) {
	f, err := Parse([]byte("machine h login l password p\ndefault login d password e"))
	if err != nil {
		t.Fatal(err)
	}
	var got []found
	for _, host := range []string{"h", "H", "h.", "default", ""} {
		var r found
		r.Login, r.Password, r.OK = f.Lookup(host)
		got = append(got, r)
	}
	if diff := cmp.Diff([]found{{"l", "p", true}, {"l", "p", true}, {}, {}, {}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRule15EmptyEntryIsNoAuth(t *testing.T) {
	for _, text := range []string{"", "machine h", `machine h login "" password ""`, "default", "machine x login l"} {
		f, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(found{}, lookup(f, "h")); diff != "" {
			t.Errorf("%q (-want +got)\n%s", text, diff)
		}
	}
}

func TestRule39NoSecretIsPrinted(t *testing.T) {
	f, err := Parse([]byte("machine h login l password s3cret default login l password s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s", f, f, f, f)
	for _, text := range []string{"s3cret", "machine h password a s3cret", "machine h s3cret", "machine h password \"s3cret", "s3cret \xff"} {
		_, err := Parse([]byte(text))
		printed += fmt.Sprintf("%v %+v %#v", err, err, err)
	}
	if strings.Contains(printed, "s3cret") {
		t.Errorf("the secret is in %s", printed)
	}
}

// model reads a text by regular expressions: slowly, and in another way than Parse. It returns login and password of
// a host, "none", or "error".
func model(text, host string) string {
	text = strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\ufeff")
	rest := "\n" + text
	entries, current := map[string][]string{}, []string(nil)
	keep := func() {
		if current != nil {
			entries[current[0]] = current
		}
	}
	for {
		rest = modelComments.ReplaceAllString(rest, "")
		if rest == "" {
			break
		}
		keyword, after, ok := modelWord(rest)
		if !ok {
			return "error"
		}
		rest = after
		keyword = strings.ToLower(keyword)
		if keyword == "default" {
			keep()
			current = []string{"\x00default", "", "", ""}
			continue
		}
		field := map[string]int{"machine": 0, "login": 1, "user": 1, "password": 2, "account": 3, "macdef": 4}
		i, known := field[keyword]
		rest = modelLines.ReplaceAllString(rest, "")
		value, after, ok := modelWord(rest)
		if !known || !ok || modelLone.MatchString(rest) {
			return "error"
		}
		rest = after
		switch {
		case i == 4:
			if at := modelMacro.FindStringIndex(rest); at != nil {
				rest = rest[at[1]-1:]
			} else {
				rest = ""
			}
		case i == 0 && value == "" || i > 0 && current == nil:
			return "error"
		case i == 0:
			keep()
			current = []string{strings.ToLower(value), "", "", ""}
		default:
			current[i] = value
		}
	}
	keep()
	e := entries[strings.ToLower(host)]
	if e == nil || e[1]+e[2]+e[3] == "" {
		return "none"
	}
	if e[1] == "" {
		e[1] = e[3]
	}
	return e[1] + " " + e[2]
}

var (
	modelComments = regexp.MustCompile(`^(?:[ \t\n]+|#[^\n]*)*`)                 // before a keyword
	modelLines    = regexp.MustCompile(`^[ \t]*(?:\n[ \t]*(?:#[^\n]*)?)*[ \t]*`) // before a value: whole lines only
	modelLone     = regexp.MustCompile(`^#(?:[ \t\n]|$)`)
	modelMacro    = regexp.MustCompile(`\n(?:[ \t]*\n|[ \t]*$)`)
	modelQuoted   = regexp.MustCompile(`^"((?:[^"\\]|\\(?s:.))*)"`)
	modelBare     = regexp.MustCompile(`^(?:[^ \t\n\\]|\\(?s:.)|\\$)+`)
	modelEscape   = regexp.MustCompile(`\\((?s:.))`)
)

func modelWord(text string) (word, rest string, ok bool) {
	if strings.HasPrefix(text, `"`) {
		m := modelQuoted.FindStringSubmatch(text)
		if m == nil {
			return "", "", false
		}
		return modelEscape.ReplaceAllString(m[1], "$1"), text[len(m[0]):], true
	}
	m := modelBare.FindString(text)
	return modelEscape.ReplaceAllString(m, "$1"), text[len(m):], m != ""
}

// FuzzParse compares with the model.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"machine h login l password p\n", "default\n# c\n", `machine "a b" login \"`, "macdef m\n\n", "#\r\n#a b\r", "\xff", `""`,
		"machine h login new password good\n\n# machine h login old password secret\n", "machine h login l password #1 # c\nmachine h2",
		"machine h\n#c\nlogin\n # d\nl\nmacdef x\ny\n \t\npassword p", "machine h login \"a\n#b\" #c\"\n password p",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
		bad, isError := errors.AsType[*Error](err)
		switch {
		case err != nil && (file != nil || !isError):
			t.Fatalf("%v, %v", file, err)
		case err != nil && (bad.Line < 1 || bad.Line > 1+len(text)):
			t.Fatalf("line %d", bad.Line)
		case errors.Is(err, ErrEncoding):
			return
		}
		got := "none"
		if login, password, ok := lookupExactly(file, "h"); ok {
			got = login + " " + password
		}
		if err != nil {
			got = "error"
		}
		if diff := cmp.Diff(model(string(text), "h"), got); diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", text, err, diff)
		}
	})
}

func lookupExactly(f *File, host string) (login, password string, ok bool) {
	if f == nil {
		return "", "", false
	}
	return f.Lookup(host)
}
