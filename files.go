package requests

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/multipart"
)

// maxFilesInMemory bounds a multipart body that is encoded when the request is prepared, as
// Requests does, for callers to look at. A longer one is encoded while it is sent.
const maxFilesInMemory = 1 << 20

// filesBody is the multipart body of Form and Files. It is a [Streamer] that encodes while
// it is sent.
type filesBody struct {
	boundary string
	parts    []multipart.Part
	contents []body.Body       // what the parts are read from
	length   int64             // -1 if it is not known
	reader   *multipart.Reader // nil until something is read
}

// newFilesBody makes the parts of Form and Files.
func (r *Request) newFilesBody(asRequests bool) (*filesBody, error) {
	f := &filesBody{boundary: multipart.NewBoundary()}
	for _, kv := range r.Form {
		f.add(multipart.Part{Name: kv[0], Content: []byte(kv[1])}, body.Body{})
	}
	for _, file := range r.Files {
		if file.Content == nil && asRequests {
			continue
		}
		part, content, err := file.part()
		if err != nil {
			return nil, err
		}
		f.add(part, content)
	}
	for i := range f.parts {
		if part := &f.parts[i]; !utf8.ValidString(part.Name) || !utf8.ValidString(part.Filename) {
			return nil, fail(ErrInvalidBody, "the name of part %q is not UTF-8", part.Name)
		}
	}
	reader, err := multipart.NewReader(f.boundary, f.parts)
	if err != nil {
		return nil, wrap(ErrInvalidBody, err, "Files cannot be encoded")
	}
	f.length = reader.Len()
	return f, nil
}

func (f *filesBody) add(part multipart.Part, content body.Body) {
	f.parts, f.contents = append(f.parts, part), append(f.contents, content)
}

// part returns the part of a file and its content. Where nobody knows how long that is, as
// much of it is read as may be in memory.
func (f File) part() (multipart.Part, body.Body, error) {
	content, err := f.open()
	if err != nil {
		return multipart.Part{}, content, err
	}
	part := multipart.Part{
		Name: f.Field, Filename: f.filename(), HasFilename: !f.NoName, ContentType: f.ContentType, Header: f.Headers,
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
	switch {
	case f.Content == nil:
		return body.Body{}, fail(ErrInvalidArgument, "the file %q has no Content", f.Field)
	case isNil(f.Content):
		return body.Body{}, fail(ErrInvalidBody, "the Content of file %q is a nil %T", f.Field, f.Content)
	}
	content, err := body.New(f.Content)
	if err != nil {
		return content, f.unreadable(err)
	}
	return content, nil
}

func (f File) unreadable(err error) error {
	return &Error{Kind: ErrFile, Err: err, Detail: fmt.Sprintf("file %q cannot be read", f.Field)}
}

// readAhead puts the content of a part into memory if it is short, else what it has read in
// front of the rest.
func readAhead(part *multipart.Part) error {
	data, err := io.ReadAll(io.LimitReader(part.Body, maxFilesInMemory+1))
	if err != nil || len(data) <= maxFilesInMemory {
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

// encode returns the body, bytes if they are few and else f itself, and whether its readers
// give the same again. Of bytes they have been brought back to where they stood.
func (f *filesBody) encode() (b body.Body, renewable bool, err error) {
	renewable = !slices.ContainsFunc(f.contents, func(b body.Body) bool { return !b.Replayable() })
	if f.length < 0 {
		return body.Stream(f, -1, f.Rewind), renewable, nil
	}
	if f.length > maxFilesInMemory {
		b, err = newBody(f)
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
func (f *filesBody) restart() error {
	for i := range f.contents {
		if !f.contents[i].Replayable() {
			continue
		}
		if err := f.contents[i].Restart(); err != nil {
			return bodyFault(err)
		}
		if f.parts[i].Body != nil {
			f.parts[i].Body = f.contents[i].Reader()
		}
	}
	return nil
}

// Len is the length of the whole body, -1 if it is not known.
func (f *filesBody) Len() int64 { return f.length }

// Rewind makes the body start again.
func (f *filesBody) Rewind() error {
	if f.reader == nil {
		return nil
	}
	for i := range f.contents {
		if f.parts[i].Body != nil && !f.contents[i].Replayable() {
			return fail(ErrUnrewindableBody, "file %q has been read and cannot be read again", f.parts[i].Name)
		}
	}
	f.reader = nil
	return f.restart()
}

func (f *filesBody) source() *multipart.Reader {
	if f.reader == nil {
		f.reader, _ = multipart.NewReader(f.boundary, f.parts) // checked by newFilesBody
	}
	return f.reader
}

// Read encodes the next bytes.
func (f *filesBody) Read(p []byte) (int, error) {
	n, err := f.source().Read(p)
	return n, filesFault(err)
}

// WriteTo writes the rest of the body; files are moved by w.
func (f *filesBody) WriteTo(w io.Writer) (int64, error) {
	n, err := f.source().WriteTo(w)
	return n, filesFault(err)
}

// filesFault gives an error of a part its kind.
func filesFault(err error) error {
	if e, ok := errors.AsType[*multipart.LengthError](err); ok {
		return &Error{Kind: ErrBodyLength, Detail: e.Error()}
	}
	if e, ok := errors.AsType[*multipart.ReadError](err); ok {
		return &Error{Kind: ErrFile, Err: e.Err, Detail: fmt.Sprintf("file %q cannot be read", e.Name)}
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

// isFilename tells names of files from "<stdin>" and "|1", a pipe's.
func isFilename(name string) bool {
	return name != "" && name[0] != '<' && name[0] != '|' && name[len(name)-1] != '>'
}

// encodedBody is the body that a Request was sent with, and what it was made of.
type encodedBody struct {
	given       any
	form        Form
	files       Files
	body        body.Body
	contentType string
	renewable   bool // after Restart, the readers give the same again
}

// remember keeps the body of r for it to be sent again, if readers are read for it.
func (r *Request) remember(b body.Body, contentType string, renewable bool) {
	_, isReader := r.Body.(io.Reader)
	if isReader || len(r.Files) > 0 {
		r.encoded = &encodedBody{r.Body, slices.Clone(r.Form), slices.Clone(r.Files), b, contentType, renewable}
	}
}

// isOf reports whether r still has what e was made of.
func (e *encodedBody) isOf(r *Request) bool {
	return e != nil && sameReader(e.given, r.Body) && slices.Equal(e.form, r.Form) && slices.EqualFunc(e.files, r.Files, samePart)
}

func samePart(a, b File) bool {
	return sameReader(a.Content, b.Content) && a.Field == b.Field && a.Name == b.Name && a.NoName == b.NoName &&
		a.ContentType == b.ContentType && slices.Equal(a.Headers, b.Headers)
}

// sameReader compares what can be compared.
func sameReader(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}
