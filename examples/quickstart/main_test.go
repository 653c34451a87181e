package main

import (
	"strings"
	"testing"
)

// TestTour: the tour needs no network, goes past the environment's proxy, and shows the code
// of each stop.
func TestTour(t *testing.T) {
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	if err := run(t.Context(), nil); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"-h"}, {"--help"}} {
		if err := run(t.Context(), args); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	for _, args := range [][]string{{"-x"}, {"a", "b"}, {""}} {
		if run(t.Context(), args) == nil {
			t.Errorf("%q is taken", args)
		}
	}
	for _, part := range strings.Split(source, "t.title(")[1:] {
		title, _, _ := strings.Cut(strings.TrimPrefix(part, "\""), "\"")
		if code := codeOf(title); len(code) == 0 || !strings.Contains(strings.Join(code, "\n"), "t.") {
			t.Errorf("%q shows %q", title, code)
		}
	}
}
