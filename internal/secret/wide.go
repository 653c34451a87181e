package secret

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// wide is how text is written in units of two or four bytes.
type wide struct {
	size  int
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
}

// wideOf finds out whether data is UTF-16 or UTF-32, by its byte order mark or by the zeros around
// a first character of ASCII, as every document has one that is looked into.
func wideOf(data []byte) (w wide, ok bool) {
	if len(data) < 4 {
		return wide{}, false
	}
	zeros := 0
	for i, c := range data[:4] {
		if c == 0 {
			zeros |= 1 << i
		}
	}
	switch {
	case zeros == 0b1110, bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}):
		return wide{4, binary.LittleEndian}, true
	case zeros == 0b0111, bytes.HasPrefix(data, []byte{0, 0, 0xfe, 0xff}):
		return wide{4, binary.BigEndian}, true
	case zeros&0b11 == 0b10, bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return wide{2, binary.LittleEndian}, true
	case zeros&0b11 == 0b01, bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return wide{2, binary.BigEndian}, true
	}
	return wide{}, false
}

// decode returns the text as UTF-8, without a unit that is cut short.
func (w wide) decode(data []byte) []byte {
	runes := make([]rune, 0, len(data)/w.size)
	units := make([]uint16, 0, len(data)/w.size)
	for ; len(data) >= w.size; data = data[w.size:] {
		if w.size == 4 {
			runes = append(runes, rune(w.order.Uint32(data)))
		} else {
			units = append(units, w.order.Uint16(data))
		}
	}
	return []byte(string(append(runes, utf16.Decode(units)...)))
}

// encode undoes decode.
func (w wide) encode(text []byte) (out []byte) {
	for _, r := range string(text) {
		if w.size == 4 {
			out = w.order.AppendUint32(out, uint32(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = w.order.AppendUint16(out, unit)
		}
	}
	return out
}

// wideBody is Body for text in wide units.
func (n *Names) wideBody(w wide, contentType string, data []byte) []byte {
	text := w.decode(data)
	if masked := n.Body(contentType, text); !bytes.Equal(masked, text) {
		return w.encode(masked)
	}
	return data
}
