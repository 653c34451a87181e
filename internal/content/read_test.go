package content

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// TestReadAll: a body of known length comes whole, whatever its length, and what it
// announces is allocated only as far as it comes.
func TestReadAll(t *testing.T) {
	whole := make([]byte, maxAhead+firstPart+3)
	for i := range whole {
		whole[i] = byte(i >> 8)
	}
	for _, n := range []int{0, 1, firstPart, maxAhead, maxAhead + 1, len(whole)} {
		got, err := readAll(bytes.NewReader(whole[:n]), int64(n))
		if err != nil || !bytes.Equal(got, whole[:n]) {
			t.Errorf("of %d bytes %d came, error %v", n, len(got), err)
		}
	}
	for _, tt := range []struct{ comes, announced, most int64 }{
		{1, maxAhead, maxAhead},
		{1, 1 << 40, firstPart},
		{firstPart, 1 << 40, firstPart * (1 + growth)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readAll(bytes.NewReader(whole[:tt.comes]), tt.announced)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; err != io.ErrUnexpectedEOF || used > uint64(tt.most)+1<<20 {
			t.Errorf("%d bytes of %d: error %v, %d bytes allocated, want at most %d", tt.comes, tt.announced, err, used, tt.most)
		}
	}
}

// TestReadAllKeepsTheLastError: a body of known length that fails with its last byte has
// failed, as where its digest is wrong; one that ends with it has not.
func TestReadAllKeepsTheLastError(t *testing.T) {
	for _, n := range []int{1, 5, firstPart, maxAhead + 1} {
		for _, last := range []error{io.EOF, io.ErrClosedPipe} {
			src := &endsWith{n, last}
			want := last
			if last == io.EOF {
				want = nil
			}
			if _, err := readAll(src, int64(n)); err != want {
				t.Errorf("%d bytes with %v: error %v, want %v", n, last, err, want)
			}
		}
	}
}

// endsWith has left bytes, and err with the last one.
type endsWith struct {
	left int
	err  error
}

func (e *endsWith) Read(p []byte) (int, error) {
	n := min(len(p), e.left)
	if e.left -= n; e.left > 0 {
		return n, nil
	}
	err := e.err
	e.err = io.EOF
	return n, err
}
