package charset

import (
	"bytes"
	"unicode/utf8"
)

// utf8Machine replaces each maximal part of a sequence that could have become
// a character by one U+FFFD (Unicode 3.9, practice of Python and WHATWG).
type utf8Machine struct{}

func (utf8Machine) decode(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	for n < len(src) {
		valid := validPrefix(src[n:])
		dst = append(dst, src[n:n+valid]...)
		n += valid
		if n == len(src) {
			break
		}
		size := subpart(src[n:])
		if !final && n+size == len(src) && size < sequenceLen(src[n]) {
			break
		}
		dst = append(dst, replacement...)
		n += size
		bad = true
	}
	return dst, n, bad
}

func validPrefix(p []byte) int {
	i := 0
	for i < len(p) {
		if p[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return i
}

// sequenceLen is the length of the sequence a byte begins, 1 if it begins none.
func sequenceLen(c byte) int {
	switch {
	case 0xc2 <= c && c <= 0xdf:
		return 2
	case 0xe0 <= c && c <= 0xef:
		return 3
	case 0xf0 <= c && c <= 0xf4:
		return 4
	}
	return 1
}

// subpart is the length of the part of an invalid sequence that belongs
// together: at least one byte.
func subpart(p []byte) int {
	want := min(sequenceLen(p[0]), len(p))
	low, high := byte(0x80), byte(0xbf)
	switch p[0] {
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	n := 1
	for n < want && low <= p[n] && p[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}

// bomMachine is utf-8-sig: UTF-8 without the byte order mark in front.
type bomMachine struct {
	utf8Machine
	begun bool
}

var utf8BOM = []byte("\xef\xbb\xbf")

func (m *bomMachine) decode(dst, src []byte, final bool) ([]byte, int, bool) {
	skip := 0
	if !m.begun {
		if len(src) < len(utf8BOM) && bytes.HasPrefix(utf8BOM, src) && !final {
			return dst, 0, false
		}
		m.begun = true
		if bytes.HasPrefix(src, utf8BOM) {
			skip = len(utf8BOM)
		}
	}
	out, n, bad := m.utf8Machine.decode(dst, src[skip:], final)
	return out, skip + n, bad
}
