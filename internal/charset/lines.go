package charset

import (
	"bytes"
	"strings"
)

// Separator is what stands between two lines. It belongs to one goroutine.
type Separator struct {
	delimiter []byte
	text      bool
}

// LineEnds separates at \n, \r and \r\n and, in text, at what Python's str.splitlines
// takes as well: \v, \f, \x1c to \x1e, U+0085, U+2028 and U+2029. Text is UTF-8.
func LineEnds(text bool) *Separator { return &Separator{text: text} }

// Delimiter separates at every occurrence of delimiter. An empty one means LineEnds.
func Delimiter(delimiter string, text bool) *Separator {
	return &Separator{delimiter: []byte(delimiter), text: text}
}

// find returns where the first separator of p begins and ends; end is 0 if there is none.
func (s *Separator) find(p []byte) (start, end int) {
	switch {
	case len(s.delimiter) > 0:
		if i := bytes.Index(p, s.delimiter); i >= 0 {
			return i, i + len(s.delimiter)
		}
	case s.text:
		for i := range p {
			if size := textLineEnd(p[i:]); size > 0 {
				return lineEnd(p, i, size)
			}
		}
	default:
		lf := bytes.IndexByte(p, '\n')
		if cr := bytes.IndexByte(p[:max(lf, 0)], '\r'); cr >= 0 {
			return lineEnd(p, cr, 1)
		}
		if lf >= 0 {
			return lf, lf + 1
		}
		if cr := bytes.IndexByte(p, '\r'); cr >= 0 {
			return lineEnd(p, cr, 1)
		}
	}
	return 0, 0
}

// overlap is how many bytes at the end of what holds no separator may begin one.
func (s *Separator) overlap() int {
	if len(s.delimiter) > 0 {
		return len(s.delimiter) - 1
	}
	return len("\u2028") - 1
}

// lineEnd completes a line end of size bytes at i, which may be \r of \r\n.
func lineEnd(p []byte, i, size int) (start, end int) {
	if p[i] == '\r' && i+1 < len(p) && p[i+1] == '\n' {
		size = 2
	}
	return i, i + size
}

// textLineEnd is the size of the line end p begins with, 0 if there is none.
func textLineEnd(p []byte) int {
	switch c := p[0]; {
	case '\n' <= c && c <= '\r' || 0x1c <= c && c <= 0x1e:
		return 1
	case c == 0xc2 && len(p) > 1 && p[1] == 0x85:
		return 2
	case c == 0xe2 && len(p) > 2 && p[1] == 0x80 && p[2]&^1 == 0xa8:
		return 3
	}
	return 0
}

// cut returns how much of p may be decoded at once, so that the text ends where its
// first separator does: everything, if no byte of p may be the last of one.
func (s *Separator) cut(p []byte, d *Decoder) int {
	i := -1
	switch last := len(s.delimiter) - 1; {
	case !d.encoding.ascii, last >= 0 && s.delimiter[last] >= 0x80 && d.encoding.name != "utf_8":
		return 1
	case last >= 0:
		i = bytes.IndexByte(p, s.delimiter[last])
	default:
		i = indexLineEnd(p, d.lineEnds)
	}
	if i < 0 {
		return len(p)
	}
	return i + 1
}

// indexLineEnd finds the first byte that ends a line by itself, or is one of high.
func indexLineEnd(p []byte, high string) int {
	for i, c := range p {
		if c < 0x20 && textLineEnd(p[i:i+1]) > 0 || c >= 0x80 && strings.IndexByte(high, c) >= 0 {
			return i
		}
	}
	return -1
}
