package book

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLinks: where the links of docs/guide/retries.md lead.
func TestLinks(t *testing.T) {
	tree := files(
		"README.md", "# Read me", "retry.go", "", "adapters/cache/cache.go", "",
		"docs/performance.md", "# Performance\n\n## The times", "docs/performance.svg", "",
		"docs/guide/README.md", "# Guide", "docs/guide/retries.md", "# Retries\n\n## Pauses", "docs/guide/timeouts.md", "# Timeouts",
	)
	pages, err := readPages(tree)
	if err != nil {
		t.Fatal(err)
	}
	l := linker{tree: tree, pages: pages, images: map[string]bool{}}
	const github = "https://github.com/mountable/requests"
	for _, c := range []struct{ link, want string }{
		{"timeouts.md", "timeouts.html"},
		{"./timeouts.md#timeouts", "timeouts.html#timeouts"},
		{"README.md", "index.html"},
		{"../guide", "index.html"},
		{"../performance.md#the-times", "../performance.html#the-times"},
		{"../../README.md", "../../index.html"},
		{"#pauses", "#pauses"},
		{"retries.md#pauses", "retries.html#pauses"},
		{"../performance.svg", "../performance.svg"},
		{"../../retry.go", github + "/blob/main/retry.go"},
		{"../../retry.go#L7", github + "/blob/main/retry.go#L7"},
		{"../../adapters/cache", github + "/tree/main/adapters/cache"},
		{"https://example.com/a?b#c", "https://example.com/a?b#c"},
		{"mailto:ada@example.com", "mailto:ada@example.com"},
		{github + "/blob/main/retry.go#L7", github + "/blob/main/retry.go#L7"},
		{github + "/issues", github + "/issues"},

		{"#pause", "error: docs/guide/retries.md has no heading #pause"},
		{"timeouts.md#pauses", "error: docs/guide/timeouts.md has no heading #pauses"},
		{"timeout.md", "error: there is no such file"},
		{"../retry.go", "error: there is no such file"},
		{"../../../other/README.md", "error: leads out of the repository"},
		{"/docs/guide/timeouts.md", "error: is neither relative nor https"},
		{"//example.com/", "error: is neither relative nor https"},
		{"javascript:alert(1)", "error: is neither relative nor https"},
		{"", "error: is empty"},
		{"%zz", "error: is not a URL"},
		{github + "/blob/main/gone.go", "error: the repository has no such file"},
	} {
		got, err := l.resolve(pages["docs/guide/retries.md"], c.link)
		if err != nil {
			got = fmt.Sprint("error: ", err)
		}
		if got != c.want {
			t.Errorf("%q leads to %q, want %q", c.link, got, c.want)
		}
	}
	if diff := cmp.Diff(map[string]bool{"docs/performance.svg": true}, l.images); diff != "" {
		t.Errorf("images of the site (-want +got)\n%s", diff)
	}
}
