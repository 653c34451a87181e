package charset

import "unicode/utf8"

// asciiMachine replaces every byte above 0x7f.
type asciiMachine struct{}

func (asciiMachine) decode(dst, src []byte, _ bool) (out []byte, n int, bad bool) {
	for _, c := range src {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, replacement...)
		bad = true
	}
	return dst, len(src), bad
}

// latin1Machine is ISO-8859-1 itself, not the windows-1252 browsers read for
// it: every byte is the character of that number.
type latin1Machine struct{}

func (latin1Machine) decode(dst, src []byte, _ bool) ([]byte, int, bool) {
	for _, c := range src {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
		} else {
			dst = append(dst, 0xc0|c>>6, 0x80|c&0x3f)
		}
	}
	return dst, len(src), false
}

// tableMachine looks bytes up in a table of 256 characters, or in one of the
// upper 128 where the lower half is ASCII.
type tableMachine struct {
	table []rune
	from  int
}

func tableStart(table string) (ascii bool, start func() machine) {
	m := tableMachine{table: []rune(table)}
	m.from = 256 - len(m.table)
	return m.from == utf8.RuneSelf, func() machine { return m }
}

func (m tableMachine) decode(dst, src []byte, _ bool) (out []byte, n int, bad bool) {
	for _, c := range src {
		if int(c) < m.from {
			dst = append(dst, c)
			continue
		}
		r := m.table[int(c)-m.from]
		bad = bad || r == utf8.RuneError
		dst = utf8.AppendRune(dst, r)
	}
	return dst, len(src), bad
}
