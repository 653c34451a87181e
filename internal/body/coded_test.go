package body

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func gzipped(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }

// TestCoded: every kind of body is coded, and sent again where it could be.
func TestCoded(t *testing.T) {
	text := strings.Repeat("some text ", 20000)
	pieces := func(yield func(string) bool) {
		for piece := range slices.Chunk([]byte(text), 1000) {
			if !yield(string(piece)) {
				return
			}
		}
	}
	for name, c := range map[string]struct {
		given any
		again bool
	}{
		"text": {text, true}, "seekable": {strings.NewReader(text), true}, "one shot": {iotest.HalfReader(strings.NewReader(text)), false}, "iterator": {pieces, false},
	} {
		b, err := New(c.given)
		if err != nil {
			t.Fatal(err)
		}
		coded, err := Coded(b, "gzip", gzipped)
		if err != nil || coded.Replayable() != c.again {
			t.Fatalf("%s: %v, replayable %v", name, err, coded.Replayable())
		}
		for range map[bool]int{false: 1, true: 2}[c.again] {
			r, stop := coded.Open()
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); string(got) != text || err != nil {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			stop()
			if err := coded.Restart(); (err == nil) != c.again {
				t.Errorf("%s: restart: %v", name, err)
			}
		}
	}
}

// TestCodedLeft: a stream that is given up is let go of, an error of its reader is that of the
// body, and one that newWriter refuses is not read.
func TestCodedLeft(t *testing.T) {
	stopped := false
	endless := func(yield func([]byte) bool) {
		defer func() { stopped = true }()
		for i := 0; yield(bytes.Repeat([]byte{byte(i), byte(i * 7)}, 1000)); i++ {
		}
	}
	b, _ := New(endless)
	coded, _ := Coded(b, "gzip", gzipped)
	r, stop := coded.Open()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if stop(); !stopped {
		t.Error("the iterator goes on")
	}
	broken := errors.New("broken")
	b, _ = New(iotest.ErrReader(broken))
	coded, _ = Coded(b, "gzip", gzipped)
	r, stop = coded.Open()
	if _, err := io.ReadAll(r); err != broken {
		t.Error(err)
	}
	stop()
	refuse := func(io.Writer) (io.WriteCloser, error) { return nil, broken }
	for _, given := range []any{"text", strings.NewReader("text"), nil} {
		b, _ := New(given)
		if _, err := Coded(b, "gzip", refuse); err != broken {
			t.Errorf("%v: %v", given, err)
		}
	}
}
