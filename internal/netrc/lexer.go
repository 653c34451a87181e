package netrc

import "strings"

// lexer cuts a text into words. Words are parted by blanks, tabs and line ends. A word that starts with a double quote
// runs to the next one, or to the end of the text; quotes elsewhere mean nothing. A backslash takes the
// next character as it is, within quotes and without.
type lexer struct {
	text  string // what has not been read
	line  int    // of the next character, from 1
	start int    // line where the last word (or line) started
}

func (l *lexer) next() (c byte, ok bool) {
	if l.text == "" {
		return 0, false
	}
	c, l.text = l.text[0], l.text[1:]
	if c == '\n' {
		l.line++
	}
	return c, true
}

// word returns the next word without its quotes; "" is the end of the text, or an empty pair of quotes.
// The character which ends a word is read with it, so a word at the end of its line leaves line at the next one.
func (l *lexer) word() string {
	c, ok := l.next()
	for ok && isSpace(c) {
		c, ok = l.next()
	}
	if l.start = l.line; !ok {
		return ""
	}
	if c == '"' {
		return l.until(nil, isQuote)
	}
	if c == '\\' {
		if c, ok = l.next(); !ok {
			return ""
		}
	}
	return l.until([]byte{c}, isSpace)
}

func (l *lexer) until(word []byte, end func(byte) bool) string {
	for {
		c, ok := l.next()
		if !ok || end(c) {
			return string(word)
		}
		if c == '\\' {
			if c, ok = l.next(); !ok {
				return string(word)
			}
		}
		word = append(word, c)
	}
}

// skipLine reads up to and including the next line end; ok is false at the end of the text.
func (l *lexer) skipLine() (line string, ok bool) {
	l.start = l.line
	if l.text == "" {
		return "", false
	}
	line, rest, ended := strings.Cut(l.text, "\n")
	if l.text = rest; ended {
		l.line++
	}
	return line, true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isQuote(c byte) bool { return c == '"' }
