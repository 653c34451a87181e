// Package body is what a request sends: bytes in memory or a stream, how long it is,
// and how it starts over to be sent again.
package body

import (
	"fmt"
	"io"
	"iter"
	"os"
	"reflect"
)

// Body is the content of a request. The zero value is the absence of one. A copy shares the
// stream with its original. A stream is read by one reader at a time; Open, WriteTo and
// Restart may be called by several goroutines.
type Body struct {
	kind   kind
	rewind rewindability
	waits  bool  // reading may wait for something: a pipe, a connection, the caller's code
	coding uint8 // that Coded has given it: an index of codings, which keeps requests small
	data   []byte
	reader io.Reader
	seq    iter.Seq2[[]byte, error]
	length int64        // of a stream; -1 when unknown
	start  int64        // where a seekable stream stood when the body was made
	again  func() error // of a reader that is neither a streamer nor a seeker
	use    *use         // of a stream
}

// codings are those of Coded.
var codings = [...]string{"", "gzip", "zstd", "br"}

// Coding is the content coding that the body is in by Coded, "" for any other.
func (b *Body) Coding() string { return codings[b.coding] }

type kind uint8

const (
	none kind = iota
	inMemory
	fromReader
	fromSeq
)

// rewindability is what Requests records as _body_position.
type rewindability uint8

const (
	oneShot      rewindability = iota // iterators and plain readers: once read, they are empty
	rewindable                        // seekable
	unrewindable                      // has a position which could not be told: sending again fails
)

// streamer is requests.Streamer.
type streamer interface {
	io.Reader
	Len() int64
	Rewind() error
}

// New makes a body of what a caller gave: nil, a string, bytes, a streamer, an io.Reader, an
// iterator over []byte or string, with errors or without, or a Body. Empty text and empty
// bytes are not a body. Its error is an *Error.
func New(v any) (Body, error) {
	switch v := v.(type) {
	case nil:
		return Body{}, nil
	case string:
		return Bytes([]byte(v)), nil
	case []byte:
		return Bytes(v), nil
	case Body:
		return v, nil
	}
	if IsNil(v) {
		return Body{}, fault(Invalid, nil, "Body is a nil %T", v)
	}
	switch v := v.(type) {
	case streamer:
		return ofStreamer(v)
	case io.Reader:
		return stream(v)
	}
	if b, ok := ofPlain(v); ok {
		return b, nil
	}
	return Body{}, fault(Invalid, nil, "Body cannot be of type %T: give a string, []byte, io.Reader, iter.Seq[[]byte] or iter.Seq[string], or use JSON or Form", v)
}

// ofPlain makes a body of what is an iterator or bytes, whatever its type is called: iter.Seq,
// a func or json.RawMessage.
func ofPlain(v any) (Body, bool) {
	value := reflect.ValueOf(v)
	for _, t := range plainTypes {
		if value.Kind() != t.Kind() || !value.CanConvert(t) {
			continue
		}
		switch v := value.Convert(t).Interface().(type) {
		case []byte:
			return Bytes(v), true
		case iter.Seq[string]:
			return sequence(withoutError(v)), true
		case iter.Seq[[]byte]:
			return sequence(withoutError(v)), true
		case iter.Seq2[string, error]:
			return sequence(inBytes(v)), true
		case iter.Seq2[[]byte, error]:
			return sequence(v), true
		}
	}
	return Body{}, false
}

var plainTypes = []reflect.Type{
	reflect.TypeFor[[]byte](), reflect.TypeFor[iter.Seq[string]](), reflect.TypeFor[iter.Seq[[]byte]](),
	reflect.TypeFor[iter.Seq2[string, error]](), reflect.TypeFor[iter.Seq2[[]byte, error]](),
}

// Conflict says why what is given cannot be one body, "" if it can. Form fields and files are
// the parts of one.
func Conflict(body, form, files, json bool) string {
	switch {
	case body && form:
		return "Body and Form cannot both be given"
	case body && files:
		return "Body and Files cannot both be given: give the fields as Form"
	case body && json:
		return "Body and JSON cannot both be given"
	case form && json:
		return "Form and JSON cannot both be given"
	case files && json:
		return "Files and JSON cannot both be given: give the JSON as a File"
	}
	return ""
}

