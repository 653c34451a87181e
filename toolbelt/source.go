package toolbelt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/mountable/requests"
)

// Path, as the value of a [Field] or the source of a [StreamingIterator], is a file
// by its name. It is looked at at once and opened when its turn comes, each time the
// body is sent, and closed again. It must keep its size until then.
type Path string

func (p Path) base() string { return filepath.Base(string(p)) }

// source is where content comes from: memory, or something that is opened when its
// turn comes.
type source struct {
	data []byte
	size int64

	open  func() (io.Reader, error) // from where it first stood; nil: data
	owned bool                      // what open returns is closed by us
	once  bool                      // open cannot be called twice
	used  bool                      // open has been called
	taken bool                      // size was said by the caller, and there may be more
}

// refuse builds an error of a body.
func refuse(kind requests.Kind, cause error, format string, args ...any) error {
	return &requests.Error{Kind: kind, Err: cause, Detail: fmt.Sprintf(format, args...)}
}

// newSource makes a source of what a caller gave, which must tell its length.
func newSource(v any) (source, error) {
	switch v := v.(type) {
	case nil:
		return source{}, nil
	case string:
		return memory([]byte(v)), nil
	case []byte:
		return memory(v), nil
	case Path:
		return pathSource(string(v))
	case io.Reader:
		return readerSource(v, -1)
	}
	return source{}, refuse(requests.ErrInvalidBody, nil, "content cannot be of type %T: give a string, []byte, Path or an io.Reader with a length", v)
}

func memory(data []byte) source { return source{data: data, size: int64(len(data))} }

func pathSource(name string) (source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return source{}, refuse(requests.ErrFile, err, "the file cannot be examined")
	}
	if !info.Mode().IsRegular() {
		return source{}, refuse(requests.ErrFile, nil, "%s is not a regular file", name)
	}
	f, err := os.Open(name) // opened now only to fail before anything is sent
	if err != nil {
		return source{}, refuse(requests.ErrFile, err, "the file cannot be opened")
	}
	f.Close()
	open := func() (io.Reader, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, refuse(requests.ErrFile, err, "the file cannot be opened")
		}
		return f, nil
	}
	return source{size: info.Size(), open: open, owned: true}, nil
}

// readerSource makes a source of r, which gives size bytes, or, where size is
// negative, as many as r tells.
func readerSource(r io.Reader, size int64) (source, error) {
	if isNil(r) {
		return source{}, refuse(requests.ErrInvalidBody, nil, "the content is a nil %T", r)
	}
	if b, ok := r.(*bytes.Buffer); ok {
		r = bytes.NewReader(b.Bytes()) // it is not drained, so it can be sent again
	}
	start, seekable := position(r)
	s := source{size: size, taken: size >= 0, once: true, open: func() (io.Reader, error) { return r, nil }}
	if size < 0 {
		length, err := lengthOf(r, start, seekable)
		if err != nil {
			return source{}, err
		}
		s.size = length
	}
	switch again, ok := r.(requests.Streamer); {
	case ok:
		s.once, s.open = false, reopen(r, again.Rewind)
	case seekable:
		seeker := r.(io.Seeker)
		s.once, s.open = false, func() (io.Reader, error) {
			_, err := seeker.Seek(start, io.SeekStart)
			return r, err
		}
	}
	return s, nil
}

// reopen returns r as it is the first time and rewound later.
func reopen(r io.Reader, rewind func() error) func() (io.Reader, error) {
	used := false
	return func() (io.Reader, error) {
		if !used {
			used = true
			return r, nil
		}
		return r, rewind()
	}
}

func isNil(v any) bool {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return rv.IsNil()
	}
	return false
}

// position tells where r stands, if it can be brought back there. Pipes and
// terminals have a Seek method, but no position.
func position(r io.Reader) (start int64, seekable bool) {
	seeker, ok := r.(io.Seeker)
	if !ok || isPipe(r) {
		return 0, false
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	return start, err == nil
}

func isPipe(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}

var errNoLength = errors.New("it tells no length: wrap it in a StreamingIterator")

// lengthOf returns how many bytes r gives from where it stands. Len means what
// remains, as in bytes.Reader; Size and the end found by seeking mean the whole.
func lengthOf(r io.Reader, start int64, seekable bool) (int64, error) {
	length := int64(-1)
	switch r := r.(type) {
	case *os.File:
		return fileLength(r, start)
	case interface{ Len() int }:
		length = int64(r.Len())
	case interface{ Len() int64 }:
		length = r.Len()
	case interface{ Size() int64 }:
		length = max(r.Size()-start, 0)
	case io.Seeker:
		if end, err := r.Seek(0, io.SeekEnd); seekable && err == nil {
			length = max(end-start, 0) // open seeks back
		}
	}
	if length < 0 {
		return 0, refuse(requests.ErrInvalidBody, errNoLength, "a %T cannot be content", r)
	}
	return length, nil
}

func fileLength(f *os.File, start int64) (int64, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return 0, refuse(requests.ErrFile, err, "the file cannot be examined")
	case info.Mode()&fs.ModeDir != 0:
		return 0, refuse(requests.ErrFile, nil, "%s is a directory", f.Name())
	case !info.Mode().IsRegular():
		return 0, refuse(requests.ErrInvalidBody, errNoLength, "%s cannot be content", f.Name())
	}
	return max(info.Size()-start, 0), nil
}
