package requests

import (
	"bytes"
	"io"
	"iter"
	"os"
	"reflect"
)

// Streamer is a request body that knows its length and can start over: what the
// toolbelt's multipart encoder is. Read gives its bytes, Len is how many there are in
// all, and Rewind makes it start again for a redirect, a retry or a challenge. If it
// has a WriteTo method, that is what sends it, to a writer that is an [io.ReaderFrom]
// and moves the *os.File in an *[io.LimitedReader] without copying where it can.
type Streamer interface {
	io.Reader
	Len() int64
	Rewind() error
}

// body is the content of a prepared request: bytes in memory, or a stream with
// what is needed to send it again.
type body struct {
	kind   bodyKind
	data   []byte
	reader io.Reader
	seq    iter.Seq2[[]byte, error]
	length int64 // of a stream; -1 when unknown
	start  int64 // where a seekable stream stood when it was prepared
	rewind rewindability
}

type bodyKind uint8

const (
	noBody bodyKind = iota
	bytesBody
	readerBody
	seqBody
)

// rewindability is what Requests records as _body_position.
type rewindability uint8

const (
	oneShot      rewindability = iota // iterators and plain readers: sent again, they are empty
	rewindable                        // seekable
	unrewindable                      // has a position which could not be told: sending again fails
)

// newBody makes the body of what a caller gave. Empty text and empty bytes are no body.
func newBody(v any) (body, error) {
	switch v := v.(type) {
	case nil:
		return body{}, nil
	case string:
		return textBody([]byte(v)), nil
	case []byte:
		return textBody(v), nil
	}
	if isNil(v) {
		return body{}, fail(ErrInvalidBody, "Body is a nil %T", v)
	}
	switch v := v.(type) {
	case Streamer:
		return body{kind: readerBody, reader: v, length: v.Len(), rewind: rewindable}, nil
	case iter.Seq[[]byte]:
		return body{kind: seqBody, seq: withoutError(v), length: -1}, nil
	case func(yield func([]byte) bool):
		return body{kind: seqBody, seq: withoutError(v), length: -1}, nil
	case iter.Seq2[[]byte, error]:
		return body{kind: seqBody, seq: v, length: -1}, nil
	case func(yield func([]byte, error) bool):
		return body{kind: seqBody, seq: v, length: -1}, nil
	case io.Reader:
		return streamBody(v)
	}
	return body{}, fail(ErrInvalidBody, "Body cannot be of type %T: give a string, []byte, io.Reader or iter.Seq[[]byte], or use JSON or Form", v)
}

func textBody(data []byte) body {
	if len(data) == 0 {
		return body{}
	}
	return body{kind: bytesBody, data: data, length: int64(len(data))}
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

// streamBody finds out what a reader can tell about itself.
func streamBody(r io.Reader) (body, error) {
	b := body{kind: readerBody, reader: r, length: -1}
	if seeker, ok := r.(io.Seeker); ok && !isPipe(r) {
		position, err := seeker.Seek(0, io.SeekCurrent)
		if err != nil {
			b.rewind = unrewindable
		} else {
			b.start, b.rewind = position, rewindable
		}
	}
	length, err := remaining(r, b.start, b.rewind == rewindable)
	if err != nil {
		return body{}, err
	}
	b.length = length
	return b, nil
}

// isNil finds the nil pointers and functions that an interface hides.
func isNil(v any) bool {
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return value.IsNil()
	}
	return false
}

// isPipe tells an *os.File that is no regular file: it has a Seek method, but
// neither a position nor a length.
func isPipe(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// remaining returns how many bytes r will give from where it stands, -1 if that
// cannot be known. Len means what remains, as in bytes.Reader; Size and the end
// found by seeking mean the whole.
func remaining(r io.Reader, position int64, seekable bool) (int64, error) {
	switch r := r.(type) {
	case *os.File:
		return fileRemaining(r, position)
	case interface{ Len() int }:
		return int64(r.Len()), nil
	case interface{ Len() int64 }:
		return r.Len(), nil
	case interface{ Size() int64 }:
		return max(r.Size()-position, 0), nil
	}
	if !seekable {
		return -1, nil
	}
	seeker := r.(io.Seeker)
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return -1, nil // a stream that cannot seek is sent chunked
	}
	if _, err := seeker.Seek(position, io.SeekStart); err != nil {
		return 0, wrap(ErrInvalidBody, err, "Body cannot seek back to where it stood")
	}
	return max(end-position, 0), nil
}

