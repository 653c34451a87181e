package jsontext

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/mountable/requests/internal/charset"
)

// ErrTooLong is an element of an array that is longer than its reader may keep.
var ErrTooLong = errors.New("an element of the array is too long")

// SyntaxError says where a stream is not the JSON that was expected.
type SyntaxError struct {
	Where string // "line 3", "element 0", …
	Err   error
}

// Error says where, and what is wrong.
func (e *SyntaxError) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Text is the text of one value, and where it stands in its stream.
type Text struct {
	Data []byte
	What string // "line" or "element"; "" is a body by itself
	N    int
}

// Lines iterates over the texts that have a value, of the lines of a stream of JSON Lines.
func Lines(lines iter.Seq2[string, error]) iter.Seq2[Text, error] {
	return func(yield func(Text, error) bool) {
		n := 0
		for line, err := range lines {
			n++
			if text := Line(line, n); (err != nil || text != "") && !yield(Text{[]byte(text), "line", n}, err) {
				return
			}
		}
	}
}

// Line returns the text of the nth line of a stream of JSON Lines, from 1 on, without the
// blanks around it, and on the first one without a byte order mark; "" has no value.
func Line(text string, n int) string {
	if n == 1 {
		text = strings.TrimPrefix(text, "\ufeff")
	}
	return strings.Trim(text, " \t\r\n")
}

// Array calls yield with the text of each element of a JSON array, as it comes, until that
// returns false. An element of more than longest bytes, 0 for any number, is ErrTooLong; what
// is not an array, or has something behind it, is a *SyntaxError; other errors are those of r.
func Array(r io.Reader, longest int, yield func(element Text) bool) error {
	source := &meter{r: inUTF8(r), longest: longest}
	dec := json.NewDecoder(source)
	token, err := dec.Token()
	if err == nil && token != json.Delim('[') {
		err = fmt.Errorf("an array begins with [, and not with %.20q", fmt.Sprint(token))
	}
	if err != nil {
		return source.fault(err, "the beginning")
	}
	for n := 0; dec.More(); n++ {
		var element json.RawMessage
		source.mark = dec.InputOffset()
		if err := dec.Decode(&element); err != nil {
			return source.fault(err, fmt.Sprintf("element %d", n))
		}
		if longest > 0 && len(element) > longest {
			return ErrTooLong
		}
		if !yield(Text{element, "element", n}) {
			return nil
		}
	}
	if _, err := dec.Token(); err != nil {
		return source.fault(err, "the end of the array")
	}
	if _, err := dec.Token(); err != io.EOF {
		return source.fault(errors.Join(err, errors.New("something follows the array")), "behind the array")
	}
	return nil
}

// meter bounds how far the decoder reads on from where an element began.
type meter struct {
	r          io.Reader
	longest    int
	read, mark int64
	err        error // of r, or ErrTooLong
}

func (m *meter) Read(p []byte) (int, error) {
	if m.longest > 0 {
		left := m.mark + int64(m.longest) + slack - m.read
		if left <= 0 {
			m.err = ErrTooLong
			return 0, m.err
		}
		p = p[:min(int64(len(p)), left)]
	}
	n, err := m.r.Read(p)
	m.read += int64(n)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

// slack is for the comma and the blanks around an element.
const slack = 1 << 10

// fault tells what is wrong with the text from what is wrong with its reader.
func (m *meter) fault(err error, where string) error {
	switch {
	case m.err != nil:
		return m.err
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return &SyntaxError{where, err}
}

// inUTF8 decodes UTF-16 and UTF-32, and takes a byte order mark away.
func inUTF8(r io.Reader) io.Reader {
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(2)
	if len(head) == 2 && head[0] != 0 && head[1] != 0 && max(head[0], head[1]) < 0x80 {
		return buffered // and what has come of an element need not wait for more
	}
	head, _ = buffered.Peek(4)
	switch name := charset.JSONEncoding(head); {
	case name != "" && name != "utf-8":
		return &decoded{r: buffered, d: charset.DecoderOr(name, "utf-8")}
	case bytes.HasPrefix(head, []byte("\ufeff")):
		_, _ = buffered.Discard(3)
	}
	return buffered
}

// decoded is the text that is read from r, in UTF-8.
type decoded struct {
	r    io.Reader
	d    *charset.Decoder
	text []byte
	err  error
}

func (d *decoded) Read(p []byte) (int, error) {
	for len(d.text) == 0 && d.err == nil {
		var piece [4 << 10]byte
		var n int
		n, d.err = d.r.Read(piece[:])
		d.text = d.d.Append(d.text[:0], piece[:n], d.err != nil)
	}
	n := copy(p, d.text)
	if d.text = d.text[n:]; n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, d.err
}
