package coding

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func crc16(p []byte) uint16 { return uint16(crc32.ChecksumIEEE(p)) }

// TestFlush: what the server flushed comes out while the connection stays open
// and silent. The source blocks for ever (here: fails) when asked for more.
func TestFlush(t *testing.T) {
	silent := errors.New("would block")
	for name, encoder := range encoders {
		var coded bytes.Buffer
		w := encoder(&coded)
		src := &growing{err: silent}
		r, err := NewReader(src, []string{header(name)}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			want := text(10 + 3000*i)
			if _, err := w.Write(want); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			src.Buffer.Write(coded.Bytes())
			coded.Reset()
			got := make([]byte, len(want))
			if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(want, got) {
				t.Errorf("%s, flush %d: %v", name, i, err)
				break
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

type growing struct {
	bytes.Buffer
	err error
}

func (g *growing) Read(p []byte) (int, error) {
	if g.Len() == 0 {
		return 0, g.err
	}
	return g.Buffer.Read(p)
}

// TestDataBeforeChecksum: the last data does not wait for the trailer.
func TestDataBeforeChecksum(t *testing.T) {
	silent := errors.New("would block")
	for name, trailer := range map[string]int{"gzip": 8, "deflate": 4, "raw": 0} {
		coded := encode(t, name, []byte("hello"))
		src := io.MultiReader(bytes.NewReader(coded[:len(coded)-trailer]), iotest.ErrReader(silent))
		r, _ := NewReader(src, []string{header(name)}, Limits{})
		got := make([]byte, 5)
		if _, err := io.ReadFull(r, got); err != nil || string(got) != "hello" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		r.Close()
	}
}

// TestRule27Bombs: the ratio holds at every layer and for what is thrown away.
func TestRule27Bombs(t *testing.T) {
	const large, small = 40 << 20, 1 << 20
	tests := []struct {
		name  string
		lim   Limits
		chain []string
		size  int
		want  int64 // decoded bytes handed out
		err   error
	}{
		{"ratio", Limits{RatioFloor: 1 << 20}, []string{"gzip"}, large, 0, ErrTooLarge},
		{"default floor", Limits{}, []string{"gzip"}, large, 0, ErrTooLarge},
		{"below the floor", Limits{RatioFloor: 64 << 20}, []string{"gzip"}, large, large, nil},
		{"no limits", Limits{MaxRatio: Unlimited}, []string{"zstd"}, small, small, nil},
		{"size", Limits{MaxDecoded: 12345, MaxRatio: -1}, []string{"br"}, small, 12345, ErrTooLarge},
		{"exact size", Limits{MaxDecoded: small, MaxRatio: -1}, []string{"br"}, small, small, nil},
		{"bomb in a bomb", Limits{RatioFloor: 1 << 20}, []string{"gzip", "gzip"}, large, 0, ErrTooLarge},
	}
	bombs := map[string][]byte{} // making them is what takes time
	for _, tt := range tests {
		key := fmt.Sprint(tt.chain, tt.size)
		coded, made := bombs[key]
		if !made {
			coded = make([]byte, tt.size)
			for _, name := range tt.chain {
				coded = encode(t, name, coded)
			}
			bombs[key] = coded
		}
		r, err := NewReader(bytes.NewReader(coded), tt.chain, tt.lim)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if !errors.Is(err, tt.err) || tt.err == nil && n != tt.want || tt.lim.MaxDecoded > 0 && n != tt.want {
			t.Errorf("%s: %d bytes, error %v", tt.name, n, err)
		}
		if floor := max(tt.lim.RatioFloor, 32<<20); tt.err != nil && n > floor {
			t.Errorf("%s: %d bytes before the error", tt.name, n)
		}
		r.Close()
	}
}

// TestRule27HiddenBomb: output of an inner coding that the outer one ignores
// as garbage counts as well.
func TestRule27HiddenBomb(t *testing.T) {
	inner := join(encode(t, "gzip", []byte("small")), make([]byte, 8<<20))
	coded := encode(t, "gzip", inner)
	_, err := decode(bytes.NewReader(coded), Limits{RatioFloor: 1 << 20}, "gzip, gzip")
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v, want %v", err, ErrTooLarge)
	}
}

func TestClose(t *testing.T) {
	for name := range encoders {
		r, err := NewReader(bytes.NewReader(encode(t, name, text(1000))), []string{header(name)}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var p [10]byte
		if _, err := r.Read(p[:]); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Error(err)
		}
		if _, err := r.Read(p[:]); err != ErrClosed {
			t.Errorf("%s: Read after Close: %v", name, err)
		}
	}
}

// TestCloseWhileReading: Close neither waits for a blocked Read nor takes its
// decoder away.
func TestCloseWhileReading(t *testing.T) {
	for name := range encoders {
		pr, pw := io.Pipe()
		r, _ := NewReader(pr, []string{header(name)}, Limits{})
		done := make(chan error)
		go func() {
			_, err := io.ReadAll(r)
			done <- err
		}()
		coded := encode(t, name, text(1000))
		pw.Write(coded[:20])
		r.Close()
		pw.CloseWithError(ErrClosed)
		if err := <-done; err != ErrClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRule32Pool: many readers at once, closed early, late, twice: every body
// is its own.
func TestRule32Pool(t *testing.T) {
	bodies := map[string][]byte{}
	for name := range encoders {
		bodies[name] = encode(t, name, append([]byte(name), text(20_000)...))
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for name, coded := range bodies {
				r, _ := NewReader(iotest.HalfReader(bytes.NewReader(coded)), []string{header(name)}, Limits{})
				if i%2 == 1 {
					io.CopyN(io.Discard, r, 100)
					r.Close()
					go r.Close()
					continue
				}
				got, err := io.ReadAll(r)
				if want := append([]byte(name), text(20_000)...); err != nil || !bytes.Equal(want, got) {
					t.Errorf("%s: %d bytes, %v", name, len(got), err)
				}
				r.Close()
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	for name := range encoders {
		coded := encode(f, name, text(300))
		f.Add(header(name), coded)
		f.Add(header(name), coded[:len(coded)/2])
		f.Add(header(name), join(coded, coded))
	}
	f.Add("gzip, br, foo", []byte("x"))
	f.Fuzz(func(t *testing.T, codings string, data []byte) {
		lim := Limits{MaxDecoded: 1 << 20}
		whole, err1 := decode(bytes.NewReader(data), lim, codings)
		pieces, err2 := decode(iotest.OneByteReader(bytes.NewReader(data)), lim, codings)
		if diff := cmp.Diff(err1 == nil, err2 == nil); diff != "" {
			t.Errorf("whole: %v, byte by byte: %v", err1, err2)
		}
		if err1 == nil && !bytes.Equal(whole, pieces) {
			t.Errorf("whole: %d bytes, byte by byte: %d bytes", len(whole), len(pieces))
		}
	})
}
