package integrity

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hello is the example of RFC 9530 appendix B: {"hello": "world"} and a line feed.
const hello = "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="

func TestParse(t *testing.T) {
	sum, err := base64.StdEncoding.DecodeString(hello)
	if err != nil {
		t.Fatal(err)
	}
	got, want := map[string]Digests{}, map[string]Digests{}
	for text, d := range map[string]Digests{
		"":                            {},
		"sha-256=:" + hello + ":":     {"sha-256": sum},
		"  sha-256=:" + hello + ":  ": {"sha-256": sum},
		"sha-256=:" + strings.TrimRight(hello, "=") + ":":              {"sha-256": sum},
		`md5=:AA==:, a="x, y\"", sha-256=:` + hello + `:;p=1;q="," ,b`: {"sha-256": sum},
		"sha-256=:AA==:,\tsha-256=:" + hello + ":":                     {"sha-256": sum},
		"sha-256=:" + hello + ":, sha-256=1":                           {},
		"sha-256=::":                                                   {"sha-256": {}},
		"sha-512=:" + hello + ":":                                      {"sha-512": sum},
		"sha-256=:" + hello:                                            nil,
		"sha-256=:*:":                                                  nil,
		"sha-256=:A===:":                                               nil,
		"sha-256=:" + hello + ":,":                                     nil,
		"sha-256=:" + hello + ": x":                                    nil,
		",sha-256=:" + hello + ":":                                     nil,
		"SHA-256=:" + hello + ":":                                      nil,
		`a="`:                                                          nil,
		`a="\`:                                                         nil,
		"a=":                                                           nil,
		"a;=":                                                          nil,
	} {
		got[text], want[text] = Parse([]string{text}), d
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("digests (-want +got):\n%s", diff)
	}
}

func TestChecker(t *testing.T) {
	const body = "{\"hello\": \"world\"}\n"
	sum := New()
	sum.Write([]byte(body))
	field := Field(sum)
	if want := "sha-256=:" + hello + ":"; field != want {
		t.Errorf("field %s, want %s", field, want)
	}
	right, wrong := Parse([]string{field}), Digests{"sha-512": make([]byte, 64)}
	short := []Digests{Parse([]string{"sha-256=:c2hvcnQ=:"}), Parse([]string{"sha-256=::"}), Parse([]string{field[:len(field)-3] + ":"}), Parse([]string{field + ", sha-512=:" + hello + ":"})}
	for i := range len(body) + 1 {
		c := NewChecker(true)
		c.Write([]byte(body[:i]))
		c.Write([]byte(body[i:]))
		if got := [...]string{c.Mismatch(right), c.Mismatch(wrong), c.Mismatch(nil)}; got != [...]string{"", "sha-512", ""} {
			t.Fatalf("cut at %d: %q", i, got)
		}
		for _, d := range short {
			if c.Mismatch(d) == "" {
				t.Fatalf("%v is not the sum of anything", d)
			}
		}
	}
}

// FuzzParse: no text is more than sums of the algorithms that are known.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"sha-256=:" + hello + ":", `a="\"",b;c=1, sha-512=:AA==:`, "a=(1 2);q"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := Parse([]string{text})
		for _, a := range algorithms {
			if sum, ok := d[a.name]; ok && sum == nil {
				t.Errorf("%q: no sum for %s", text, a.name)
			}
			delete(d, a.name)
		}
		if len(d) > 0 {
			t.Errorf("%q: %v", text, d)
		}
	})
}
