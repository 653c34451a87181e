package body

import (
	"bytes"
	"io"
	"slices"
)

// codedBlock is what a writer of Coded is given at a time.
const codedBlock = 32 << 10

// Coded returns b as a writer writes it that newWriter makes: in memory at once, a stream while it
// is sent, in the content coding of that name. It can be sent again if b can. The absence of a
// body stays that.
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

// code writes b, and gives yield what has come of it, until that wants no more.
func code(b *Body, out *bytes.Buffer, newWriter func(io.Writer) (io.WriteCloser, error), yield func([]byte, error) bool) error {
	src, stop := b.Open()
	defer stop()
	w, err := newWriter(out)
	piece := make([]byte, codedBlock)
	for err == nil {
		var n int
		n, err = src.Read(piece)
		if _, failed := w.Write(piece[:n]); failed != nil {
			return failed
		}
		if err == io.EOF {
			if failed := w.Close(); failed != nil {
				return failed
			}
		}
		if out.Len() > 0 && !yield(out.Bytes(), nil) {
			return nil
		}
		out.Reset()
	}
	if err == io.EOF {
		return nil
	}
	return err
}