func fileRemaining(f *os.File, position int64) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, wrap(ErrFile, err, "Body cannot be examined")
	}
	if info.IsDir() {
		return 0, fail(ErrInvalidBody, "Body is a directory: %s", f.Name())
	}
	if !info.Mode().IsRegular() {
		return -1, nil
	}
	return max(info.Size()-position, 0), nil
}

// restart brings a stream back to where it was first read from. Iterators and
// plain readers stay as they are.
func (b *body) restart() error {
	if b.kind != readerBody {
		return nil
	}
	if b.rewind == unrewindable {
		return fail(ErrUnrewindableBody, "the body's position could not be told, so it cannot be sent again")
	}
	if b.rewind != rewindable {
		return nil
	}
	var err error
	switch r := b.reader.(type) {
	case Streamer:
		err = r.Rewind()
	case io.Seeker:
		_, err = r.Seek(b.start, io.SeekStart)
	}
	return wrap(ErrUnrewindableBody, err, "the body cannot be rewound to be sent again")
}

// replayable reports whether sending the body again gives the same bytes.
func (b *body) replayable() bool {
	switch b.kind {
	case noBody, bytesBody:
		return true
	case readerBody:
		return b.rewind == rewindable
	}
	return false
}

// SetBody replaces the body by bytes and sets Content-Length. Content-Type is
// left alone.
func (p *PreparedRequest) SetBody(data []byte) {
	p.body = textBody(data)
	p.Headers.Del("Transfer-Encoding")
	p.setContentLength()
}

// SetBodyReader replaces the body by a stream, framed as the Body option says.
func (p *PreparedRequest) SetBodyReader(r io.Reader) error {
	b, err := newBody(r)
	if err != nil {
		return err
	}
	p.body = b
	p.frameStream()
	return nil
}

// Body returns the body's bytes if it is in memory (nil, true for no body); a
// streamed body gives nil, false.
func (p *PreparedRequest) Body() (data []byte, ok bool) {
	return p.body.data, p.body.kind <= bytesBody
}

// Streamed returns the reader of a streamed body, nil for every other body.
func (p *PreparedRequest) Streamed() io.Reader { return p.body.reader }

// ContentLength returns the number of bytes the body will have, -1 if unknown.
func (p *PreparedRequest) ContentLength() int64 {
	if p.body.kind == noBody {
		return 0
	}
	return p.body.length
}

// Rewind brings a streamed body back to where it was first read from, for
// sending p again. It is [ErrUnrewindableBody] where that is known to be
// impossible; plain readers and iterators cannot be rewound and stay as they are.
func (p *PreparedRequest) Rewind() error { return p.body.restart() }

// Replayable reports whether p can be sent again with the same body.
func (p *PreparedRequest) Replayable() bool { return p.body.replayable() }

// OpenBody returns the body as a reader, for adapters: from where a stream stands, and
// empty if there is none. The caller must Close it, which ends the reading of an iterator
// and leaves readers open, which are their owners'. Read and Close must not be called at
// the same time.
func (p *PreparedRequest) OpenBody() io.ReadCloser {
	src, stop := p.body.open()
	return &openBody{src, stop}
}

type openBody struct {
	io.Reader
	stop func()
}

func (b *openBody) Close() error {
	b.stop()
	return nil
}

// open returns the body as a reader, and what ends the reading of an iterator.
func (b *body) open() (io.Reader, func()) {
	switch b.kind {
	case bytesBody:
		return bytes.NewReader(b.data), func() {}
	case readerBody:
		return b.reader, func() {}
	case seqBody:
		next, stop := iter.Pull2(b.seq)
		return &seqReader{next: next}, stop
	}
	return bytes.NewReader(nil), func() {}
}

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
