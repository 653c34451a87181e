package uri

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	textunicode "golang.org/x/text/encoding/unicode"

	"github.com/mountable/requests/internal/ascii"
)

// encodeInvalid percent-encodes what a component may not hold (urllib3's
// _encode_invalid_chars). Escapes survive, in upper case, only if every percent
// sign of the component starts one; otherwise every percent sign is encoded.
func encodeInvalid(s string, allowed class) string {
	dirty := countOthers(s, allowed)
	if dirty == 0 {
		return s
	}
	escaped := allEscaped(s)
	b := make([]byte, 0, len(s)+2*dirty)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && isEscape(s[i:]):
			if !escaped {
				b = append(b, "%25"...)
			} else {
				b = append(b, '%')
			}
			b = append(b, ascii.UpperByte(s[i+1]), ascii.UpperByte(s[i+2]))
			i += 2
		case is(c, allowed):
			b = append(b, c)
		default:
			b = appendEscape(b, c)
		}
	}
	return string(b)
}

// countOthers returns how many bytes of s are not allowed.
func countOthers(s string, allowed class) int {
	n := 0
	for i := range len(s) {
		if !is(s[i], allowed) {
			n++
		}
	}
	return n
}

// allEscaped reports whether every percent sign of s starts an escape.
func allEscaped(s string) bool {
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return true
		}
		if !isEscape(s[i:]) {
			return false
		}
		s = s[i+1:]
	}
}

// UnquoteUnreserved decodes the escapes of unreserved characters and leaves all
// others as they are (requests.utils.unquote_unreserved). A percent sign
// followed by two letters or digits that are not hexadecimal is an
// [InvalidEscape]; one followed by anything else is left alone.
func UnquoteUnreserved(s string) (string, error) {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s, nil
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		c, size, err := unreservedEscape(s[i:])
		switch {
		case err != nil:
			return "", fail(InvalidEscape, s, "")
		case size > 0:
			b, i = append(b, c), i+size-1
		default:
			b = append(b, '%')
		}
	}
	return string(b), nil
}

var errBadEscape = errors.New("bad escape")

// unreservedEscape decodes the escape at the start of s if it stands for an
// unreserved character, and returns its length.
func unreservedEscape(s string) (c byte, size int, err error) {
	if isEscape(s) {
		c, size = ascii.Unhex(s[1])<<4|ascii.Unhex(s[2]), 3
	} else if c, size, err = wideEscape(s[1:]); err != nil || size == 0 {
		return 0, 0, err
	}
	if !is(c, unreserved) {
		return 0, 0, nil
	}
	return c, size, nil
}

// wideEscape looks at the two characters behind a percent sign as Python's int
// does, to which a decimal digit of any script is a digit. Two letters or digits
// that are not a number are an error, anything else is not an escape.
func wideEscape(s string) (c byte, size int, err error) {
	number, valid := 0, true
	for range 2 {
		r, n := utf8.DecodeRuneInString(s[size:])
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			return 0, 0, nil
		}
		value, ok := digitValue(r)
		number, valid, size = number<<4|value, valid && ok, size+n
	}
	if !valid {
		return 0, 0, errBadEscape
	}
	return byte(number), size + 1, nil
}

// digitValue returns the value of a hexadecimal digit or of a decimal digit of
// any script, which stand in runs of ten.
func digitValue(r rune) (int, bool) {
	if r < utf8.RuneSelf {
		return int(ascii.Unhex(byte(r))), is(byte(r), hexDigit)
	}
	for _, run := range unicode.Nd.R16 {
		if rune(run.Lo) <= r && r <= rune(run.Hi) {
			return int(r-rune(run.Lo)) % 10, true
		}
	}
	for _, run := range unicode.Nd.R32 {
		if rune(run.Lo) <= r && r <= rune(run.Hi) {
			return int(r-rune(run.Lo)) % 10, true
		}
	}
	return 0, false
}

// Requote makes the quoting of a URL uniform (requests.utils.requote_uri):
// escapes of unreserved characters are decoded and characters that no URL may
// hold are encoded. If some escape is broken, every percent sign is encoded
// instead. Applying it twice changes nothing more, unless an escape was broken.
func Requote(s string) string {
	if unquoted, err := UnquoteUnreserved(s); err == nil {
		return quote(unquoted, true)
	}
	return quote(s, false)
}

func quote(s string, keepPercent bool) string {
	allowed := uriChars
	if keepPercent {
		allowed |= percent
	}
	dirty := countOthers(s, allowed)
	if dirty == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*dirty)
	for i := range len(s) {
		if is(s[i], allowed) {
			b = append(b, s[i])
		} else {
			b = appendEscape(b, s[i])
		}
	}
	return string(b)
}

// Escape percent-encodes all bytes but letters, digits and those in keep, for what is signed: each
// scheme of signatures has a set of its own.
func Escape(s, keep string) string {
	b := make([]byte, 0, len(s)+len(s)/4)
	for i := range len(s) {
		if c := s[i]; ascii.IsDigit(c) || 'a' <= ascii.LowerByte(c) && ascii.LowerByte(c) <= 'z' || strings.IndexByte(keep, c) >= 0 {
			b = append(b, c)
		} else {
			b = appendEscape(b, c)
		}
	}
	return string(b)
}

// EncodePairs encodes pairs as application/x-www-form-urlencoded, in order
// (urllib.parse.urlencode): a blank becomes "+", letters, digits and "-._~" stay,
// every other byte is percent-encoded.
func EncodePairs(pairs [][2]string) string {
	size := 0
	for _, p := range pairs {
		size += len(p[0]) + len(p[1]) + 2
	}
	b := make([]byte, 0, size+size/4)
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = appendQuotePlus(b, p[0])
		b = append(b, '=')
		b = appendQuotePlus(b, p[1])
	}
	return string(b)
}

func appendQuotePlus(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case is(c, unreserved):
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = appendEscape(b, c)
		}
	}
	return b
}

// unquote decodes every escape (urllib.parse.unquote); what is then not UTF-8
// becomes U+FFFD, broken escapes stay as they are.
func unquote(s string) string {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		if isEscape(s[i:]) {
			b = append(b, ascii.Unhex(s[i+1])<<4|ascii.Unhex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return replaceInvalid(string(b))
}

// replaceInvalid puts one U+FFFD instead of each maximal ill-formed
// sequence, as Python's "replace" error handler does.
func replaceInvalid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	valid, err := textunicode.UTF8.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	return valid
}
