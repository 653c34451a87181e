package netrc

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrEncoding is the cause of an Error about a text that is not UTF-8. Requests reports this one even
// where a syntax error makes it ignore the file.
var ErrEncoding = errors.New("not valid UTF-8")

// ErrSyntax is the cause of every other Error.
var ErrSyntax = errors.New("syntax error")

// Error tells what is wrong with a netrc text, and on which line, counted from 1. It never quotes the text: a word
// out of place may well be half a password.
type Error struct {
	Line int
	Msg  string
	err  error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// Unwrap returns ErrSyntax or ErrEncoding.
func (e *Error) Unwrap() error { return e.err }

// Parse reads a whole netrc text as curl and inetutils do. Every error is an *Error, and comes without a File: what
// stands behind a word that makes no sense cannot be trusted.
//
// The text is a list of words, parted by blanks, tabs and line ends. A word in double quotes may hold these, and a
// backslash takes the next character as it is, within quotes and without. Keywords may be in any letter case.
//
//	machine NAME | default     starts an entry; the last entry of a name and login wins
//	login W | user W           within an entry, in any order, the last one wins
//	account W | password W
//	macdef NAME                skips all lines up to one without words, or to the end of the text
//	#                          a comment to the end of its line, where a line begins or a keyword may stand;
//	                           a value may begin with it on the line of its keyword, password #1, but not be
//	                           it alone
//
// A byte order mark at the beginning is skipped.
func Parse(text []byte) (*File, error) {
	decoded, err := decode(text)
	if err != nil {
		return nil, err
	}
	p := parser{
		lex:  lexer{text: strings.TrimPrefix(decoded, "\ufeff"), line: 1, fresh: true},
		file: &File{machines: make(map[string][]entry), folds: true},
	}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return p.file, nil
}

// decode checks the encoding and makes all line ends one, as text files of Python have them.
func decode(text []byte) (string, error) {
	if i := firstInvalid(text); i >= 0 {
		line := 1 + strings.Count(universalNewlines(string(text[:i])), "\n")
		return "", &Error{Line: line, Msg: ErrEncoding.Error(), err: ErrEncoding}
	}
	return universalNewlines(string(text)), nil
}

func firstInvalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
}

// universalNewlines makes CR LF and CR line ends.
func universalNewlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

type parser struct {
	lex  lexer
	file *File

	current *entry // nil before the first entry
	name    string // of its machine; "" is that of default
}

func (p *parser) parse() error {
	for {
		keyword, ok, err := p.lex.keyword()
		if err != nil {
			return err
		}
		if !ok {
			p.keep()
			return nil
		}
		if err := p.take(strings.ToLower(keyword)); err != nil {
			return err
		}
	}
}

// take reads what belongs to a keyword.
func (p *parser) take(keyword string) error {
	switch keyword {
	case "default":
		p.start("")
		return nil
	case "machine", "macdef", "login", "user", "account", "password":
	default:
		return p.lex.fail("expected machine, default, login, password, account or macdef")
	}
	value, err := p.lex.value()
	switch {
	case err != nil:
		return err
	case keyword == "macdef":
		p.lex.skipMacro()
		return nil
	case keyword == "machine" && value == "":
		return p.lex.fail("missing machine name")
	case keyword == "machine":
		p.start(strings.ToLower(value))
		return nil
	case p.current == nil:
		return p.lex.fail(keyword + " before the first machine")
	}
	p.current.set(keyword, value)
	return nil
}

func (e *entry) set(keyword, value string) {
	switch keyword {
	case "account":
		e.account = value
	case "password":
		e.password = value
	default:
		e.login = value
	}
}

func (p *parser) start(machine string) {
	p.keep()
	p.current, p.name = &entry{}, machine
}

// keep puts the entry that is complete now into the file.
func (p *parser) keep() {
	switch {
	case p.current == nil:
	case p.name == "":
		p.file.fallback = p.current
	default:
		p.file.machines[p.name] = append(p.file.machines[p.name], *p.current)
	}
	p.current = nil
}

// lexer cuts a text into words.
type lexer struct {
	text  string // what has not been read
	line  int    // of the next character, from 1
	start int    // line of the last word
	fresh bool   // nothing but blanks stands before text on its line
}

// keyword returns the next word where a comment may stand; ok is false at the end of the text.
func (l *lexer) keyword() (word string, ok bool, err error) {
	for l.skipSpace(); strings.HasPrefix(l.text, "#"); l.skipSpace() {
		l.skipLine()
	}
	if l.start = l.line; l.text == "" {
		return "", false, nil
	}
	word, err = l.word()
	return word, true, err
}

// value returns the word that belongs to a keyword, which may begin with "#" unless it begins its line.
func (l *lexer) value() (string, error) {
	for l.skipSpace(); l.fresh && strings.HasPrefix(l.text, "#"); l.skipSpace() {
		l.skipLine()
	}
	if l.text == "" || l.text[0] == '#' && (len(l.text) == 1 || isSpace(l.text[1])) {
		return "", l.fail("a value is missing")
	}
	l.start = l.line
	return l.word()
}

func (l *lexer) skipSpace() {
	for l.text != "" && isSpace(l.text[0]) {
		l.advance(1)
	}
}

// advance goes n bytes on.
func (l *lexer) advance(n int) {
	for _, c := range []byte(l.text[:n]) {
		if c == '\n' {
			l.line++
			l.fresh = true
		} else if !isSpace(c) {
			l.fresh = false
		}
	}
	l.text = l.text[n:]
}

func (l *lexer) skipLine() { l.advance(l.lineEnd()) }

// lineEnd is where the next line begins.
func (l *lexer) lineEnd() int {
	if i := strings.IndexByte(l.text, '\n'); i >= 0 {
		return i + 1
	}
	return len(l.text)
}

// skipMacro skips the rest of this line, and lines up to one without words.
func (l *lexer) skipMacro() {
	for l.skipLine(); l.text != ""; l.skipLine() {
		if strings.TrimLeft(l.text[:l.lineEnd()], " \t\n") == "" {
			return
		}
	}
}

// word reads the word that begins here. One in quotes ends behind the closing quote, whatever follows.
func (l *lexer) word() (string, error) {
	quoted := l.text[0] == '"'
	if quoted {
		l.advance(1)
	}
	var word []byte
	for i := 0; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case quoted && c == '"':
			l.advance(i + 1)
			return string(word), nil
		case !quoted && isSpace(c):
			l.advance(i)
			return string(word), nil
		case c == '\\' && i+1 < len(l.text):
			i++
			word = append(word, l.text[i])
		default:
			word = append(word, c)
		}
	}
	if quoted {
		return "", l.fail("a quote without its end")
	}
	l.advance(len(l.text))
	return string(word), nil
}

func (l *lexer) fail(msg string) error {
	return &Error{Line: l.start, Msg: msg, err: ErrSyntax}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
