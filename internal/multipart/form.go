package multipart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/mountable/requests/internal/body"
)

// MaxInMemory bounds a body that is encoded when the request is prepared, as Requests
// does, for callers to look at: most forms are shorter. A longer one is encoded while it
// is sent.
const MaxInMemory = 1 << 20

// File is one file part of a Form.
type File struct {
	Field       string
	Name        string // of the file; of an *os.File its base name if empty, else the field's name
	NoName      bool   // leave the file name out, making a plain field
	Content     io.Reader
	ContentType string
	Header      [][2]string
}

// Form is the body of fields and files. It is a streamer that encodes while it is sent.
// Its errors, but those of a writer, are *body.Error.
type Form struct {
	Boundary string

	parts    []Part
	contents []body.Body // what the parts are read from
	length   int64       // -1 if it is not known
	reader   *Reader     // nil until something is read
}

// NewForm makes the body of fields and files.
func NewForm(fields [][2]string, files []File) (*Form, error) {
	f := &Form{Boundary: NewBoundary()}
	for _, kv := range fields {
		f.add(Part{Name: kv[0], Content: []byte(kv[1])}, body.Body{})
	}
	for _, file := range files {
		part, content, err := file.part()
		if err != nil {
			return nil, err
		}
		f.add(part, content)
	}
	for i := range f.parts {
		if part := &f.parts[i]; !utf8.ValidString(part.Name) || !utf8.ValidString(part.Filename) {
			return nil, &body.Error{Fault: body.Invalid, Detail: fmt.Sprintf("the name of part %q is not UTF-8", part.Name)}
		}
	}
	reader, err := NewReader(f.Boundary, f.parts)
	if err != nil {
		return nil, &body.Error{Fault: body.Invalid, Err: err, Detail: "Files cannot be encoded"}
	}
	f.length = reader.Len()
	return f, nil
}

func (f *Form) add(part Part, content body.Body) {
	f.parts, f.contents = append(f.parts, part), append(f.contents, content)
}

// part returns the part of a file and its content. Where nobody knows how long that is, as
// much of it is read as may be in memory.
func (f File) part() (Part, body.Body, error) {
	content, err := f.open()
	if err != nil {
		return Part{}, content, err
	}
	part := Part{
		Name: f.Field, Filename: f.filename(), HasFilename: !f.NoName, ContentType: f.ContentType, Header: f.Header,
		Body: content.Reader(), Size: content.Len(), Ends: !content.Waits(),
	}
	if part.Size >= 0 {
		return part, content, nil
	}
	if err = readAhead(&part); err != nil {
		return part, content, f.unreadable(err)
	}
	return part, content, nil
}

// open returns the content of a file.
func (f File) open() (body.Body, error) {
	if body.IsNil(f.Content) {
		return body.Body{}, &body.Error{Fault: body.Invalid, Detail: fmt.Sprintf("the Content of file %q is a nil %T", f.Field, f.Content)}
	}
	content, err := body.New(f.Content)
	if err != nil {
		return content, f.unreadable(err)
	}
	return content, nil
}

func (f File) unreadable(err error) error {
	return &body.Error{Fault: body.Unreadable, Err: err, Detail: fmt.Sprintf("file %q cannot be read", f.Field)}
}

// readAhead puts the content of a part into memory if it is short, else what it has read in
// front of the rest.
func readAhead(part *Part) error {
	data, err := io.ReadAll(io.LimitReader(part.Body, MaxInMemory+1))
	if err != nil || len(data) <= MaxInMemory {
		part.Body, part.Content = nil, data
		return err
	}
	part.Body = io.MultiReader(&sliceReader{data}, part.Body)
	return nil
}

// sliceReader lets go of what it has given.
type sliceReader struct{ data []byte }

func (s *sliceReader) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		s.data = nil
		return 0, io.EOF
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// Encode returns the body, bytes if they are few and else f itself, and whether its readers
// give the same again. Of bytes they have been brought back to where they stood.
func (f *Form) Encode() (b body.Body, renewable bool, err error) {
	renewable = !slices.ContainsFunc(f.contents, func(b body.Body) bool { return !b.Replayable() })
	if f.length < 0 {
		return body.Stream(f, -1, f.Rewind), renewable, nil
	}
	if f.length > MaxInMemory {
		b, err = body.New(f)
		return b, renewable, err
	}
	var data bytes.Buffer
	data.Grow(int(f.length) + bytes.MinRead)
	if _, err := data.ReadFrom(f); err != nil {
		return body.Body{}, false, err
	}
	return body.Bytes(data.Bytes()), f.restart() == nil && renewable, nil
}

// restart brings those readers back to where they stood that know it.
func (f *Form) restart() error {
	for i := range f.contents {
		if !f.contents[i].Replayable() {
			continue
		}
		if err := f.contents[i].Restart(); err != nil {
			return err
		}
		if f.parts[i].Body != nil {
			f.parts[i].Body = f.contents[i].Reader()
		}
	}
	return nil
}

// Len is the length of the whole body, -1 if it is not known.
func (f *Form) Len() int64 { return f.length }

// Rewind makes the body start again.
func (f *Form) Rewind() error {
	if f.reader == nil {
		return nil
	}
	for i := range f.contents {
		if f.parts[i].Body != nil && !f.contents[i].Replayable() {
			return &body.Error{Fault: body.Unrewindable, Detail: fmt.Sprintf("file %q has been read and cannot be read again", f.parts[i].Name)}
		}
	}
	f.reader = nil
	return f.restart()
}

func (f *Form) source() *Reader {
	if f.reader == nil {
		f.reader, _ = NewReader(f.Boundary, f.parts) // checked by NewForm
	}
	return f.reader
}

// Read encodes the next bytes.
func (f *Form) Read(p []byte) (int, error) {
	n, err := f.source().Read(p)
	return n, fault(err)
}

// WriteTo writes the rest of the body; files are moved by w.
func (f *Form) WriteTo(w io.Writer) (int64, error) {
	n, err := f.source().WriteTo(w)
	return n, fault(err)
}

// fault makes a fault of the body of an error of a part.
func fault(err error) error {
	if e, ok := errors.AsType[*LengthError](err); ok {
		return &body.Error{Fault: body.WrongLength, Detail: e.Error()}
	}
	if e, ok := errors.AsType[*ReadError](err); ok {
		return &body.Error{Fault: body.Unreadable, Err: e.Err, Detail: fmt.Sprintf("file %q cannot be read", e.Name)}
	}
	return err
}

// filename is the given one, else an opened file's base name, else the field's.
func (f File) filename() string {
	if f.Name != "" {
		return f.Name
	}
	if file, ok := f.Content.(*os.File); ok && isFilename(file.Name()) {
		return filepath.Base(file.Name())
	}
	return f.Field
}

// isFilename reports whether name is that of a file, and not "<stdin>" or "|1", a pipe's.
func isFilename(name string) bool {
	return name != "" && name[0] != '<' && name[0] != '|' && name[len(name)-1] != '>'
}
