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

// TestCodedLength: a stream has the length that it was given with, or is an error; one that does not know may give anything.
func TestCodedLength(t *testing.T) {
	for length, want := range map[int]bool{-1: true, 0: true, 3: false, 4: true, 5: false} {
		b, _ := New(sized{strings.NewReader("data"), length})
		coded, _ := Coded(b, "gzip", gzipped)
		r, stop := coded.Open()
		_, err := io.ReadAll(r)
		stop()
		if e, ok := errors.AsType[*Error](err); (err == nil) != want || !want && (!ok || e.Fault != WrongLength) {
			t.Errorf("4 bytes where %d were said: %v", length, err)
		}
	}
}

type sized struct {
	io.Reader
	length int
}

func (s sized) Len() int { return s.length }

// TestCodedGivesNothing: a reader that gives nothing is asked again only while somebody wants the body.
func TestCodedGivesNothing(t *testing.T) {
	r := &emptyReads{}
	b, _ := New(r)
	coded, _ := Coded(b, "gzip", gzipped)
	for item, err := range coded.seq {
		if err != nil {
			t.Errorf("%d bytes, %v", len(item), err)
		}
		if r.asked >= 3 {
			break
		}
	}
	if r.asked != 3 {
		t.Errorf("asked %d times", r.asked)
	}
}

type emptyReads struct{ asked int }

func (r *emptyReads) Read([]byte) (int, error) {
	if r.asked++; r.asked > 10 {
		return 0, io.ErrNoProgress
	}
	return 0, nil
}
