package h1

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

var (
	errStart   = errors.New("another protocol")
	errLimit   = errors.New("limit exceeded")
	errLineEnd = errors.New("the line does not end in CRLF")
)

// ReadResponseHead reads one response head, interim ones included, into h. The capacity of h.Fields is used again.
//
// The status line is "HTTP/1." digit, blanks, three digits of 100 or more, and an optional reason. Lines may end in
// LF alone. Blanks around a value are cut, and each fold in it, with the blanks around it, is one space (RFC 9112
// sections 5.1 and 5.2). Anything else is an *Error: NoResponse where not one byte came.
func (r *Reader) ReadResponseHead(h *ResponseHead, lim *Limits) error {
	l := lim.orDefaults()
	if _, err := r.readResponseHead(h, &l); err != nil {
		return err
	}
	return nil
}

// ReadFinalHead reads response heads into h until one that is not interim (RFC 9110 section 15.2), within the bounds
// of lim. Each interim response is given to interim, if not nil, in h itself, so it is valid during the call only; its
// error ends the reading. 101 is an error, UnexpectedUpgrade: a caller that asks for it reads with ReadResponseHead.
func (r *Reader) ReadFinalHead(h *ResponseHead, lim *Limits, interim func(*ResponseHead) error) error {
	l := lim.orDefaults()
	total := 0
	for count := 0; ; count++ {
		n, err := r.readResponseHead(h, &l)
		if err != nil {
			return afterInterim(err, count)
		}
		if h.Status >= 200 {
			return nil
		}
		if h.Status == 101 {
			return fault(UnexpectedUpgrade, "")
		}
		if total += n; count == l.Interim || total > l.InterimBytes {
			return fault(TooManyInterim, "")
		}
		if interim != nil {
			if err := interim(h); err != nil {
				return err
			}
		}
	}
}

// afterInterim keeps NoResponse for connections on which nothing came at all: only those may be stale ones.
func afterInterim(err *Error, count int) error {
	if err.Code == NoResponse && count > 0 {
		err.Code = HeadTruncated
	}
	return err
}

func (r *Reader) readResponseHead(h *ResponseHead, l *Limits) (int, *Error) {
	text, err := r.readHead(l.HeadBytes, "HTTP/1.")
	if err != nil {
		if err.Code == BadStatusLine {
			err.Detail = misread(string(r.buf[r.r:r.w]))
		}
		return 0, err
	}
	line, rest := cutHeadLine(text)
	if len(line) > l.LineBytes {
		return 0, fault(HeadTooLarge, "status line")
	}
	if !h.parseStatusLine(line) {
		return 0, fault(BadStatusLine, excerpt(line))
	}
	h.Fields, err = parseFields(h.Fields[:0], rest, l)
	return len(text), err
}

// misread says what came instead of a status line.
func misread(came string) string {
	if len(came) >= 9 && (came[3] == 4 || came[3] == 7) && came[5:9] == "\x00\x00\x00\x00" {
		return "a frame of HTTP/2, which the server speaks" // SETTINGS or GOAWAY (RFC 9113 section 4.1)
	}
	return excerpt(came)
}

// ReadRequestHead reads one request head into h: the server's side. One empty line before it is skipped
// (RFC 9112 section 2.2). NoResponse means that the client closed before a request.
func (r *Reader) ReadRequestHead(h *RequestHead, lim *Limits) error {
	l := lim.orDefaults()
	text, err := r.readHead(l.HeadBytes, "")
	if err == nil && len(text) <= len("\r\n") {
		text, err = r.readHead(l.HeadBytes, "")
	}
	if err != nil {
		return err
	}
	line, rest := cutHeadLine(text)
	if !h.parseRequestLine(line) {
		return fault(BadRequestLine, excerpt(line))
	}
	if h.Fields, err = parseFields(h.Fields[:0], rest, &l); err != nil {
		return err
	}
	return nil
}

// readHead consumes a section that ends with an empty line; its text is the one allocation of a head.
func (r *Reader) readHead(limit int, start string) (string, *Error) {
	n, err := r.block(limit, start)
	switch {
	case err == nil:
		return string(r.take(n)), nil
	case err == errStart:
		return "", fault(BadStatusLine, "")
	case err == errLimit:
		return "", fault(HeadTooLarge, "")
	case r.Buffered() == 0:
		return "", readFault(NoResponse, err)
	default:
		return "", readFault(HeadTruncated, err)
	}
}

