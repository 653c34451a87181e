package book

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestIndex: an entry for each part of a page, and words that weigh what they should.
func TestIndex(t *testing.T) {
	p, err := parse("docs/retries.md", []byte("# Retries\n\nNothing is sent *twice*.\nTwice, twice, twice, twice!\n\n<!-- run -->\n```go\nMaxRetries(3)\n```\n\n## `Total` counts\n\n| a | b |\n| --- | --- |\n| twice | d |\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := indexOf([]*page{p})
	want := &index{
		Entries: []entry{
			{Page: "Retries", Link: "docs/retries.html", Begins: "Nothing is sent twice. Twice, twice, twice, twice! MaxRetries(3)"},
			{Page: "Retries", Heading: "Total counts", Link: "docs/retries.html#total-counts", Begins: "a b twice d"},
		},
		Words: map[string][]int{
			"nothing": {0, 1}, "is": {0, 1}, "sent": {0, 1}, "twice": {0, 4, 1, 1}, "maxretries": {0, 1}, "max": {0, 1}, "retries": {0, 13}, "3": {0, 1},
			"total": {1, 8}, "counts": {1, 8}, "a": {1, 1}, "b": {1, 1}, "d": {1, 1},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if script := string(got.script()); !strings.HasPrefix(script, `const searchIndex = {"entries":[`) || !strings.HasSuffix(script, "};\n") {
		t.Errorf("the script is %q", script)
	}
}

// TestWords: names of Go are found whole and by their parts.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"... --- ...", nil},
		{"Don't panic", []string{"don", "t", "panic"}},
		{"NewHTTPAdapter", []string{"newhttpadapter", "new", "http", "adapter"}},
		{"HTTP/2 HTTP", []string{"http", "2", "http"}},
		{"s.Get(ctx)", []string{"s", "get", "ctx"}},
		{"http_proxy ErrURL", []string{"http", "proxy", "errurl", "err", "url"}},
		{"Größe ÜberFluss", []string{"größe", "überfluss", "über", "fluss"}},
	} {
		if diff := cmp.Diff(c.want, words(c.text)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.text, diff)
		}
	}
}

// TestCut: whole words, within the bound.
func TestCut(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{" short ", "short"},
		{"one two three", "one two …"},
		{"one two", "one two"},
		{"onetwothree four", ""},
	} {
		if got := cut(c.text, 9); got != c.want {
			t.Errorf("%q is cut to %q, want %q", c.text, got, c.want)
		}
	}
}
