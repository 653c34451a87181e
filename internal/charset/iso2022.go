package charset

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// set is a character set that ISO 2022 can designate, by the last byte of its escape sequence.
type set struct {
	width int
	char  func(p []byte) string // the character of width bytes below 0x80, "" for none
}

// The character sets of seven bits, those of two bytes under 0x80 more than their last byte.
var (
	jis0208   = set{2, wideOf(japanese.EUCJP, jisSymbols)}
	jis0212   = set{2, jisx0212}
	ksx1001   = set{2, func(p []byte) string { return wansung(p[0], p[1]) }}
	gb2312    = set{2, wideOf(simplifiedchinese.GBK, gbSymbols)}
	plane1    = set{2, func(p []byte) string { return jisx0213Seven(1, p) }}
	plane2    = set{2, func(p []byte) string { return jisx0213Seven(2, p) }}
	roman     = set{1, jisRoman}
	katakana  = set{1, func(p []byte) string { return kana(p[0]) }}
	latin1Top = set{1, latin1Seven}
	greekTop  = set{1, func(p []byte) string { return tableChar("iso8859_7", p[0]^0x80) }}
)

const double = 0x80 // added to the last byte of the escape sequence of a set of two bytes

// isoSets are the sets of each codec.
var isoSets = map[string]map[byte]set{
	"iso2022_kr":      {'C' + double: ksx1001},
	"iso2022_jp":      {'J': roman, 'I': katakana, '@' + double: jis0208, 'B' + double: jis0208},
	"iso2022_jp_1":    {'J': roman, 'I': katakana, '@' + double: jis0208, 'B' + double: jis0208, 'D' + double: jis0212},
	"iso2022_jp_ext":  {'J': roman, 'I': katakana, '@' + double: jis0208, 'B' + double: jis0208, 'D' + double: jis0212},
	"iso2022_jp_3":    {'J': roman, 'I': katakana, '@' + double: jis0208, 'B' + double: jis0208, 'O' + double: plane1, 'P' + double: plane2, 'Q' + double: plane1},
	"iso2022_jp_2004": {'J': roman, 'I': katakana, '@' + double: jis0208, 'B' + double: jis0208, 'O' + double: plane1, 'P' + double: plane2, 'Q' + double: plane1},
	"iso2022_jp_2": {
		'J': roman, 'I': katakana, '@' + double: jis0208, 'B' + double: jis0208, 'D' + double: jis0212,
		'C' + double: ksx1001, 'A' + double: gb2312, 'A': latin1Top, 'F': greekTop,
	},
}

// iso2022 starts a codec with escape sequences, nil if it is not one.
func iso2022(codec string) func() machine {
	sets := isoSets[codec]
	if sets == nil {
		return nil
	}
	return func() machine { return &isoMachine{sets: sets, shifts: codec == "iso2022_kr"} }
}

// isoMachine decodes ISO 2022 in seven bits. ASCII is a nil set.
//
//	state     changed by
//	g[0]      ESC ( F, ESC $ F, ESC $ ( F: what bytes mean
//	g[1]      ESC ) F, ESC $ ) F: what they mean while shifted
//	g[2]      ESC . F: what the one byte behind ESC N means
//	shifted   SO; not after SI or a line feed
//	through   an ESC that begins no sequence; until a letter or @ passes as it is
type isoMachine struct {
	sets    map[byte]set
	shifts  bool // SO and SI mean something
	g       [3]*set
	shifted bool
	through bool
}

func (m *isoMachine) decode(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	for n < len(src) {
		char, size, ok := m.next(src[n:])
		if size == 0 { // incomplete
			if !final {
				break
			}
			size, ok = len(src)-n, false
		}
		if !ok {
			char, bad = string(replacement), true
		}
		dst = append(dst, char...)
		n += size
	}
	return dst, n, bad
}

// next is the text of the first bytes of p, how many they are (0 if more are needed), and
// whether they are right.
func (m *isoMachine) next(p []byte) (text string, size int, ok bool) {
	c := p[0]
	switch {
	case m.through:
		m.through = !isEscapeEnd(c)
		return string(rune(c)), 1, true
	case c == 0x1b:
		return m.escape(p)
	case c == 0x0f && m.shifts, c == 0x0e && m.shifts:
		m.shifted = c == 0x0e
		return "", 1, true
	case c == '\n':
		m.shifted = false
		return "\n", 1, true
	case c >= 0x80:
		return "", 1, false
	}
	in := m.g[0]
	if m.shifted {
		in = m.g[1]
	}
	if c < 0x20 || in == nil {
		return string(rune(c)), 1, true
	}
	if len(p) < in.width {
		return "", 0, false
	}
	text = in.char(p[:in.width])
	return text, in.width, text != ""
}