func ofStreamer(s streamer) (Body, error) {
	n := s.Len()
	if n < 0 {
		return Body{}, fault(WrongLength, nil, "Body is a %T whose Len is %d: a Streamer knows how long it is", s, n)
	}
	return Body{kind: fromReader, reader: s, length: n, rewind: rewindable, waits: true, use: new(use)}, nil
}

func inBytes(seq iter.Seq2[string, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for text, err := range seq {
			if !yield([]byte(text), err) {
				return
			}
		}
	}
}

func sequence(seq iter.Seq2[[]byte, error]) Body {
	return Body{kind: fromSeq, seq: seq, length: -1, waits: true, use: new(use)}
}

// Stream makes a body of a reader that has length bytes, -1 if that is not known. again
// makes it start over; without it the reader can be read once. Other ways that the reader
// has to do so are not used.
func Stream(r io.Reader, length int64, again func() error) Body {
	b := Body{kind: fromReader, reader: onlyReader{r}, length: length, waits: true, again: again, use: new(use)}
	if again != nil {
		b.rewind = rewindable
	}
	return b
}

// onlyReader hides every other method of a reader, but for the File of one that reads a file:
// see there.
type onlyReader struct{ io.Reader }

// File returns the file that is read as it is, nil if there is none. Who has taken some of its
// bytes goes on with Read, at its end too.
func (r onlyReader) File() *os.File {
	if own, ok := r.Reader.(interface{ File() *os.File }); ok {
		return own.File()
	}
	return nil
}

// Bytes makes a body of data, which is not copied.
func Bytes(data []byte) Body {
	if len(data) == 0 {
		return Body{}
	}
	return Body{kind: inMemory, data: data, length: int64(len(data))}
}

func withoutError[T string | []byte](seq iter.Seq[T]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for chunk := range seq {
			if !yield([]byte(chunk), nil) {
				return
			}
		}
	}
}

// IsNil finds the nil pointers and functions that an interface hides.
func IsNil(v any) bool {
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return value.IsNil()
	}
	return false
}

// None reports whether there is no body.
func (b *Body) None() bool { return b.kind == none }

// Streamed reports whether the body is read from a reader or an iterator.
func (b *Body) Streamed() bool { return b.kind > inMemory }

// Bytes returns the content if it is in memory; no body is nil, true.
func (b *Body) Bytes() (data []byte, ok bool) { return b.data, b.kind <= inMemory }

// Reader returns the reader of a body that has one, else nil.
func (b *Body) Reader() io.Reader { return b.reader }

// Len returns the number of bytes the body has from where it starts, 0 for no body and
// -1 if it is not known.
func (b *Body) Len() int64 { return b.length }

// Waits reports whether reading the body may wait for something else than memory or a
// disk.
func (b *Body) Waits() bool { return b.waits }

// Fault is what is wrong with a body.
type Fault uint8

// The faults.
const (
	Invalid      Fault = iota + 1 // nothing that can be sent
	Unreadable                    // a file that cannot be examined
	Unrewindable                  // it cannot be sent again
	WrongLength                   // more or less than was announced
	Broken                        // its reader failed while it was sent
)

// Error is every error of this package.
type Error struct {
	Fault  Fault
	Detail string
	Err    error // the cause, may be nil
}

// LengthError is for a body that has another length than was announced.
func LengthError(format string, args ...any) error { return fault(WrongLength, nil, format, args...) }

// ReadError is for a body whose reader failed.
func ReadError(err error) error {
	return fault(Broken, err, "the body could not be read to be sent")
}

func fault(f Fault, err error, format string, args ...any) *Error {
	return &Error{Fault: f, Err: err, Detail: fmt.Sprintf(format, args...)}
}

// Error describes what is wrong, and why.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Detail
	}
	return e.Detail + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Same reports whether two bodies, or two readers, are one, as far as they can be compared.
func Same(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}
