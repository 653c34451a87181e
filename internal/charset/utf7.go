package charset

import (
	"unicode/utf16"
	"unicode/utf8"
)

// utf7Machine decodes UTF-7 (RFC 2152): "+" begins a run of base64 digits that
// hold UTF-16 units, "-" or any other character ends it, "+-" is a plus sign.
type utf7Machine struct {
	shifted bool
	empty   bool   // shifted, and no digit came yet
	bits    uint32 // not yet a whole unit
	have    uint   // how many of them
	high    rune   // first half of a pair, 0 if none
	bad     bool
}

func (m *utf7Machine) decode(dst, src []byte, final bool) ([]byte, int, bool) {
	m.bad = false
	for _, c := range src {
		if m.shifted {
			dst = m.digit(dst, c)
		} else {
			dst = m.direct(dst, c)
		}
	}
	if final && m.shifted && (m.high != 0 || m.have >= 6 || m.bits != 0) {
		dst = m.replace(dst)
	}
	return dst, len(src), m.bad
}

func (m *utf7Machine) replace(dst []byte) []byte {
	m.bad = true
	return append(dst, replacement...)
}

func (m *utf7Machine) direct(dst []byte, c byte) []byte {
	switch {
	case c == '+':
		*m = utf7Machine{shifted: true, empty: true, bad: m.bad}
		return dst
	case c >= utf8.RuneSelf:
		return m.replace(dst)
	}
	return append(dst, c)
}

func (m *utf7Machine) digit(dst []byte, c byte) []byte {
	v, ok := base64Value(c)
	if !ok {
		return m.unshift(dst, c)
	}
	m.empty = false
	m.bits, m.have = m.bits<<6|v, m.have+6
	if m.have < 16 {
		return dst
	}
	m.have -= 16
	unit := rune(m.bits >> m.have & 0xffff)
	m.bits &= 1<<m.have - 1
	return m.unit(dst, unit)
}

func (m *utf7Machine) unit(dst []byte, unit rune) []byte {
	if m.high != 0 {
		r := utf16.DecodeRune(m.high, unit)
		m.high = 0
		if r != utf8.RuneError {
			return utf8.AppendRune(dst, r)
		}
		dst = m.replace(dst)
	}
	switch {
	case 0xd800 <= unit && unit < 0xdc00:
		m.high = unit
		return dst
	case utf16.IsSurrogate(unit):
		return m.replace(dst)
	}
	return utf8.AppendRune(dst, unit)
}

// unshift ends a run at c, which is not one of its digits. A run that is not
// whole takes c with it, as it does in Python.
func (m *utf7Machine) unshift(dst []byte, c byte) []byte {
	m.shifted = false
	switch {
	case m.empty && c == '-':
		return append(dst, '+')
	case m.empty || m.have >= 6 || m.bits != 0:
		return m.replace(dst)
	case m.high != 0 && c < utf8.RuneSelf:
		dst = m.replace(dst)
	}
	if c == '-' {
		return dst
	}
	return m.direct(dst, c)
}

func base64Value(c byte) (uint32, bool) {
	switch {
	case 'A' <= c && c <= 'Z':
		return uint32(c - 'A'), true
	case 'a' <= c && c <= 'z':
		return uint32(c-'a') + 26, true
	case '0' <= c && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, false
}
