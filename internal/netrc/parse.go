package netrc

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrEncoding is the cause of an Error about a text that is not UTF-8. Python reports this one even
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

func (e *Error) Error() string { return fmt.Sprintf("netrc: line %d: %s", e.Line, e.Msg) }

// Unwrap returns ErrSyntax or ErrEncoding.
func (e *Error) Unwrap() error { return e.err }

// Parse reads a whole netrc text. Every error is an *Error, and comes without a File: one bad word disables all of it.
//
// The text is a list of words (see lexer):
//
//	machine NAME | default     starts an entry; the last entry of a name wins
//	login W | user W           within an entry, in any order, the last one wins
//	account W | password W
//	macdef NAME                skips all lines up to an empty one, which must come
//	#                          a comment, where a keyword may stand (see parser.top and parser.entry for how far it goes)
//	""                         the end of the text, where a keyword may stand
func Parse(text []byte) (*File, error) {
	if i := firstInvalid(text); i >= 0 {
		line := 1 + strings.Count(universalNewlines(string(text[:i])), "\n")
		return nil, &Error{Line: line, Msg: ErrEncoding.Error(), err: ErrEncoding}
	}
	p := &parser{
		lex:  lexer{text: universalNewlines(string(text)), line: 1},
		file: &File{machines: make(map[string]entry)},
	}
	for state := (*parser).top; state != nil; {
		var err error
		if state, err = state(p); err != nil {
			return nil, err
		}
	}
	return p.file, nil
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

// universalNewlines does what Python's text files do when read: CR LF and CR are line ends too.
func universalNewlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

type parser struct {
	lex     lexer
	keyword string // a keyword which ended an entry and has not been dealt with
	file    *File
}

type state func(*parser) (state, error)

// top expects a keyword that starts something. A "#" on its own comments out the rest of the line, "#word" only itself,
// and both only on the line where the last word ended: Python's rule, odd as it is.
func (p *parser) top() (state, error) {
	before := p.lex.line
	word := p.keyword
	if p.keyword = ""; word == "" {
		word = p.lex.word()
	}
	switch {
	case word == "":
		return nil, nil
	case word[0] == '#':
		if p.lex.line == before && len(word) == 1 {
			p.lex.skipLine()
		}
		return (*parser).top, nil
	case word == "machine":
		name := p.lex.word()
		if name == "" {
			return nil, p.fail("missing machine name")
		}
		return entryNamed(name), nil
	case word == "default":
		return entryNamed(word), nil
	case word == "macdef":
		return (*parser).macro, nil
	}
	return nil, p.fail("bad top-level word")
}

func entryNamed(name string) state {
	return func(p *parser) (state, error) {
		e, err := p.entry()
		if name == "default" {
			p.file.fallback = &e
		} else {
			p.file.machines[name] = e
		}
		return (*parser).top, err
	}
}

// entry reads the words of one entry. Here any word with "#" in front comments out the rest of its line.
func (p *parser) entry() (e entry, err error) {
	for {
		before := p.lex.line
		switch word := p.lex.word(); word {
		case "machine", "default", "macdef":
			p.keyword = word
			return e, nil
		case "":
			p.lex.text = "" // an empty word ends the text, whatever comes after it
			return e, nil
		case "login", "user":
			e.login = p.lex.word()
		case "account":
			e.account = p.lex.word()
		case "password":
			e.password = p.lex.word()
		default:
			if word[0] != '#' {
				return e, p.fail("bad word in an entry")
			}
			if p.lex.line == before {
				p.lex.skipLine()
			}
		}
	}
}

// macro skips a macro: its name, then lines up to an empty one.
func (p *parser) macro() (state, error) {
	p.lex.word()
	for {
		switch line, ok := p.lex.skipLine(); {
		case !ok:
			return nil, p.fail("macro without an empty line at its end")
		case line == "":
			return (*parser).top, nil
		}
	}
}

func (p *parser) fail(msg string) error {
	return &Error{Line: p.lex.start, Msg: msg, err: ErrSyntax}
}
