package netrc

import "strings"

// ParsePython reads a whole netrc text as Python's netrc module does, with its reading of comments. Every error is an
// *Error, and comes without a File: one bad word disables all of it.
//
// The text is a list of words (see pythonLexer):
//
//	machine NAME | default     starts an entry; the last entry of a name wins
//	login W | user W           within an entry, in any order, the last one wins
//	account W | password W
//	macdef NAME                skips all lines up to an empty one, which must come
//	#                          a comment, where a keyword may stand (see pythonParser.top and pythonParser.entry for how far it goes)
//	""                         the end of the text, where a keyword may stand
func ParsePython(text []byte) (*File, error) {
	decoded, err := decode(text)
	if err != nil {
		return nil, err
	}
	p := &pythonParser{
		lex:  pythonLexer{text: decoded, line: 1},
		file: &File{machines: make(map[string][]entry)},
	}
	for state := (*pythonParser).top; state != nil; {
		var err error
		if state, err = state(p); err != nil {
			return nil, err
		}
	}
	return p.file, nil
}

type pythonParser struct {
	lex     pythonLexer
	keyword string // a keyword which ended an entry and has not been dealt with
	file    *File
}

type state func(*pythonParser) (state, error)

// top expects a keyword that starts something. A "#" on its own comments out the rest of the line, "#word" only itself,
// and both only on the line where the last word ended: Python's rule, odd as it is.
func (p *pythonParser) top() (state, error) {
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
		return (*pythonParser).top, nil
	case word == "machine":
		name := p.lex.word()
		if name == "" {
			return nil, p.fail("missing machine name")
		}
		return entryNamed(name), nil
	case word == "default":
		return entryNamed(word), nil
	case word == "macdef":
		return (*pythonParser).macro, nil
	}
	return nil, p.fail("bad top-level word")
}

func entryNamed(name string) state {
	return func(p *pythonParser) (state, error) {
		e, err := p.entry()
		if name == "default" {
			p.file.fallback = &e
		} else {
			p.file.machines[name] = []entry{e}
		}
		return (*pythonParser).top, err
	}
}

// entry reads the words of one entry. Here any word with "#" in front comments out the rest of its line.
func (p *pythonParser) entry() (e entry, err error) {
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
func (p *pythonParser) macro() (state, error) {
	p.lex.word()
	for {
		switch line, ok := p.lex.skipLine(); {
		case !ok:
			return nil, p.fail("macro without an empty line at its end")
		case line == "":
			return (*pythonParser).top, nil
		}
	}
}

func (p *pythonParser) fail(msg string) error {
	return &Error{Line: p.lex.start, Msg: msg, err: ErrSyntax}
}

// pythonLexer cuts a text into words. Words are parted by blanks, tabs and line ends. A word that starts with a double quote
// runs to the next one, or to the end of the text; quotes elsewhere mean nothing. A backslash takes the
// next character as it is, within quotes and without.
type pythonLexer struct {
	text  string // what has not been read
	line  int    // of the next character, from 1
	start int    // line where the last word (or line) started
}

func (l *pythonLexer) next() (c byte, ok bool) {
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
func (l *pythonLexer) word() string {
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

func (l *pythonLexer) until(word []byte, end func(byte) bool) string {
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
func (l *pythonLexer) skipLine() (line string, ok bool) {
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

func isQuote(c byte) bool { return c == '"' }
