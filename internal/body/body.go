// Package body is what a request sends: bytes in memory or a stream, how long it is,
// and how it starts over to be sent again.
package body

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"reflect"
)

// Body is the content of a request. The zero value is no body. A copy shares the
// stream with its original.
type Body struct {
	kind   kind
	data   []byte
	reader io.Reader
	seq    iter.Seq2[[]byte, error]
	length int64 // of a stream; -1 when unknown
	start  int64 // where a seekable stream stood when the body was made
	rewind rewindability
}

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
	oneShot      rewindability = iota // iterators and plain readers: sent again, they are empty
	rewindable                        // seekable
	unrewindable                      // has a position which could not be told: sending again fails
)

// streamer is requests.Streamer.
type streamer interface {
	io.Reader
	Len() int64
	Rewind() error
}

// New makes a body of what a caller gave: nil, a string, []byte, a streamer, an
// io.Reader or an iterator over []byte, with errors or without. Empty text and empty
// bytes are no body. Its error is an *Error.
func New(v any) (Body, error) {
	switch v := v.(type) {
	case nil:
		return Body{}, nil
	case string:
		return Bytes([]byte(v)), nil
	case []byte:
		return Bytes(v), nil
	}
	if IsNil(v) {
		return Body{}, fault(Invalid, nil, "Body is a nil %T", v)
	}
	switch v := v.(type) {
	case streamer:
		return Body{kind: fromReader, reader: v, length: v.Len(), rewind: rewindable}, nil
	case iter.Seq[[]byte]:
		return Body{kind: fromSeq, seq: withoutError(v), length: -1}, nil
	case func(yield func([]byte) bool):
		return Body{kind: fromSeq, seq: withoutError(v), length: -1}, nil
	case iter.Seq2[[]byte, error]:
		return Body{kind: fromSeq, seq: v, length: -1}, nil
	case func(yield func([]byte, error) bool):
		return Body{kind: fromSeq, seq: v, length: -1}, nil
	case io.Reader:
		return stream(v)
	}
	return Body{}, fault(Invalid, nil, "Body cannot be of type %T: give a string, []byte, io.Reader or iter.Seq[[]byte], or use JSON or Form", v)
}

// Bytes makes a body of data, which is not copied.
func Bytes(data []byte) Body {
	if len(data) == 0 {
		return Body{}
	}
	return Body{kind: inMemory, data: data, length: int64(len(data))}
}

func withoutError(seq iter.Seq[[]byte]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for chunk := range seq {
			if !yield(chunk, nil) {
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

// Replayable reports whether sending the body again gives the same bytes.
func (b *Body) Replayable() bool {
	switch b.kind {
	case none, inMemory:
		return true
	case fromReader:
		return b.rewind == rewindable
	}
	return false
}

// Restart brings a stream back to where it was first read from. Iterators and plain
// readers stay as they are. Its error is an *Error, Unrewindable.
func (b *Body) Restart() error {
	if b.kind != fromReader {
		return nil
	}
	if b.rewind == unrewindable {
		return fault(Unrewindable, nil, "the body's position could not be told, so it cannot be sent again")
	}
	if b.rewind != rewindable {
		return nil
	}
	var err error
	switch r := b.reader.(type) {
	case streamer:
		err = r.Rewind()
	case io.Seeker:
		_, err = r.Seek(b.start, io.SeekStart)
	}
	if err != nil {
		return fault(Unrewindable, err, "the body cannot be rewound to be sent again")
	}
	return nil
}

// Open returns the body as a reader, from where a stream stands, and what ends the
// reading of an iterator.
func (b *Body) Open() (r io.Reader, stop func()) {
	switch b.kind {
	case inMemory:
		return bytes.NewReader(b.data), func() {}
	case fromReader:
		return b.reader, func() {}
	case fromSeq:
		next, stop := iter.Pull2(b.seq)
		return &seqReader{next: next}, stop
	}
	return bytes.NewReader(nil), func() {}
}

// Items returns the iterator of a body that is made of one, else nil.
func (b *Body) Items() iter.Seq2[[]byte, error] { return b.seq }

// seqReader reads the items of an iterator.
type seqReader struct {
	next func() ([]byte, error, bool)
	rest []byte
}

func (r *seqReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		item, err, ok := r.next()
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, io.EOF
		}
		r.rest = item
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Fault is what is wrong with a body.
type Fault uint8

// The faults.
const (
	Invalid      Fault = iota + 1 // nothing that can be sent
	Unreadable                    // a file that cannot be examined
	Unrewindable                  // it cannot be sent again
	WrongLength                   // more or less than was announced
)

// Error is every error of this package.
type Error struct {
	Fault  Fault
	Detail string
	Err    error // the cause, may be nil
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
