package uri

import "strings"

// class is a set of the roles an ASCII character has in a URL.
type class uint16

const (
	unreserved class = 1 << iota // RFC 3986 section 2.3
	subDelim                     // RFC 3986 section 2.2
	colon
	at
	slash
	question
	hashBracket // "#", "[" and "]"
	percent
	hostChar // what a plain name is made of: a-z 0-9 - . _
	hexDigit
	alpha
	digit
	control  // U+0000..U+001F and U+007F
	badInURL // blank and the ASCII characters no component may hold: " < > \ ^ ` { | }
)

var charClass = func() (t [256]class) {
	mark := func(chars string, c class) {
		for i := range len(chars) {
			t[chars[i]] |= c
		}
	}
	lower := "abcdefghijklmnopqrstuvwxyz"
	mark(lower+strings.ToUpper(lower), alpha|unreserved)
	mark("0123456789", digit|hexDigit|unreserved)
	mark("abcdefABCDEF", hexDigit)
	mark("-._~", unreserved)
	mark("!$&'()*+,;=", subDelim)
	mark(":", colon)
	mark("@", at)
	mark("/", slash)
	mark("?", question)
	mark("#[]", hashBracket)
	mark(lower+"0123456789-._", hostChar)
	mark("%", percent)
	mark(" \"<>\\^`{|}", badInURL)
	for i := range 0x20 {
		t[i] |= control
	}
	t[0x7f] |= control
	return t
}()

// The characters urllib3 leaves alone in each component, and those requests'
// requote_uri leaves alone anywhere.
const (
	userChars  = unreserved | subDelim | colon
	pathChars  = userChars | at | slash
	queryChars = pathChars | question
	uriChars   = queryChars | hashBracket
)

func is(c byte, want class) bool { return charClass[c]&want != 0 }

// isEscape reports whether s starts with a percent sign and two hex digits.
func isEscape(s string) bool {
	return len(s) > 2 && s[0] == '%' && is(s[1], hexDigit) && is(s[2], hexDigit)
}

const upperHex = "0123456789ABCDEF"

func appendEscape(b []byte, c byte) []byte {
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

// hasControl reports whether s holds an ASCII control character.
func hasControl(s string) bool {
	for i := range len(s) {
		if is(s[i], control) {
			return true
		}
	}
	return false
}
