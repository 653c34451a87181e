package multipart

import (
	"bytes"
	"errors"
	"strings"
)

// ErrNoBlankLine is returned for a part, or a preamble, without an empty line (CRLF CRLF) between header and content.
var ErrNoBlankLine = errors.New("multipart: content does not contain CR-LF-CR-LF")

// RawPart is a part as received.
type RawPart struct {
	Head    []byte // the header block without its last line end and without white space in front
	Content []byte
}

// SplitParts takes a whole body apart like the toolbelt's MultipartDecoder. The body is cut at every CRLF "--boundary", also
// where the boundary goes on ("--boundary2"), and a "--boundary" it starts with is removed. Pieces that
// are empty, CRLF, "--", or start with "--" CRLF (the closing boundary, and whatever follows it) are dropped. Every other
// piece is a part, the preamble too, and must have an empty line, else ErrNoBlankLine. The parts share content's memory.
func SplitParts(content []byte, boundary string) ([]RawPart, error) {
	var parts []RawPart
	delim := []byte("\r\n--" + boundary)
	for i, piece := range bytes.Split(content, delim) {
		if dropped(piece) {
			continue
		}
		if i == 0 {
			piece = bytes.TrimPrefix(piece, delim[2:])
		}
		part, err := SplitPart(piece)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// SplitPart takes one part apart at its first empty line; without one it is ErrNoBlankLine. It shares piece's memory.
func SplitPart(piece []byte) (RawPart, error) {
	head, content, ok := bytes.Cut(piece, []byte("\r\n\r\n"))
	if !ok {
		return RawPart{}, ErrNoBlankLine
	}
	return RawPart{Head: trimHead(head), Content: content}, nil
}

func dropped(piece []byte) bool {
	switch string(piece) {
	case "", "\r\n", "--":
		return true
	}
	return bytes.HasPrefix(piece, []byte("--\r\n"))
}

func trimHead(head []byte) []byte { return bytes.TrimLeft(head, " \t\n\r\v\f") }

// Header returns the fields of the head in order, duplicates included, by the rules of Python's mail parser:
//
//   - lines end with CR, LF or CRLF;
//   - a line that starts with a blank or tab continues the value, line end included;
//   - a line starting with "From " or a colon is skipped, with its continuations;
//   - a line without a name of visible ASCII before its colon ends the header;
//   - blanks and tabs before a value are removed, those after it are kept.
func (p RawPart) Header() [][2]string {
	var fields [][2]string
	open := false                            // the last field may be continued
	text, start, end := string(p.Head), 0, 0 // of the last value in the text, and of the line
	for line := range headLines(text) {
		end += len(line)
		name, value, ok := strings.Cut(line, ":")
		switch {
		case line[0] == ' ' || line[0] == '\t':
			if open {
				fields[len(fields)-1][1] = text[start:end]
			}
		case strings.HasPrefix(line, "From ") || line[0] == ':':
			open = false
		case !ok || !isFieldName(name):
			return trimLineEnds(fields)
		default:
			value = strings.TrimLeft(value, " \t")
			fields = append(fields, [2]string{name, value})
			open, start = true, end-len(value)
		}
	}
	return trimLineEnds(fields)
}

// headLines yields the lines of s with their line ends; none is empty.
func headLines(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for s != "" {
			n := strings.IndexAny(s, "\r\n") + 1
			switch {
			case n == 0:
				n = len(s)
			case strings.HasPrefix(s[n-1:], "\r\n"):
				n++
			}
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

func isFieldName(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return name != ""
}

func trimLineEnds(fields [][2]string) [][2]string {
	for i := range fields {
		fields[i][1] = strings.TrimRight(fields[i][1], "\r\n")
	}
	return fields
}
