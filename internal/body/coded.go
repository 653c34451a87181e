package body

import (
	"bytes"
	"io"
	"slices"
)

// codedBlock is what a writer of Coded is given at a time.
const codedBlock = 32 << 10

// Coded returns b as a writer writes it that newWriter makes: in memory at once, a stream while it
// is sent, in the content coding of that name. It can be sent again if b can. A stream of another length
// than b has is a LengthError. The absence of a body stays that.
func Coded(b Body, name string, newWriter func(io.Writer) (io.WriteCloser, error)) (Body, error) {
	coding := uint8(max(slices.Index(codings[:], name), 0))
	if !b.Streamed() {
		var out bytes.Buffer
		w, err := newWriter(&out)
		if err != nil || b.None() {
			return b, err
		}
		if _, err = w.Write(b.data); err == nil {
			err = w.Close()
		}
		c := Bytes(out.Bytes())
		c.coding = coding
		return c, err
	}
	if _, err := newWriter(io.Discard); err != nil {
		return b, err
	}
	c := sequence(func(yield func([]byte, error) bool) {
		var out bytes.Buffer
		if err := code(&b, &out, newWriter, yield); err != nil {
			yield(nil, err)
		}
	})
	c.coding = coding
	if b.Replayable() {
		c.rewind, c.again = rewindable, b.Restart
	}
	return c, nil
}

// code writes b, and gives yield what has come of it, until that wants no more. It asks after every
// piece, of which nothing may have come yet, so that b is read no further than it has to be.
func code(b *Body, out *bytes.Buffer, newWriter func(io.Writer) (io.WriteCloser, error), yield func([]byte, error) bool) error {
	src, stop := b.Open()
	defer stop()
	w, err := newWriter(out)
	piece := make([]byte, codedBlock)
	for read := int64(0); err == nil; {
		var n int
		n, err = src.Read(piece)
		read += int64(n)
		if failed := b.lengthFault(read, err == io.EOF); failed != nil {
			return failed
		}
		if _, failed := w.Write(piece[:n]); failed != nil {
			return failed
		}
		if err == io.EOF {
			if failed := w.Close(); failed != nil {
				return failed
			}
		}
		if !yield(out.Bytes(), nil) {
			return nil
		}
		out.Reset()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// lengthFault says of a stream of which so much has been read that it is not as long as it was said to be. A stream
// that says 0 may not know.
func (b *Body) lengthFault(read int64, ended bool) error {
	switch {
	case b.length > 0 && read > b.length:
		return LengthError("the body is longer than the %d bytes that it had when it was given", b.length)
	case ended && read < b.length:
		return LengthError("the body ended after %d bytes of the %d that it had when it was given", read, b.length)
	}
	return nil
}
