package progress

import (
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// isTerminal reports whether a line of w can be drawn again.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// maxName is how many characters of a name are shown.
const maxName = 40

// printable takes from a name, which a server may have chosen, what steers a terminal,
// and shortens it.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name)
	if short := []rune(name); len(short) > maxName {
		return string(short[:maxName-1]) + "…"
	}
	return name
}
