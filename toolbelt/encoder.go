package toolbelt

import (
	"bytes"
	"slices"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/multipart"
)

// Field is one part of a multipart/form-data body.
type Field struct {
	Name string

	// Value is a string, a []byte, a [Path], or an io.Reader that tells its length:
	// an *os.File, a bytes.Reader, a [StreamingIterator], a [URLFile], anything with
	// Len, Size or Seek. A reader is read from where it stands when the encoder is
	// made, when its turn comes. nil is an empty value.
	Value any

	Filename    string           // the filename parameter; of a Path its base name if empty, else none
	HasFilename bool             // write Filename even if it is empty
	ContentType string           // no line if empty: nothing is guessed
	Headers     requests.Headers // further part headers, after Content-Type
}

// Fields is a multipart/form-data body as a [requests.Option]: it is encoded while
// it is sent, as [NewMultipartEncoder] says, with a boundary of its own.
type Fields []Field

// Apply makes f the body of r.
func (f Fields) Apply(r *requests.Request) error {
	e, err := NewMultipartEncoder(f)
	if err != nil {
		return err
	}
	return e.Apply(r)
}

// MultipartEncoder is a multipart/form-data body that is encoded while it is read:
// its length is known ahead, and it never has more than one part header or a block
// in memory. It is a [requests.Option] that sets body and Content-Type, and a
// [requests.Streamer], so redirects, retries and challenges send it again from its
// beginning. It is not safe for concurrent use.
type MultipartEncoder struct {
	stream
	boundary string
	fields   int
}

// EncoderOption changes how an encoder is made.
type EncoderOption func(*MultipartEncoder)

// Boundary uses text between the parts. It must be one RFC 2046 section 5.1.1
// allows and must not occur in the values that are in memory; readers cannot be
// checked. By default, or if text is empty, a boundary has 128 random bits.
func Boundary(text string) EncoderOption {
	return func(e *MultipartEncoder) { e.boundary = text }
}

// NewMultipartEncoder returns the encoder of fields, in their order. Names, file
// names and headers are written as urllib3 writes them; no Content-Type is guessed.
//
// It is [requests.ErrInvalidBody] for a value that is not content or does not tell
// its length, for a name or header that cannot be written and for a bad boundary, and
// [requests.ErrFile] for a file that cannot be read. While the body is read, content
// that is longer or shorter than announced is [requests.ErrBodyLength].
func NewMultipartEncoder(fields []Field, options ...EncoderOption) (*MultipartEncoder, error) {
	e := &MultipartEncoder{fields: len(fields)}
	for _, option := range options {
		if option != nil {
			option(e)
		}
	}
	random := e.boundary == ""
	if random {
		e.boundary = multipart.NewBoundary()
	} else if !isBoundary(e.boundary) {
		return nil, refuse(requests.ErrInvalidBody, nil, "the boundary %q is not one of RFC 2046", e.boundary)
	}
	for i := range fields {
		if err := e.addField(&fields[i], i == 0, random); err != nil {
			return nil, err
		}
	}
	e.addClosing()
	return e, nil
}

// addField adds the part's header, behind the line end of the part before, and its
// content.
func (e *MultipartEncoder) addField(f *Field, first, random bool) error {
	piece := segment{field: f.Name}
	src, err := newSource(f.Value)
	if err != nil {
		return inField(err, &piece)
	}
	if !random && containsBoundary(src.data, e.boundary) {
		return refuse(requests.ErrInvalidBody, nil, "%sthe boundary %q occurs in the content", piece.of(), e.boundary)
	}
	part := f.part()
	if err := part.Check(); err != nil {
		return refuse(requests.ErrInvalidBody, err, "%sit cannot be written", piece.of())
	}
	var head []byte
	if !first {
		head = append(head, "\r\n"...)
	}
	head = multipart.AppendPartHeader(head, e.boundary, &part)
	e.add(segment{source: memory(head)})
	piece.source = src
	e.add(piece)
	return nil
}

// addClosing adds the closing boundary, a segment by itself.
func (e *MultipartEncoder) addClosing() {
	if e.fields == 0 {
		e.add(segment{source: memory([]byte("--" + e.boundary))})
		e.add(segment{source: memory([]byte("--\r\n"))})
		return
	}
	e.add(segment{source: memory([]byte("\r\n--" + e.boundary + "--\r\n"))})
}

func (f *Field) part() multipart.Part {
	p := multipart.Part{
		Name:        f.Name,
		Filename:    f.Filename,
		HasFilename: f.HasFilename || f.Filename != "",
		ContentType: f.ContentType,
		Header:      f.Headers,
	}
	if path, ok := f.Value.(Path); ok && !p.HasFilename {
		p.Filename, p.HasFilename = path.base(), true
	}
	return p
}

// inField adds the field to an error of its source.
func inField(err error, piece *segment) error {
	e, ok := err.(*requests.Error)
	if !ok {
		return err
	}
	e.Detail = piece.of() + e.Detail
	return e
}

// isBoundary reports whether s keeps to the grammar of RFC 2046 section 5.1.1.
func isBoundary(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alphanumeric && !bytes.ContainsRune([]byte("'()+_,-./:=? "), rune(c)) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 70 && s[len(s)-1] != ' '
}

// containsBoundary reports whether content holds what would end its part.
func containsBoundary(content []byte, boundary string) bool {
	line := []byte("\n--" + boundary)
	return bytes.HasPrefix(content, line[1:]) || bytes.Contains(content, line)
}

// ContentType returns the media type with the boundary, for a Content-Type header.
func (e *MultipartEncoder) ContentType() string { return multipart.ContentType(e.boundary) }

// Boundary returns the text between the parts, without its dashes.
func (e *MultipartEncoder) Boundary() string { return e.boundary }

// Finished reports whether the closing boundary has been reached by reading.
func (e *MultipartEncoder) Finished() bool {
	last := len(e.segments) - 1
	return e.at > last || e.at == last && e.begun
}

// Apply makes e, from its beginning, the body of r, and sets Content-Type.
func (e *MultipartEncoder) Apply(r *requests.Request) error {
	if err := e.Rewind(); err != nil {
		return err
	}
	r.Body = e
	return requests.Headers{{"Content-Type", e.ContentType()}}.Apply(r)
}

// Bytes returns what is left of the body, in memory, and leaves e at its end: what
// toolbelt's to_string does, to look at a body. Apply and Rewind start it again.
func (e *MultipartEncoder) Bytes() ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(e.length, 1<<20)))
	_, err := e.WriteTo(&b)
	return slices.Clip(b.Bytes()), err
}
