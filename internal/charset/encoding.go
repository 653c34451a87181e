package charset

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/mountable/requests/internal/ascii"
)

// ErrUnknown reports a charset name that stands for no text encoding.
var ErrUnknown = errors.New("unknown encoding")

// ErrMalformed reports bytes that are not of the encoding they should be of.
var ErrMalformed = errors.New("malformed data")

// machine turns bytes into UTF-8 appended to dst, with U+FFFD for what is no
// character. It returns how many bytes it used: without final, an incomplete
// character at the end is left, and comes again in front of the bytes that
// follow; with final, everything is used. bad tells that U+FFFD was put in.
type machine interface {
	decode(dst, src []byte, final bool) (out []byte, n int, bad bool)
}

// Encoding is a text encoding as Python names and decodes it. The zero value
// decodes nothing; get one from Lookup.
type Encoding struct {
	name  string
	ascii bool // ASCII bytes stand for themselves, always
	start func() machine
}

// Name is the name of Python's codec, as in "utf_8" or "iso8859_15".
func (e Encoding) Name() string { return e.name }

// Lookup finds an encoding by any name Python's codecs have, in any letter
// case, with any punctuation: "latin-1", "UTF8", "Shift_JIS", "cp1252"; else by
// any label of the Encoding standard: "windows-31j", "x-sjis", "iso-8859-8-i".
// Codecs that are not text encodings (base64, rot13 …) are not found.
func Lookup(name string) (Encoding, bool) {
	codec := canonical(name)
	e := Encoding{name: codec, ascii: true}
	switch codec {
	case "":
		return Encoding{}, false
	case "utf_8":
		e.start = func() machine { return utf8Machine{} }
	case "utf_8_sig":
		e.start = func() machine { return &bomMachine{} }
	case "ascii":
		e.start = func() machine { return asciiMachine{} }
	case "latin_1":
		e.start = func() machine { return latin1Machine{} }
	case "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be":
		e.ascii, e.start = false, wide(codec)
	case "utf_7":
		e.ascii, e.start = false, func() machine { return &utf7Machine{} }
	case "idna":
		e.ascii, e.start = false, nil
	default:
		if table, ok := singleByte[codec]; ok {
			e.ascii, e.start = tableStart(table)
		} else if e.ascii, e.start = multiByte(codec); e.start == nil {
			e.start = browserOnly(codec)
		}
		if e.start == nil {
			return Encoding{}, false
		}
	}
	return e, true
}

// Decode decodes data by the named encoding, with U+FFFD for bytes that do not
// fit, counted as Python counts them with errors="replace". ok is false when
// the name stands for no encoding; Requests takes UTF-8 then. A byte order
// mark stays, except in utf-16, utf-32 and utf-8-sig.
func Decode(data []byte, name string) (text string, ok bool) {
	e, ok := Lookup(name)
	if !ok || e.start == nil {
		return "", false
	}
	if s, ok := e.asIs(data); ok {
		return s, true
	}
	out, _ := e.all(data)
	return string(out), true
}

// DecodeStrict decodes data by the named encoding. The error wraps ErrUnknown
// when there is no such encoding, and ErrMalformed when the data does not fit.
func DecodeStrict(data []byte, name string) (string, error) {
	e, ok := Lookup(name)
	if !ok {
		return "", fmt.Errorf("%w: %.40q", ErrUnknown, name)
	}
	if e.name == "idna" {
		return decodeIDNA(data)
	}
	if s, ok := e.asIs(data); ok {
		return s, nil
	}
	out, bad := e.all(data)
	if bad {
		return "", fmt.Errorf("%s: %w", e.name, ErrMalformed)
	}
	return string(out), nil
}

// asIs answers for data that is its own decoding, which most is.
func (e Encoding) asIs(data []byte) (string, bool) {
	if e.name == "utf_8" && utf8.Valid(data) || e.ascii && e.name != "utf_8" && ascii.Only(data) {
		return string(data), true
	}
	return "", false
}

func (e Encoding) all(data []byte) ([]byte, bool) {
	out, _, bad := e.start().decode(make([]byte, 0, len(data)+len(data)/8+8), data, true)
	return out, bad
}

// Decoder decodes a stream piece by piece, with U+FFFD for bytes that do not
// fit. What it returns never ends inside a character.
type Decoder struct {
	encoding Encoding
	m        machine
	rest     []byte
	lineEnds string // bytes from 0x80 on that a line end may end in
}

// NewDecoder returns a Decoder for the named encoding; ok is false when the
// name stands for none.
func NewDecoder(name string) (d *Decoder, ok bool) {
	e, ok := Lookup(name)
	if !ok || e.start == nil {
		return nil, false
	}
	m := e.start()
	return &Decoder{encoding: e, m: m, lineEnds: lineEnds(m)}, true
}

// DecodeOr is Decode by the first name that stands for an encoding.
func DecodeOr(data []byte, name, other string) string {
	text, ok := Decode(data, name)
	if !ok {
		text, _ = Decode(data, other)
	}
	return text
}

// TextChunks decodes chunks by the named encoding, or as UTF-8 where the name stands for none.
func TextChunks(chunks iter.Seq2[[]byte, error], name string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		d := DecoderOr(name, "utf-8")
		for chunk, err := range chunks {
			if err != nil {
				yield("", err)
				return
			}
			if text := d.Decode(chunk, false); text != "" && !yield(text, nil) {
				return
			}
		}
		if text := d.Decode(nil, true); text != "" {
			yield(text, nil)
		}
	}
}

// DecoderOr is NewDecoder by the first name that stands for an encoding.
func DecoderOr(name, other string) *Decoder {
	if d, ok := NewDecoder(name); ok {
		return d
	}
	d, _ := NewDecoder(other)
	return d
}

// lineEnds returns the bytes from 0x80 on that U+0085, U+2028 or U+2029 may end in.
func lineEnds(m machine) string {
	switch m := m.(type) {
	case utf8Machine, *bomMachine:
		return "\x85\xa8\xa9"
	case latin1Machine:
		return "\x85"
	case tableMachine:
		if i := slices.Index(m.table, 0x85); i >= 0 {
			return string([]byte{byte(m.from + i)})
		}
	}
	return ""
}

// Decode returns the text that is complete with chunk; final says that nothing
// follows, so that a character begun becomes U+FFFD.
func (d *Decoder) Decode(chunk []byte, final bool) string {
	return string(d.Append(make([]byte, 0, len(chunk)+len(d.rest)), chunk, final))
}

// Append is Decode into a buffer of the caller's: it appends the text to dst.
func (d *Decoder) Append(dst, chunk []byte, final bool) []byte {
	src := chunk
	if len(d.rest) > 0 {
		src = append(d.rest, chunk...)
	}
	dst, n, _ := d.m.decode(dst, src, final)
	d.rest = append(d.rest[:0], src[n:]...)
	return dst
}

var replacement = []byte("\ufffd")

func containsReplacement(p []byte) bool { return bytes.Contains(p, replacement) }