// readFault is the error for a source that ended (code) or failed.
func readFault(code Code, err error) *Error {
	if err == io.EOF {
		return &Error{Code: code, Err: io.ErrUnexpectedEOF}
	}
	return &Error{Code: ReadFailed, Err: err}
}

// cutHeadLine cuts the first line off text, without its CRLF or LF.
func cutHeadLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	if line != "" && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, rest
}

// parseStatusLine parses what follows "HTTP/1." (RFC 9112 section 4). Several spaces before the status code are
// accepted, as that section allows and Requests does; the reason is shown, so it must not hold controls.
func (h *ResponseHead) parseStatusLine(line string) bool {
	const version = len("HTTP/1.")
	if len(line) < version+5 || !ascii.IsDigit(line[version]) || line[version+1] != ' ' {
		return false
	}
	h.Minor = int(line[version] - '0')
	s := strings.TrimLeft(line[version+1:], " ")
	if len(s) < 3 || !ascii.IsDigit(s[0]) || !ascii.IsDigit(s[1]) || !ascii.IsDigit(s[2]) || len(s) > 3 && s[3] != ' ' {
		return false
	}
	h.Status = int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
	h.Reason = ascii.TrimBlanks(s[3:])
	return h.Status >= 100 && !hasControl(h.Reason)
}

func (h *RequestHead) parseRequestLine(line string) bool {
	method, rest, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(rest, " ")
	if !ascii.IsToken(method) || !validTarget(target) || len(version) != len("HTTP/1.x") {
		return false
	}
	digit := version[len(version)-1]
	h.Method, h.Target, h.Minor = method, target, int(digit-'0')
	return strings.HasPrefix(version, "HTTP/1.") && ascii.IsDigit(digit)
}

// parseFields appends the fields of text, which ends with an empty line, to dst (RFC 9112 section 5).
func parseFields(dst Fields, text string, l *Limits) (Fields, *Error) {
	if lines := strings.Count(text, "\n") - 1; lines > cap(dst)-len(dst) {
		dst = slices.Grow(dst, min(lines, l.Fields-len(dst)))
	}
	for {
		if text[0] == '\n' || text[0] == '\r' && text[1] == '\n' {
			return dst, nil
		}
		if len(dst) == l.Fields {
			return dst, fault(TooManyFields, "")
		}
		name := ascii.TokenEnd(text)
		if name == 0 || text[name] != ':' {
			return dst, fault(BadHeader, "no field name before a colon")
		}
		value, rest, err := cutValue(text, name+1, l.LineBytes)
		if err != nil {
			err.Detail += excerpt(text[:name])
			return dst, err
		}
		dst = append(dst, [2]string{text[:name], value})
		text = rest
	}
}

// cutValue cuts a field line and the lines folded into it off text: the value without blanks around it and without
// folds, and what follows the line.
func cutValue(text string, from, limit int) (value, rest string, err *Error) {
	start := from
	for start < len(text) && ascii.IsBlank(text[start]) {
		start++
	}
	for pos, line := start, 0; ; line = pos {
		end := pos + strings.IndexByte(text[pos:], '\n')
		next := end + 1
		if end > pos && text[end-1] == '\r' {
			end--
		}
		if end-line > limit {
			return "", "", fault(HeadTooLarge, "line of ")
		}
		if hasControl(text[pos:end]) {
			return "", "", fault(BadHeader, "control character in the value of ")
		}
		folded := line > 0
		if pos = next; ascii.IsBlank(text[pos]) {
			continue
		}
		if value = text[start:end]; folded {
			return unfold(value), text[pos:], nil
		}
		return trimRight(value), text[pos:], nil
	}
}

// trimRight cuts the blanks at the end of a value that is not folded.
func trimRight(value string) string {
	for value != "" && ascii.IsBlank(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	return value
}

// unfold makes one line of a value that is folded, which costs an allocation.
func unfold(value string) string {
	var b strings.Builder
	for line := range strings.Lines(value) {
		line = strings.Trim(line, " \t\r\n")
		if line != "" && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(line)
	}
	return b.String()
}
