package curl

import (
	"strings"
	"testing"
)

// TestURLIsNoFlag: nothing that stands for a URL is read as a flag by curl.
func TestURLIsNoFlag(t *testing.T) {
	for url, want := range map[string]string{
		"http://h.test/": "curl http://h.test/ ",
		"-ofile:x":       "curl --url -ofile:x ",
		"--output=a:b":   "curl --url --output=a:b ",
	} {
		if got := (Request{Method: "GET", URL: url, None: true}).String(true); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}
