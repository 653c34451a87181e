// Package multipart writes form-data parts byte for byte as urllib3 writes them, and takes multipart bodies apart the way
// requests-toolbelt does. The standard library's mime/multipart does neither: it escapes names otherwise,
// sorts part headers, and follows RFC 2046 where the toolbelt splits plainly.
package multipart

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Part is one part of a form-data body.
type Part struct {
	Name        string
	Filename    string // written when HasFilename, even if empty
	HasFilename bool
	ContentType string // no line when empty: nothing is guessed (see GuessContentType)

	// Header holds further fields, written in order after Content-Type. Those with an empty value, and those spelled
	// exactly Content-Disposition, Content-Type or Content-Location, are left out, as in Requests.
	Header [][2]string

	Content []byte

	// Body, when not nil, is read instead of Content, once; it is never closed. Size is its exact
	// length, which the part keeps to, or negative when that is unknown.
	Body io.Reader
	Size int64
	Ends bool // Body can be asked for its end without waiting: more than Size is an error
}

// LengthError is for a Body that is longer or shorter than its Size.
type LengthError struct {
	Name string // of the part
	Size int64
	Came int64 // more than Size stands for any number
}

// ReadError is for a Body that could not be read.
type ReadError struct {
	Name string // of the part
	Err  error
}

func (e *ReadError) Error() string { return fmt.Sprintf("part %q: %v", e.Name, e.Err) }

// Unwrap returns the error of the Body.
func (e *ReadError) Unwrap() error { return e.Err }

func (e *LengthError) Error() string {
	if e.Came > e.Size {
		return fmt.Sprintf("part %q is longer than the %d bytes announced", e.Name, e.Size)
	}
	return fmt.Sprintf("part %q ended after %d bytes of %d", e.Name, e.Came, e.Size)
}

// ErrPart is wrapped by the errors about a part or boundary which cannot be written.
var ErrPart = errors.New("multipart: cannot be written")

// Check returns an error wrapping ErrPart if a name holds a NUL, or if a header field or the content type holds
// CR, LF or NUL. (CR and LF in Name and Filename are escaped when written.)
func (p *Part) Check() error {
	if strings.IndexByte(p.Name, 0) >= 0 || strings.IndexByte(p.Filename, 0) >= 0 {
		return fmt.Errorf("%w: NUL in a name", ErrPart)
	}
	if err := checkLine("content type", p.ContentType); err != nil {
		return err
	}
	for _, field := range p.Header {
		if err := checkLine("part header", field[0]+field[1]); err != nil {
			return err
		}
	}
	return nil
}

func checkLine(what, s string) error {
	if strings.ContainsAny(s, "\r\n\x00") {
		return fmt.Errorf("%w: CR, LF or NUL in %s", ErrPart, what)
	}
	return nil
}

// NewBoundary returns 32 lower-case hex digits, as Requests does, but with all 128 bits from crypto/rand.
func NewBoundary() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// ContentType returns the media type of a form-data body; the boundary is not quoted.
func ContentType(boundary string) string { return "multipart/form-data; boundary=" + boundary }

var paramEscaper = strings.NewReplacer(`"`, "%22", "\n", "%0A", "\r", "%0D")

// FormatHeaderParam returns name="value", with quotes, LF and CR of value as %22, %0A and %0D (the HTML standard's
// form-data encoding) and everything else, percent signs and backslashes too, as it is.
func FormatHeaderParam(name, value string) string {
	return name + `="` + paramEscaper.Replace(value) + `"`
}

// AppendPartHeader appends everything of the part before its content: boundary line, header, empty line.
// The part must have passed Check.
func AppendPartHeader(dst []byte, boundary string, p *Part) []byte {
	dst = append(append(append(dst, "--"...), boundary...), "\r\n"...)
	dst = append(dst, "Content-Disposition: form-data; "...)
	dst = append(dst, FormatHeaderParam("name", p.Name)...)
	if p.HasFilename {
		dst = append(append(dst, "; "...), FormatHeaderParam("filename", p.Filename)...)
	}
	dst = append(dst, "\r\n"...)
	dst = appendField(dst, "Content-Type", p.ContentType)
	for _, field := range p.Header {
		switch field[0] {
		case "Content-Disposition", "Content-Type", "Content-Location":
		default:
			dst = appendField(dst, field[0], field[1])
		}
	}
	return append(dst, "\r\n"...)
}

func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(dst, name...), ": "...)
	return append(append(dst, value...), "\r\n"...)
}

// Encode returns a whole body in memory, the closing boundary included. No parts at all give just that. Beyond what
// NewReader checks, names must be UTF-8, as in Requests.
func Encode(boundary string, parts []Part) ([]byte, error) {
	for i := range parts {
		if !utf8.ValidString(parts[i].Name) || !utf8.ValidString(parts[i].Filename) {
			return nil, fmt.Errorf("%w: a name is not UTF-8", ErrPart)
		}
	}
	r, err := NewReader(boundary, parts)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, max(r.Len(), 0)+1) // the spare byte lets Read see the end without growing
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}