func isEscapeEnd(c byte) bool { return 'A' <= c && c <= 'Z' || c == '@' }

// longestEscape is how far an escape sequence is looked for its end.
const longestEscape = 16

// escape reads an escape sequence.
func (m *isoMachine) escape(p []byte) (text string, size int, ok bool) {
	if len(p) < 2 {
		return "", 0, false
	}
	switch {
	case strings.IndexByte("($.)&", p[1]) >= 0:
		return m.designate(p)
	case p[1] == 'N' && m.sets['A'].char != nil:
		return m.single(p)
	}
	m.through = true
	return "\x1b", 1, true
}

// single reads the one character of G2.
func (m *isoMachine) single(p []byte) (text string, size int, ok bool) {
	switch {
	case len(p) < 3:
		return "", 0, false
	case m.g[2] == nil:
		return string(rune(p[2])), 3, p[2] < 0x80
	}
	text = m.g[2].char(p[2:3])
	return text, 3, text != ""
}

// designate chooses a set.
func (m *isoMachine) designate(p []byte) (text string, size int, ok bool) {
	for size = 2; ; size++ {
		switch {
		case size == longestEscape:
			return "", 1, false
		case size == len(p):
			return "", 0, false
		}
		if isEscapeEnd(p[size]) {
			size++
			break
		}
	}
	to, final, ok := designation(p[1:size])
	if !ok {
		return "", size, false
	}
	if final == 'B' {
		m.g[to] = nil
		return "", size, true
	}
	in, ok := m.sets[final]
	if ok {
		m.g[to] = &in
	}
	return "", size, ok
}

// designation is which set an escape sequence changes, and the byte of the new one.
func designation(seq []byte) (to int, final byte, ok bool) {
	places := map[byte]int{'(': 0, ')': 1, '.': 2}
	switch {
	case len(seq) == 2 && seq[0] == '$':
		return 0, seq[1] + double, true
	case len(seq) == 3 && seq[0] == '$':
		to, ok = places[seq[1]]
		return to, seq[2] + double, ok && to < 2
	case len(seq) == 2:
		to, ok = places[seq[0]]
		return to, seq[1], ok
	}
	return 0, 0, false
}

// wideOf decodes by an encoding that has the set with the top bits on.
func wideOf(e encoding.Encoding, symbols *strings.Replacer) func(p []byte) string {
	return func(p []byte) string {
		return symbols.Replace(decodeChar(e, p[0]|0x80, p[1]|0x80))
	}
}

// decodeChar is the one character that bytes are, "" for none.
func decodeChar(e encoding.Encoding, p ...byte) string {
	text, err := e.NewDecoder().Bytes(p)
	if err != nil || containsReplacement(text) {
		return ""
	}
	return string(text)
}

// wansung is a character of KS X 1001.
func wansung(row, cell byte) string { return decodeChar(korean.EUCKR, row|0x80, cell|0x80) }

func latin1Seven(p []byte) string {
	if p[0] >= 0x80 {
		return ""
	}
	return string(rune(p[0]) + 0x80)
}

func jisx0212(p []byte) string {
	if p[0] == 0x22 && p[1] == 0x37 {
		return "~"
	}
	return decodeChar(japanese.EUCJP, 0x8f, p[0]|0x80, p[1]|0x80)
}

func jisx0213Seven(plane int, p []byte) string {
	if p[0] < 0x21 || p[0] > 0x7e || p[1] < 0x21 || p[1] > 0x7e {
		return ""
	}
	if char := jisx0213(plane, int(p[0])-0x20, int(p[1])-0x20); char != "" || plane == 2 {
		return char
	}
	return jis0208.char(p)
}

// jisRoman is ASCII but for two characters.
func jisRoman(p []byte) string {
	switch p[0] {
	case '\\':
		return "¥"
	case '~':
		return "‾"
	}
	return string(rune(p[0]))
}

func kana(c byte) string {
	if c < 0x21 || c > 0x5f {
		return ""
	}
	return string(rune(0xff61 + int(c) - 0x21))
}

// tableChar is a character of a table.
func tableChar(codec string, c byte) string {
	if c < 0x80 {
		return string(rune(c))
	}
	table := []rune(singleByte[codec])
	if char := table[int(c)-256+len(table)]; char != '\ufffd' {
		return string(char)
	}
	return ""
}
