package secret

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClean: no control character is left, those of C1 included, be they UTF-8 or bytes, and
// no other that ends a line or turns text around.
func TestClean(t *testing.T) {
	got := map[string]string{}
	want := map[string]string{
		"plain": "plain", "größe ✓": "größe ✓", "a\x1b[31mb": `a\x1b[31mb`, "a\nb\x7f": `a\x0ab\x7f`,
		"\u009b31m": `\x9b31m`, "\x9b31mEvil": `\x9b31mEvil`, "l\xf6ydy": "l\xf6ydy", "\x85\xf6": `\x85` + "\xf6", "é\xc3": "é\xc3", "�": "�", "": "",
		"a\u2028b\u2029": `a\u2028b\u2029`, "gpj.\u202eexe\u202c": `gpj.\u202eexe\u202c`, "\u2066x\u2069\u202a": `\u2066x\u2069\u202a`, "\u2027\u202f\u2065\u206a\u200f": "\u2027\u202f\u2065\u206a\u200f",
	}
	for text := range want {
		got[text] = Clean(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCleanError: the error can be found in what is shown in its place.
func TestCleanError(t *testing.T) {
	plain, wild := errors.New("plain"), errors.New("a\x1b[31mred")
	if got := CleanError(plain); got != plain {
		t.Errorf("got %v", got)
	}
	if got := CleanError(wild); got.Error() != `a\x1b[31mred` || !errors.Is(got, wild) {
		t.Errorf("got %q", got)
	}
}
