package netrc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
)

type found struct {
	Login, Password string
	OK              bool
}

func lookup(f *File, host string) (got found) {
	got.Login, got.Password, got.OK = f.LookupOrDefault(host)
	return got
}

// TestVectors compares with what Requests was recorded doing (get_netrc_auth).
func TestVectors(t *testing.T) {
	type recorded struct {
		ID string
		In struct {
			Netrc       json.RawMessage
			URL         string
			RaiseErrors bool `json:"raise_errors"`
			Missing     bool
		}
		Out   []string
		Error string
	}
	for _, c := range cases.Recorded[recorded](t, "get_netrc_auth") {
		t.Run(c.ID, func(t *testing.T) {
			if c.In.Missing {
				t.Skip("the recording is of a file that is missing, and this package reads text: TestNetrcTold has files")
			}
			f, err := ParsePython(content(t, c.In.Netrc))
			if err != nil && !errors.Is(err, ErrEncoding) && !c.In.RaiseErrors {
				f, err = &File{}, nil // what get_netrc_auth makes of a syntax error
			}
			if diff := cmp.Diff(c.Error != "", err != nil); diff != "" {
				t.Fatalf("error %v (-want +got)\n%s", err, diff)
			}
			var want, got []string = c.Out, nil
			if host := hostOf(t, c.In.URL); err == nil && host != "" {
				if r := lookup(f, host); r.OK {
					got = []string{r.Login, r.Password}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// content decodes a text, or the bytes of {"b64": ...}.
func content(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []byte(s)
	}
	var b struct{ B64 []byte }
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	return b.B64
}

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToLower(u.Hostname())
}

func TestParsePython(t *testing.T) {
	tests := []struct{ name, text, host, want string }{
		{"CR LF", "machine h\r\nlogin l\r\npassword p\r\n", "h", "l p"},
		{"CR", "machine h\rlogin l\rpassword p\r", "h", "l p"},
		{"quoted name and keyword", `"machine" "a h" "login" l`, "a h", "l "},
		{"quote within a word", `machine h login a"b password c"`, "h", `a"b c"`},
		{"no blank after a quote", `machine h login "l"password p`, "h", "l p"},
		{"unterminated quote", "machine h login \"a\nb", "h", "a\nb "},
		{"escaped blank first", `machine h login \ a`, "h", " a "},
		{"backslash at the end", `machine h login a\`, "h", "a "},
		{"lone backslash", `machine h login \`, "h", "none"},
		{"escaped in quotes", `machine h login "a\\\"b"`, "h", `a\"b `},
		{"empty word ends the text", `machine h login l "" password p bogus`, "h", "l "},
		{"empty word on top ends it", `machine h login l machine "a" "" machine b login x`, "b", "none"},
		{"value is a keyword", "machine h login machine password default", "h", "machine default"},
		{"values repeated", "machine h login a login b", "h", "b "},
		{"later entry replaces all", "machine h login a password b\nmachine h password c", "h", " c"},
		{"two defaults", "default login a\ndefault login b", "h", "b "},
		{"machine called default", "machine default login a", "h", "a "},
		{"empty entry bars the default", "machine h\ndefault login d password e", "h", "none"},
		{"comment to the end of the line", "machine h login l # password x\npassword p", "h", "l p"},
		{"comment word in an entry", "machine h login l #c password x\npassword p", "h", "l p"},
		{"comment at a line end", "machine h #\nlogin l", "h", "l "},
		{"comment on top", "# a b\nmachine h login l", "h", "l "},
		{"comment word on top", "#a\nmachine h login l", "h", "l "},
		{"comment word on top hides itself only", "#a machine h login l", "h", "l "},
		{"macro", "macdef m\nmachine h login x\n\nmachine h login l", "h", "l "},
		{"macro after an entry", "machine h login l macdef m\nx\n\n", "h", "l "},
		{"macro named on a shared line", "macdef m x\ny\n\nmachine h login l", "h", "l "},
		{"macro without lines", "macdef m\n\nmachine h login l", "h", "l "},
		{"macro with CR LF", "macdef m\r\nx\r\n\r\nmachine h login l", "h", "l "},

		{"error: byte order mark", "\ufeffmachine h login l", "", "1: bad top-level word"},
		{"error: keyword in capitals", "\n\nMACHINE h", "", "3: bad top-level word"},
		{"error: no name", "machine h login l\nmachine", "", "2: missing machine name"},
		{"error: empty name", `machine "" login l`, "", "1: missing machine name"},
		{"error: stray value", "machine h login l\npassword a b", "", "2: bad word in an entry"},
		{"error: comment after an empty line", "machine h login l\n\n# two words", "", "3: bad word in an entry"},
		{"error: macro to the end", "macdef m\nx\n", "", "3: macro without an empty line at its end"},
		{"error: macro without name", "macdef", "", "1: macro without an empty line at its end"},
		{"error: encoding", "machine h\nlogin \xff", "", "2: not valid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ParsePython([]byte(tt.text))
			got := "none"
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "line ")
			} else if r := lookup(f, tt.host); r.OK {
				got = r.Login + " " + r.Password
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPythonDefaultIsOptIn shows that the default entry is used only when asked for.
func TestPythonDefaultIsOptIn(t *testing.T) {
	f, err := ParsePython([]byte("machine h login l password p\ndefault login d password e"))
	if err != nil {
		t.Fatal(err)
	}
	type both struct{ Lookup, OrDefault found }
	got := map[string]both{}
	for _, host := range []string{"h", "H", "h.", "default", ""} {
		var b both
		b.Lookup.Login, b.Lookup.Password, b.Lookup.OK = f.Lookup(host)
		b.OrDefault = lookup(f, host)
		got[host] = b
	}
	def := both{OrDefault: found{"d", "e", true}}
	want := map[string]both{"h": {found{"l", "p", true}, found{"l", "p", true}}, "H": def, "h.": def, "default": def, "": def}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPythonEmptyEntry(t *testing.T) {
	for _, text := range []string{"", "machine h", "machine h login", `machine h login "" password ""`, "default", "machine x login l"} {
		f, err := ParsePython([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(found{}, lookup(f, "h")); diff != "" {
			t.Errorf("%q (-want +got)\n%s", text, diff)
		}
	}
}

func TestPythonPrintsNoSecret(t *testing.T) {
	f, err := ParsePython([]byte("machine h login l password s3cret default login l password s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s", f, f, f, f)
	for _, text := range []string{"s3cret", "machine h password a s3cret", "machine h s3cret", "macdef s3cret\ns3cret", "s3cret \xff"} {
		_, err := ParsePython([]byte(text))
		printed += fmt.Sprintf("%v %+v %#v", err, err, err)
	}
	if strings.Contains(printed, "s3cret") {
		t.Errorf("the secret is in %s", printed)
	}
}

func FuzzParsePython(f *testing.F) {
	for _, text := range []string{
		"machine h login l password p\n", "default\n# c\n", `machine "a b" login \"`, "macdef m\n\n", "#\r\n#a b\r", "\xff", `""`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := ParsePython(text)
		var bad *Error
		switch {
		case err == nil:
			lookup(file, "h")
		case file != nil || !errors.As(err, &bad):
			t.Fatalf("%v, %v", file, err)
		case bad.Line < 1 || bad.Line > 1+len(text):
			t.Fatalf("line %d", bad.Line)
		}
	})
}
