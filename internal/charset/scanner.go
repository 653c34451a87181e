package charset

import (
	"errors"
	"slices"
)

// ErrLineTooLong reports a line that is longer than it may be.
var ErrLineTooLong = errors.New("the line is too long")

// Scanner holds what has come of a body and has not been given out yet, and gives it
// out by lines. Whoever reads from one Scanner, by whichever separators, shares what has
// come: nothing is lost, and no line is cut. Where the pieces of the body are cut does
// not matter (Requests gives an extra empty line where one ends inside CR LF or after a
// delimiter), and a line is there as soon as its end has come. The zero value is empty.
//
// What it gives is valid until the next call of any method.
type Scanner struct {
	data  []byte // came, and has not been given
	store []byte // the array behind data

	text    []byte // decoded, and not given: it stands before data
	decoder *Decoder
	asked   string // the decoder's encoding, as it was asked for

	begun    bool // something has come
	ended    bool // nothing more will
	flushed  bool // what the decoder held back at the end is in text
	over     bool // the last part has been given
	skipLF   bool // a line has ended in \r, and a \n next in data belongs to it
	skipText bool // the same, next in text

	by      *Separator // looked for last,
	scanned int        // and this much of data or text has none of it
}

// ScanAll returns a Scanner of a whole body, which it does not change.
func ScanAll(body []byte) *Scanner {
	return &Scanner{data: slices.Clip(body), begun: len(body) > 0, ended: true}
}

// Room returns room for n more bytes; see Came.
func (s *Scanner) Room(n int) []byte {
	if cap(s.data)-len(s.data) < n {
		s.data = append(slices.Grow(s.store[:0], len(s.data)+n), s.data...)
		s.store = s.data[:0]
	}
	return s.data[len(s.data) : len(s.data)+n]
}

// Came adds the first n bytes of what Room returned.
func (s *Scanner) Came(n int) {
	s.data = s.data[:len(s.data)+n]
	s.begun = s.begun || n > 0
}

// End says that nothing more will come.
func (s *Scanner) End() { s.ended = true }

// Ended reports whether nothing more will come.
func (s *Scanner) Ended() bool { return s.ended }

// Empty reports whether a reader of bytes would begin with what comes next, as it comes.
func (s *Scanner) Empty() bool {
	return len(s.data) == 0 && len(s.text) == 0 && !s.skipLF && (s.decoder == nil || len(s.decoder.rest) == 0)
}

// Bytes returns what has come and has not been given. Text that was decoded too far is
// a part of it. It is empty where more has to come first.
func (s *Scanner) Bytes() []byte {
	if len(s.text) > 0 || s.decoder != nil && len(s.decoder.rest) > 0 {
		s.undecode()
	}
	s.dropLF()
	return s.data
}

// undecode puts back what only readers of text would see.
func (s *Scanner) undecode() {
	s.data = slices.Concat(s.text, s.decoder.rest, s.data)
	s.store, s.text, s.decoder.rest, s.scanned = s.data[:0], s.text[:0], s.decoder.rest[:0], 0
}

func (s *Scanner) dropLF() {
	if s.skipLF && len(s.data) > 0 {
		if s.skipLF = false; s.data[0] == '\n' {
			s.Discard(1)
		}
	}
}

// Discard gives out the first n bytes of Bytes.
func (s *Scanner) Discard(n int) { s.data, s.scanned = s.data[n:], 0 }

// Line returns the next line, without its end; ok is false where more has to come
// first or, after End, where there is none. What follows the last line end is a line
// unless it is empty; what follows the last delimiter is a part in any case, if there
// was a body at all. A line of more than limit bytes is ErrLineTooLong; 0 means any length.
func (s *Scanner) Line(by *Separator, limit int) (line []byte, ok bool, err error) {
	data := s.Bytes()
	start, end, err := s.next(data, by, limit)
	switch {
	case err != nil:
		return nil, false, err
	case end > 0:
		s.skipLF = len(by.delimiter) == 0 && end == len(data) && data[end-1] == '\r'
		s.Discard(end)
		return data[:start], true, nil
	case !s.ended:
		return nil, false, nil
	}
	s.Discard(len(data))
	return data, s.last(data, by), nil
}

// next looks for a separator where none was found before.
func (s *Scanner) next(p []byte, by *Separator, limit int) (start, end int, err error) {
	if s.by != by {
		s.by, s.scanned = by, 0
	}
	if start, end = by.find(p[s.scanned:]); end > 0 {
		start, end = start+s.scanned, end+s.scanned
	} else {
		s.scanned = max(0, len(p)-by.overlap())
		start = s.scanned
		if s.ended {
			start = len(p)
		}
	}
	if limit > 0 && start > limit {
		return 0, 0, ErrLineTooLong
	}
	return start, end, nil
}

// last reports whether what is left at the end is a line or part.
func (s *Scanner) last(rest []byte, by *Separator) bool {
	ok := len(rest) > 0 || len(by.delimiter) > 0 && s.begun && !s.over
	s.over = true
	return ok
}

// TextLine is Line of the text, decoded by the named encoding with U+FFFD for what does
// not fit. An unknown one is taken for UTF-8. limit counts bytes of the decoded text.
func (s *Scanner) TextLine(encoding string, by *Separator, limit int) (line []byte, ok bool, err error) {
	s.decodeBy(encoding)
	for {
		s.dropTextLF()
		text := s.text
		start, end, err := s.next(text, by, limit)
		switch {
		case err != nil:
			return nil, false, err
		case end > 0:
			s.endText(by, end)
			return text[:start], true, nil
		case !s.decode(by):
			if !s.ended {
				return nil, false, nil
			}
			s.text, s.scanned = s.text[:0], 0
			return text, s.last(text, by), nil
		}
	}
}

func (s *Scanner) decodeBy(encoding string) {
	if s.decoder != nil && s.asked == encoding {
		return
	}
	if s.decoder != nil {
		s.Bytes()
	}
	s.asked, s.decoder = encoding, DecoderOr(encoding, "utf-8")
}

// decode decodes some more of what has come, and reports whether there was anything.
func (s *Scanner) decode(by *Separator) bool {
	s.dropLF()
	before := len(s.text)
	if len(s.data) == 0 {
		if s.ended && !s.flushed {
			s.text, s.flushed = s.decoder.Append(s.text, nil, true), true
		}
		return len(s.text) > before
	}
	n := by.cut(s.data, s.decoder)
	s.text = s.decoder.Append(s.text, s.data[:n], false)
	s.data = s.data[n:]
	return true
}

// endText gives out the first n bytes of text, which end in a separator.
func (s *Scanner) endText(by *Separator, n int) {
	if cr := len(by.delimiter) == 0 && n == len(s.text) && s.text[n-1] == '\r'; cr {
		s.skipLF, s.skipText = s.decoder.encoding.ascii, !s.decoder.encoding.ascii
	}
	s.scanned = 0
	if n == len(s.text) {
		s.text = s.text[:0]
		return
	}
	s.text = slices.Clone(s.text[n:])
}

func (s *Scanner) dropTextLF() {
	if s.skipText && len(s.text) > 0 {
		if s.skipText = false; s.text[0] == '\n' {
			s.text = s.text[1:]
		}
	}
}
