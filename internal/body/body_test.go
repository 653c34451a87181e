package body

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pieces is what Send writes to.
type pieces struct{ bytes.Buffer }

func (p *pieces) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(&p.Buffer, struct{ io.Reader }{r})
}

type plain struct{ io.Reader }

// steps are the ways to read a body, each of the whole of it.
var steps = map[string]func(b *Body) (string, error){
	"Send": func(b *Body) (string, error) {
		var to pieces
		err := b.Send(&to)
		return to.String(), err
	},
	"Open": func(b *Body) (string, error) {
		r, stop := b.Open()
		defer stop()
		data, err := io.ReadAll(r)
		return string(data), err
	},
}

// TestAgain: what can be read again is whole each time, and the rest is an error the second
// time, never nothing.
func TestAgain(t *testing.T) {
	for name, c := range map[string]struct {
		given  func() any
		length int64
		again  bool
	}{
		"nil":            {func() any { return nil }, 0, true},
		"string":         {func() any { return "data" }, 4, true},
		"bytes":          {func() any { return []byte("data") }, 4, true},
		"bytes.Buffer":   {func() any { return bytes.NewBufferString("data") }, 4, true},
		"strings.Reader": {func() any { return strings.NewReader("data") }, 4, true},
		"section":        {func() any { return io.NewSectionReader(strings.NewReader("<data>"), 1, 4) }, 4, true},
		"reader":         {func() any { return plain{strings.NewReader("data")} }, -1, false},
		"iterator":       {func() any { return iter.Seq[string](func(yield func(string) bool) { yield("data") }) }, -1, false},
		"stream":         {func() any { return Stream(strings.NewReader("data"), 4, nil) }, 4, false},
	} {
		for first, read := range steps {
			for second, readAgain := range steps {
				b, err := New(c.given())
				if err != nil {
					t.Fatal(err)
				}
				want := "data"
				if name == "nil" {
					want = ""
				}
				text, err := read(&b)
				if text != want || err != nil || b.Len() != c.length || b.Replayable() != c.again {
					t.Errorf("%s, %s: %q, %v, length %d, replayable %v", name, first, text, err, b.Len(), b.Replayable())
				}
				text, err = readAgain(&b)
				var fault *Error
				if c.again && (text != want || err != nil) || !c.again && (text != "" || !errors.As(err, &fault) || fault.Fault != Unrewindable) {
					t.Errorf("%s, %s, then %s: %q, %v", name, first, second, text, err)
				}
				if err := b.Restart(); (err == nil) != c.again {
					t.Errorf("%s: Restart: %v", name, err)
				}
			}
		}
	}
}

// TestUnread: a body that nobody has read yet can be started over, whatever it is.
func TestUnread(t *testing.T) {
	b, err := New(plain{strings.NewReader("data")})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Restart(); err != nil {
		t.Error(err)
	}
	if text, err := steps["Open"](&b); text != "data" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// TestRefused: what cannot be a body.
func TestRefused(t *testing.T) {
	var got []Fault
	for _, v := range []any{7, (*bytes.Buffer)(nil), make(chan int), iter.Seq[string](nil), map[string]string{}} {
		_, err := New(v)
		var fault *Error
		if !errors.As(err, &fault) {
			t.Errorf("%T: %v", v, err)
			continue
		}
		got = append(got, fault.Fault)
	}
	if diff := cmp.Diff([]Fault{Invalid, Invalid, Invalid, Invalid, Invalid}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// claimed is a reader that says how much it has.
type claimed struct {
	io.Reader
	n int
}

func (c claimed) Len() int { return c.n }

// TestLength: a reader in memory knows that it is empty, of another that says so the length is not known.
func TestLength(t *testing.T) {
	empty, err := os.Create(filepath.Join(t.TempDir(), "empty"))
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	for name, tt := range map[string]struct {
		value any
		want  int64
	}{
		"strings.Reader": {strings.NewReader(""), 0},
		"bytes.Buffer":   {new(bytes.Buffer), 0},
		"three":          {claimed{strings.NewReader("abc"), 3}, 3},
		"none":           {claimed{strings.NewReader("abc"), 0}, -1},
		"negative":       {claimed{strings.NewReader("abc"), -1}, -1},
		"a file":         {empty, -1},
	} {
		b, err := New(tt.value)
		if err != nil || b.Len() != tt.want {
			t.Errorf("%s: %d, %v, want %d", name, b.Len(), err, tt.want)
		}
	}
}

// counting is a Sink that counts, and calls written after each write.
type counting struct {
	n       int64
	written func(n int64)
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	if c.written != nil {
		c.written(c.n)
	}
	return len(p), nil
}

func (c *counting) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

// TestGrown: of a file that goes on where it was said to end, the end is not sent: what has all that was announced
// would be taken for the whole. It makes no difference when the file grows.
func TestGrown(t *testing.T) {
	for _, size := range []int64{1, 100, 1 << 10, 1<<10 + 1, 200 << 10} {
		for _, grown := range []int64{0, 1, 5000} {
			for _, when := range []string{"before", "while it is sent"} {
				name := filepath.Join(t.TempDir(), "file")
				f, err := os.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := f.Truncate(size); err != nil {
					t.Fatal(err)
				}
				b, err := New(f)
				if err != nil {
					t.Fatal(err)
				}
				grow := func(int64) { _ = os.Truncate(name, size+grown) }
				sink := &counting{}
				if when == "before" {
					grow(0)
				} else {
					sink.written = grow
				}
				err = b.Send(sink)
				long := grown > 0 && (when == "before" || size > EndSize)
				if (err != nil) != long || (sink.n == size) == long {
					t.Errorf("%d bytes, %d more %s: %d were sent, %v", size, grown, when, sink.n, err)
				}
			}
		}
	}
}
