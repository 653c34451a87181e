package charset

import (
	"bytes"
	"iter"
)

// LineSplitter cuts a body that comes in chunks into lines, the same lines
// wherever the chunks are cut (Requests gives an extra empty line where a
// chunk ends inside CR LF or after a delimiter). A line is handed out as soon
// as its end is seen. The time taken is linear, also for a line of many chunks.
type LineSplitter struct {
	delimiter []byte
	find      func(p []byte) finder
	pending   []byte
	begun     bool // some content was fed
	skipLF    bool // the last chunk ended in CR
}

// finder returns where the next separator at or after from begins and ends;
// end is 0 when there is none.
type finder func(from int) (start, end int)

// NewLineSplitter returns a splitter at every occurrence of delimiter or, if it
// is empty, at line ends: \n, \r and \r\n and, in text, those of Python's
// str.splitlines as well: \v, \f, \x1c to \x1e, U+0085, U+2028 and U+2029.
// Text is UTF-8 in chunks that do not end inside a character.
func NewLineSplitter(delimiter []byte, text bool) *LineSplitter {
	s := &LineSplitter{delimiter: bytes.Clone(delimiter), find: byteLineEnds}
	switch {
	case len(delimiter) > 0:
		s.find = s.delimiters
	case text:
		s.find = textLineEnds
	}
	return s
}

// Feed gives the lines that end in chunk, without their ends. A line is valid
// until the next step of the loop; what is left over of the chunk is kept when
// the loop ran to its end.
func (s *LineSplitter) Feed(chunk []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(chunk) == 0 {
			return
		}
		s.begun = true
		from := s.resume(chunk)
		if from < 0 {
			s.pending = append(s.pending, chunk...)
			return
		}
		if len(s.delimiter) > 0 && from > 0 && !yield(s.take(nil)) {
			return
		}
		next := s.find(chunk)
		for {
			start, end := next(from)
			if end == 0 {
				break
			}
			s.skipLF = len(s.delimiter) == 0 && end == len(chunk) && chunk[end-1] == '\r'
			if !yield(s.take(chunk[from:start])) {
				return
			}
			from = end
		}
		s.pending = append(s.pending, chunk[from:]...)
	}
}

// take returns the line that ends with tail.
func (s *LineSplitter) take(tail []byte) []byte {
	if len(s.pending) == 0 {
		return tail
	}
	line := append(s.pending, tail...)
	s.pending = line[:0]
	return line
}

// resume finishes a separator that the chunk before has begun, and returns
// where in this chunk to go on, or -1 if the chunk is too short to tell.
// A delimiter found across the border leaves its line in pending.
func (s *LineSplitter) resume(chunk []byte) int {
	if s.skipLF {
		s.skipLF = false
		if chunk[0] == '\n' {
			return 1
		}
	}
	d := len(s.delimiter)
	if d < 2 || len(s.pending) == 0 {
		return 0
	}
	tail := max(0, len(s.pending)-d+1)
	border := append(bytes.Clone(s.pending[tail:]), chunk[:min(d-1, len(chunk))]...)
	i := bytes.Index(border, s.delimiter)
	if i < 0 {
		if len(chunk) < d-1 {
			return -1
		}
		return 0
	}
	used := tail + i + d - len(s.pending)
	s.pending = s.pending[:tail+i]
	return used
}

// Flush ends the body and returns its last line, if there is one: what follows
// the last line end unless that is empty; what follows the last delimiter even
// if it is empty, provided there was a body at all. The splitter can be used
// again afterwards.
func (s *LineSplitter) Flush() (line []byte, ok bool) {
	line = s.pending
	ok = len(line) > 0 || s.begun && len(s.delimiter) > 0
	s.pending, s.begun, s.skipLF = nil, false, false
	return line, ok
}

func (s *LineSplitter) delimiters(p []byte) finder {
	return func(from int) (int, int) {
		i := bytes.Index(p[from:], s.delimiter)
		if i < 0 {
			return 0, 0
		}
		return from + i, from + i + len(s.delimiter)
	}
}

// byteLineEnds remembers the next \n, so that a text of many \r is not searched
// for it again and again.
func byteLineEnds(p []byte) finder {
	lf := -1
	return func(from int) (int, int) {
		if lf < from {
			if lf = bytes.IndexByte(p[from:], '\n'); lf < 0 {
				lf = len(p)
			} else {
				lf += from
			}
		}
		if cr := bytes.IndexByte(p[from:lf], '\r'); cr >= 0 {
			return lineEnd(p, from+cr, 1)
		}
		if lf == len(p) {
			return 0, 0
		}
		return lineEnd(p, lf, 1)
	}
}

// lineEnd completes a line end of size bytes at i, which may be \r of \r\n.
func lineEnd(p []byte, i, size int) (start, end int) {
	if p[i] == '\r' && i+1 < len(p) && p[i+1] == '\n' {
		size = 2
	}
	return i, i + size
}

func textLineEnds(p []byte) finder {
	return func(from int) (int, int) {
		for i := from; i < len(p); i++ {
			if size := textLineEnd(p[i:]); size > 0 {
				return lineEnd(p, i, size)
			}
		}
		return 0, 0
	}
}

// textLineEnd is the size of the line end p begins with, 0 if it is none.
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
