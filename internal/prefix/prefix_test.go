package prefix

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: the longest prefix wins in any letter case, a value is replaced in its place,
// and the zero value takes one away.
func TestTable(t *testing.T) {
	var table Table[int]
	for i, prefix := range []string{"http://", "http://h/abc", "http://h/ab", "HTTP://H/AB", "https://"} {
		table.Put(prefix, i+1)
	}
	table.Put("http://h/abc", 9)
	table.Put("https://", 0)
	got := map[string]int{}
	want := map[string]int{"http://h/abcd": 9, "http://h/abd": 3, "HTTP://h/Ab": 3, "http://x": 1, "https://x": 0, "": 0, "gopher://": 0}
	for text := range want {
		got[text] = table.Lookup(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	entries := []Entry[int]{{"http://h/abc", 9}, {"http://h/ab", 3}, {"HTTP://H/AB", 4}, {"https://", 0}, {"http://", 1}}
	if diff := cmp.Diff(entries, table.All()); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// TestManyPrefixes: a table of many says the same as one of few.
func TestManyPrefixes(t *testing.T) {
	var table Table[int]
	want := map[string]int{}
	for i := range 5 * few {
		prefix := fmt.Sprintf("http://h/%d/", i%(4*few)) // some twice
		table.Put(prefix, i+1)
		table.Put(strings.ToUpper(prefix), 1000+i) // which the first of a spelling hides
		want[prefix+"x"] = i + 1
	}
	got := map[string]int{}
	for text := range want {
		got[text] = table.Lookup(text)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(table.All()) != 8*few {
		t.Errorf("%d entries, values (-want +got):\n%s", len(table.All()), diff)
	}
}

// TestOwnPort: the longest prefix wins, whether it or the URL names the scheme's own port.
func TestOwnPort(t *testing.T) {
	var table Table[string]
	for _, prefix := range []string{"https://", "https://h", "https://h:443", "https://h/", "https://h:443/v1/", "https://h/v1/x/", "https://h:", "https://i:443", "http://h:443/"} {
		table.Put(prefix, prefix)
	}
	got := map[string]string{}
	want := map[string]string{
		"https://h/":            "https://h/",
		"https://h:443/":        "https://h/",
		"https://h":             "https://h:443",
		"https://h?q":           "https://h:443",
		"https://h:443?q":       "https://h:443",
		"https://h:8443?q":      "https://h:",
		"https://h/v1/":         "https://h:443/v1/",
		"https://h:443/v1/":     "https://h:443/v1/",
		"https://h/v1/x/y":      "https://h/v1/x/",
		"https://h:443/v1/x/y":  "https://h/v1/x/",
		"https://h:0443/v1/x/y": "https://h/v1/x/",
		"https://u@h:443/v1/x":  "https://h:443/v1/",
		"https://i/":            "https://i:443",
		"https://i:80/":         "https://",
		"http://h/":             "",
		"http://h:443/":         "http://h:443/",
	}
	for url := range want {
		got[url] = table.LookupURL(url)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("prefixes (-want +got):\n%s", diff)
	}
}
