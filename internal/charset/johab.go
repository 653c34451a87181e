package charset

import (
	"errors"

	"golang.org/x/text/transform"
)

// Johab, of KS X 1001's annex 3: Hangul by its letters, and the rest by the rows of KS X 1001.
const (
	hangulFirst = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
	hangulLast  = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
)

// johabLeads is a decoder that knows nothing but how long characters are.
type johabLeads struct{ transform.NopResetter }

var errNotJohab = errors.New("not Johab")

func (johabLeads) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if len(src) == 1 && src[0] >= 0x84 && !atEOF {
		return 0, 0, transform.ErrShortSrc
	}
	return 0, 0, errNotJohab
}

// johab decodes one character. One that is not Hangul is found by its place in EUC-KR.
func johab(p []byte) (char string, size int) {
	if len(p) < 2 || p[0] < 0x84 {
		return "", 0
	}
	if p[0] <= 0xd3 {
		return johabHangul(int(p[0])<<8 | int(p[1])), 2
	}
	row, cell, ok := johabRow(p[0], p[1])
	if !ok {
		return "", 0
	}
	return wansung(row, cell), 2
}

// johabHangul puts a syllable together, or gives the one letter that there is.
func johabHangul(code int) string {
	first, vowel, last := code>>10&31-2, johabVowel(code>>5&31), johabLast(code&31)
	if first < -1 || first > 18 || vowel < -1 || last < -1 {
		return ""
	}
	switch {
	case first < 0 && vowel < 0 && last < 0:
		return "\u3000"
	case first >= 0 && vowel >= 0:
		return string(rune(0xac00 + (first*21+vowel)*28 + last + 1))
	case first >= 0 && last < 0:
		return string([]rune(hangulFirst)[first])
	case vowel >= 0 && first < 0 && last < 0:
		return string(rune(0x314f + vowel))
	case last >= 0 && first < 0 && vowel < 0:
		return string([]rune(hangulLast)[last])
	}
	return ""
}

// johabVowel is the place of a vowel, -1 for none and -2 for a code that is not one.
func johabVowel(code int) int {
	switch {
	case code == 2:
		return -1
	case code >= 3 && code <= 7:
		return code - 3
	case code >= 10 && code <= 15:
		return code - 5
	case code >= 18 && code <= 23:
		return code - 7
	case code >= 26 && code <= 29:
		return code - 9
	}
	return -2
}

// johabLast is the same for a last consonant.
func johabLast(code int) int {
	switch {
	case code >= 1 && code <= 17:
		return code - 2
	case code >= 19 && code <= 29:
		return code - 3
	}
	return -2
}

// johabRow is where in KS X 1001 the symbols and Hanja are, in rows and cells from 0x21.
func johabRow(a, b byte) (row, cell byte, ok bool) {
	var i int
	switch {
	case b >= 0x31 && b <= 0x7e:
		i = int(b) - 0x31
	case b >= 0x91 && b <= 0xfe:
		i = int(b) - 0x43
	default:
		return 0, 0, false
	}
	switch {
	case a >= 0xd9 && a <= 0xde:
		row = 0x21 + 2*(a-0xd9)
	case a >= 0xe0 && a <= 0xf9:
		row = 0x4a + 2*(a-0xe0)
	default:
		return 0, 0, false
	}
	return row + byte(i/94), 0x21 + byte(i%94), true
}
