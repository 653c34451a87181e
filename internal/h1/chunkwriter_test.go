package h1

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// writes records each write.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

func TestChunkWriter(t *testing.T) {
	var got writes
	c := NewChunkWriter(&got)
	long := strings.Repeat("x", BlockSize)
	for _, part := range []string{"abc", "", "0123456789"} {
		if n, err := io.WriteString(c, part); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if n, err := c.ReadFrom(strings.NewReader(long + "tail")); n != BlockSize+4 || err != nil {
		t.Fatal(n, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	want := writes{"3\r\nabc\r\n", "a\r\n0123456789\r\n", "4000\r\n" + long + "\r\n", "4\r\ntail\r\n", "0\r\n\r\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestChunkWriterErrors(t *testing.T) {
	broken := errors.New("broken")
	var w writes
	if n, err := NewChunkWriter(&w).ReadFrom(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken))); n != 2 || err != broken {
		t.Error(n, err)
	}
	c := NewChunkWriter(failingWriter{0, broken})
	if _, err := c.Write([]byte("a")); err != broken {
		t.Error(err)
	}
	if n, err := c.ReadFrom(strings.NewReader("a")); n != 0 || err != broken {
		t.Error(n, err)
	}
	if err := c.Close(); err != broken {
		t.Error(err)
	}
}

func TestFrameChunk(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 255, 4096, 70000} {
		buf := bytes.Repeat([]byte("d"), ChunkHeadSize+n+2)
		want := string(AppendChunk(nil, buf[ChunkHeadSize:ChunkHeadSize+n]))
		if diff := cmp.Diff(want, string(FrameChunk(buf, n))); diff != "" {
			t.Errorf("%d (-want +got)\n%s", n, diff)
		}
	}
}
