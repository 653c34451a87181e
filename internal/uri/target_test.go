package uri

import (
	"strings"
	"testing"
)

// TestExactTarget: it is what stands behind the authority of an absolute URL, and of nothing else: one part of a URL is
// not read as another where it is joined to a base.
func TestExactTarget(t *testing.T) {
	for s, want := range map[string]string{
		"http://h/a/../b": "/a/../b", "HTTP://h:80?q": "/?q", " http://u@h#f": "/", "http+unix://%2Fs/x": "/x", "http://h//e/x": "//e/x", "http://h/?a://b/c": "/?a://b/c",
		"/a?u=http://e/x": "", "?x://y/z": "", "#x://y/z": "", "http:a?x://b/c": "", "http:/a?x://b/c": "", "//h/a?u=x://y/z": "", "http:////h/x": "", "http:///x": "",
		"http://h/ ": "", "http://h/\r\nX: y": "", "http://h/\x00": "", "h/x": "", "": "",
	} {
		if got, ok := ExactTarget(s); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v, want %q", s, got, ok, want)
		}
	}
}

// FuzzExactTarget: the exact target of a URL that can be prepared is another spelling of the target that is prepared.
func FuzzExactTarget(f *testing.F) {
	for _, s := range []string{"http://h/a/../b?c#d", "http://u:p@h:1?x://y/z", "https://h\\x/", "http:a?x://b/c", "http://[::1]/%zz", "http://h/\u00e9?\"|"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		prepared, err := Prepare(s, nil)
		target, ok := ExactTarget(s)
		if err != nil || !ok || strings.Contains(s, "%") { // a broken escape in one part changes how the others are written
			return
		}
		u, err := Parse(prepared)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			return
		}
		again, err := Prepare("http://h"+target, nil)
		if got, want := RequestTarget(again), RequestTarget(prepared); err != nil || got != want {
			t.Errorf("%q: %q is prepared as %q, %v, want %q", s, target, got, err, want)
		}
	})
}
