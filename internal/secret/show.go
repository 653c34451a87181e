package secret

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Format writes text for a [fmt.Formatter], whatever the verb: quoted for %q, as digits
// for %x and %X, and else as it is, so that no verb walks through the fields of a value.
func Format(f fmt.State, verb rune, text string) {
	if verb != 'q' && verb != 'x' && verb != 'X' {
		verb = 's'
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), text)
}

// MarshalText is what a value that JSON is not for gives json.Marshal.
func MarshalText(text string) ([]byte, error) { return json.Marshal(text) }

// Clean escapes control characters, which somebody else may have chosen, so that text is
// one line and moves no cursor: those of C0 and C1, bytes that are not UTF-8 and those of
// control characters in Latin-1, Unicode's line ends, and what turns the order of text around.
func Clean(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	var b strings.Builder
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		switch r, n = utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && n == 1 && isControl(rune(s[i])):
			fmt.Fprintf(&b, "\\x%02x", s[i])
		case isControl(r) && r > 0xff:
			fmt.Fprintf(&b, "\\u%04x", r)
		case isControl(r):
			fmt.Fprintf(&b, "\\x%02x", r)
		default:
			b.WriteString(s[i : i+n])
		}
	}
	return b.String()
}

// CleanError returns err with a clean text: err itself, if its text is.
func CleanError(err error) error {
	text := err.Error()
	if clean := Clean(text); clean != text {
		return &cleaned{err, clean}
	}
	return err
}

// cleaned is an error whose own text holds control characters.
type cleaned struct {
	error
	text string
}

func (e *cleaned) Error() string { return e.text }
func (e *cleaned) Unwrap() error { return e.error }

func isControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// PairsText shows pairs as %v would.
func PairsText(pairs [][2]string) string {
	var b strings.Builder
	for i, kv := range pairs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("[" + kv[0] + " " + kv[1] + "]")
	}
	return Clean("[" + b.String() + "]")
}

// MaskPairs returns a copy with the values of secret names masked.
func MaskPairs(pairs [][2]string, isSecret func(name string) bool) [][2]string {
	pairs = slices.Clone(pairs)
	for i, kv := range pairs {
		if kv[1] != "" && isSecret(kv[0]) {
			pairs[i][1] = Mask
		}
	}
	return pairs
}
