package curl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// split cuts a command into words as a POSIX shell does, $'…' of bash included. What a
// shell would look up or run is an error, as nothing here does:
//
//	\x            x, and nothing for a newline
//	'…'           as it is
//	"…"           \ before $ ` " \ and newline counts
//	$'…'          the escapes of C
//	^" and ^ at the end of a line: an error, as cmd.exe and no shell takes the ^ away
//	$name ` ; | & < > ( ) and a newline outside of quotes: an error
func split(text string) ([]string, error) {
	w := &words{rest: strings.TrimSpace(text)}
	for w.rest != "" {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	w.end()
	return w.all, nil
}

type words struct {
	rest   string
	all    []string
	word   []byte
	inWord bool
}

func (w *words) end() {
	if w.inWord {
		w.all = append(w.all, string(w.word))
	}
	w.word, w.inWord = nil, false
}

// add appends to the word and goes on behind the first n bytes.
func (w *words) add(text string, n int) {
	w.word, w.inWord = append(w.word, text...), true
	w.rest = w.rest[n:]
}

// step takes what stands next.
func (w *words) step() error {
	switch c := w.rest[0]; c {
	case ' ', '\t', '\r':
		w.end()
		w.rest = w.rest[1:]
	case '\\':
		w.escape()
	case '\'':
		return w.single()
	case '"':
		return w.double()
	case '$':
		return w.dollar()
	case '^':
		if next := w.rest[1:]; next != "" && strings.IndexByte("\"\r\n", next[0]) >= 0 {
			return errors.New(`it is quoted for the Windows command prompt (^" and ^ at the ends of lines): copy it for bash, as the browser offers`)
		}
		w.add("^", 1)
	case '#':
		if !w.inWord {
			line := strings.IndexByte(w.rest, '\n')
			w.rest = w.rest[max(line, 0):]
			if line < 0 {
				w.rest = ""
			}
			return nil
		}
		w.add("#", 1)
	case '\n', ';', '|', '&', '<', '>', '(', ')', '`':
		return fmt.Errorf("%q outside of quotes: only one command can be read, without what a shell does", c)
	default:
		w.add(w.rest[:1], 1)
	}
	return nil
}

// escape takes a backslash and what follows it.
func (w *words) escape() {
	n := 1
	if strings.HasPrefix(w.rest[1:], "\r\n") {
		n = 2
	}
	switch {
	case len(w.rest) == 1:
		w.add(`\`, 1)
	case w.rest[n] == '\n':
		w.rest = w.rest[n+1:]
	default:
		w.add(w.rest[1:2], 2)
	}
}

var errOpenQuote = errors.New("a quote is not closed")

func (w *words) single() error {
	end := strings.IndexByte(w.rest[1:], '\'')
	if end < 0 {
		return errOpenQuote
	}
	w.add(w.rest[1:1+end], end+2)
	return nil
}

func (w *words) double() error {
	w.add("", 1)
	for w.rest != "" {
		switch c := w.rest[0]; {
		case c == '"':
			w.rest = w.rest[1:]
			return nil
		case c == '`', c == '$' && expands(w.rest[1:]):
			return errExpansion
		case c == '\\' && len(w.rest) > 1 && strings.IndexByte("$`\"\\", w.rest[1]) >= 0:
			w.add(w.rest[1:2], 2)
		case c == '\\' && strings.HasPrefix(w.rest[1:], "\n"):
			w.rest = w.rest[2:]
		default:
			w.add(w.rest[:1], 1)
		}
	}
	return errOpenQuote
}

var errExpansion = errors.New("a shell would look up a variable or run a command here ($ or `), and nothing else does")

// expands reports whether a dollar before rest begins something.
func expands(rest string) bool {
	if rest == "" {
		return false
	}
	c := rest[0]
	return c == '{' || c == '(' || c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("?$!#@*-", c) >= 0
}

func (w *words) dollar() error {
	switch rest := w.rest[1:]; {
	case strings.HasPrefix(rest, "'"):
		return w.ansi()
	case strings.HasPrefix(rest, `"`):
		w.rest = rest // bash: a text to translate
		return nil
	case expands(rest):
		return errExpansion
	}
	w.add("$", 1)
	return nil
}

// ansi takes $'…'.
func (w *words) ansi() error {
	w.add("", 2)
	for w.rest != "" {
		switch {
		case w.rest[0] == '\'':
			w.rest = w.rest[1:]
			return nil
		case w.rest[0] == '\\' && len(w.rest) > 1:
			text, n, err := unescape(w.rest[1:])
			if err != nil {
				return err
			}
			w.add(text, 1+n)
		default:
			w.add(w.rest[:1], 1)
		}
	}
	return errOpenQuote
}

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", 'e': "\x1b", 'E': "\x1b", '\\': `\`, '\'': "'", '"': `"`, '?': "?"}

// unescape reads an escape behind its backslash: what it is, and how long.
func unescape(s string) (string, int, error) {
	if text, ok := escapes[s[0]]; ok {
		return text, 1, nil
	}
	switch s[0] {
	case 'x':
		return number(s, 1, 2, 16)
	case 'u':
		return number(s, 1, 4, 16)
	case 'U':
		return number(s, 1, 8, 16)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return number(s, 0, 3, 8)
	}
	return "", 0, fmt.Errorf(`\%c in $'…' is not an escape`, s[0])
}

// number reads up to digits digits from start: a byte, or for \u and \U a character.
func number(s string, start, digits, base int) (string, int, error) {
	end := start
	for end < len(s) && end < start+digits && isDigit(s[end], base) {
		end++
	}
	n, err := strconv.ParseUint(s[start:end], base, 32)
	if err != nil {
		return "", 0, fmt.Errorf(`\%c in $'…' without its digits`, s[0])
	}
	if digits > 3 {
		if n > utf8.MaxRune {
			return "", 0, fmt.Errorf(`\%c in $'…' is not a character`, s[0])
		}
		return string(rune(n)), end, nil
	}
	if byte(n) == 0 {
		return "", 0, errors.New("a NUL cannot be in a command")
	}
	return string([]byte{byte(n)}), end, nil
}

func isDigit(c byte, base int) bool {
	if base == 8 {
		return '0' <= c && c <= '7'
	}
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
