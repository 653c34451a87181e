package charset

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// wide starts the UTF-16 and UTF-32 encodings. Without a stated byte order the
// mark in front decides and is dropped; without a mark, little endian is taken,
// which is what Python does nearly everywhere.
func wide(codec string) func() machine {
	unit, order := utf16Unit, codec[len("utf_16"):]
	if codec[:len("utf_16")] == "utf_32" {
		unit = utf32Unit
	}
	return func() machine {
		m := &wideMachine{unit: unit}
		switch order {
		case "_le":
			m.order = binary.LittleEndian
		case "_be":
			m.order = binary.BigEndian
		}
		return m
	}
}

// wideUnit decodes the first character of p. size 0 means that p is too short
// for it; r is RuneError for what is not a character.
type wideUnit struct {
	size int
	next func(p []byte, order binary.ByteOrder) (r rune, size int)
}

var (
	utf16Unit = wideUnit{2, nextUTF16}
	utf32Unit = wideUnit{4, nextUTF32}
)

type wideMachine struct {
	unit  wideUnit
	order binary.ByteOrder
}

func (m *wideMachine) decode(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	if m.order == nil {
		if len(src) < m.unit.size && !final {
			return dst, 0, false
		}
		n = m.detect(src)
	}
	for n < len(src) {
		r, size := m.unit.next(src[n:], m.order)
		if size == 0 {
			if !final {
				break
			}
			r, size = bogus, len(src)-n
		}
		if r == bogus {
			r, bad = utf8.RuneError, true
		}
		dst = utf8.AppendRune(dst, r)
		n += size
	}
	return dst, n, bad
}

// bogus marks what is not a character; U+FFFD itself may be in the data.
const bogus = -1

// detect sets the byte order and returns the size of the mark.
func (m *wideMachine) detect(src []byte) int {
	m.order = binary.LittleEndian
	if len(src) < m.unit.size {
		return 0
	}
	const mark = 0xfeff
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m.unit.size == 2 && order.Uint16(src) == mark || m.unit.size == 4 && order.Uint32(src) == mark {
			m.order = order
			return m.unit.size
		}
	}
	return 0
}

func nextUTF16(p []byte, order binary.ByteOrder) (rune, int) {
	if len(p) < 2 {
		return 0, 0
	}
	r := rune(order.Uint16(p))
	switch {
	case !utf16.IsSurrogate(r):
		return r, 2
	case r >= 0xdc00: // a second half without a first
		return bogus, 2
	case len(p) < 4:
		return 0, 0
	}
	if r = utf16.DecodeRune(r, rune(order.Uint16(p[2:]))); r == utf8.RuneError {
		return bogus, 2
	}
	return r, 4
}

func nextUTF32(p []byte, order binary.ByteOrder) (rune, int) {
	if len(p) < 4 {
		return 0, 0
	}
	v := order.Uint32(p)
	if v > utf8.MaxRune || utf16.IsSurrogate(rune(v)) {
		return bogus, 4
	}
	return rune(v), 4
}
