// Package ascii has the questions about bytes and text that protocols ask, for which
// packages strings and unicode would know too much: letters outside ASCII are not
// letters here, and bytes that are not UTF-8 stay as they are. Nothing here allocates
// unless its result differs from its argument.
package ascii

import (
	"strconv"
	"strings"
)

// role is a set of the roles that a byte can have.
type role uint8

const (
	token role = 1 << iota // of tokens (RFC 9110 section 5.6.2)
	hex

	space // what Python's str.isspace says of Latin-1
)

var roles = func() (t [256]role) {
	mark := func(chars string, r role) {
		for i := range len(chars) {
			t[chars[i]] |= r
		}
	}
	const letters = "abcdefghijklmnopqrstuvwxyz"
	mark(letters, token)
	mark(strings.ToUpper(letters), token)
	mark("0123456789", hex|token)
	mark("abcdefABCDEF", hex)
	mark("!#$%&'*+-.^_`|~", token)
	mark(" \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0", space)
	return t
}()

// IsDigit reports whether c is one of 0 to 9.
func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsHex reports whether c is a hexadecimal digit of either case.
func IsHex(c byte) bool { return roles[c]&hex != 0 }

// IsBlank reports whether c is a space or a tab.
func IsBlank(c byte) bool { return c == ' ' || c == '\t' }

// IsSpace reports whether c is what Python takes for white space in a string of Latin-1:
// blanks, line ends, the separators 0x1c to 0x1f, NEL and the no-break space.
func IsSpace(c byte) bool { return roles[c]&space != 0 }

// IsUpper reports whether c is one of A to Z.
func IsUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// LowerByte returns c, a capital letter as the small one.
func LowerByte(c byte) byte {
	if IsUpper(c) {
		c += 'a' - 'A'
	}
	return c
}

// UpperByte returns c, a small letter as the capital one.
func UpperByte(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// Unhex returns the value of a hexadecimal digit.
func Unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// Only reports whether s has no byte outside ASCII.
func Only[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// IsDigits reports whether s is one or more digits and nothing else.
func IsDigits(s string) bool {
	for i := range len(s) {
		if !IsDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// TokenEnd returns the length of the token that s begins with.
func TokenEnd(s string) int {
	for i := range len(s) {
		if roles[s[i]]&token == 0 {
			return i
		}
	}
	return len(s)
}

// IsToken reports whether s is a token (RFC 9110 section 5.6.2), as methods and the names
// of fields are.
func IsToken(s string) bool { return s != "" && TokenEnd(s) == len(s) }

// TrimBlanks returns s without the spaces and tabs at both ends.
func TrimBlanks(s string) string {
	for s != "" && IsBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && IsBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// Lower returns s with its capital letters as small ones.
func Lower(s string) string {
	for i := range len(s) {
		if IsUpper(s[i]) {
			return lowerFrom(s, i)
		}
	}
	return s
}

func lowerFrom(s string, i int) string {
	b := []byte(s)
	for ; i < len(b); i++ {
		b[i] = LowerByte(b[i])
	}
	return string(b)
}

// EqualFold reports whether s is lower, which has no capital letters, but for the case of
// its letters.
func EqualFold(s, lower string) bool {
	return len(s) == len(lower) && HasPrefixFold(s, lower)
}

// HasPrefixFold reports whether s begins with prefix, which has no capital letters, but for
// the case of its letters.
func HasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if LowerByte(s[i]) != prefix[i] {
			return false
		}
	}
	return true
}

// JoinHostPort is [net.JoinHostPort] for a port that is a number.
func JoinHostPort(host string, port int) string {
	if strings.IndexByte(host, ':') >= 0 {
		return "[" + host + "]:" + strconv.Itoa(port)
	}
	return host + ":" + strconv.Itoa(port)
}
