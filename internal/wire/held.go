package wire

import (
	"io"
	"slices"
)

// Held is a body that has been read before: Content, and then how that had ended.
type Held struct {
	Content []byte
	Cut     error       // where it was cut short; nil for a good end
	Fields  [][2]string // behind the body

	offset int
}

// Read implements [io.Reader].
func (h *Held) Read(p []byte) (int, error) {
	if h.offset == len(h.Content) {
		if h.Cut != nil {
			return 0, h.Cut
		}
		return 0, io.EOF
	}
	n := copy(p, h.Content[h.offset:])
	h.offset += n
	return n, nil
}

// Close implements [io.Closer].
func (h *Held) Close() error { return nil }

// Remaining is what is left, -1 of a body that was cut short.
func (h *Held) Remaining() int64 {
	if h.Cut != nil {
		return -1
	}
	return int64(len(h.Content) - h.offset)
}

// Trailers are the fields behind the body, once it has been read to its end: a copy, as
// another body may have the same.
func (h *Held) Trailers() [][2]string {
	if h.offset < len(h.Content) {
		return nil
	}
	return slices.Clone(h.Fields)
}

// Resume returns rc from its beginning, of which ahead has been read already. It comes without the
// borders of chunks.
func Resume(ahead []byte, rc io.ReadCloser) Stream { return &resumed{StreamOf(rc), ahead} }

type resumed struct {
	Stream
	ahead []byte
}

// Read implements [io.Reader].
func (r *resumed) Read(p []byte) (int, error) {
	if len(r.ahead) == 0 {
		return r.Stream.Read(p)
	}
	n := copy(p, r.ahead)
	r.ahead = r.ahead[n:]
	return n, nil
}

// WriteTo implements [io.WriterTo].
func (r *resumed) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(r.ahead)
	r.ahead = r.ahead[n:]
	if err != nil {
		return int64(n), err
	}
	if len(r.ahead) > 0 {
		return int64(n), io.ErrShortWrite
	}
	rest, err := r.Stream.WriteTo(w)
	return int64(n) + rest, err
}

// Remaining counts what has been read ahead, too.
func (r *resumed) Remaining() int64 {
	n := r.Stream.Remaining()
	if n < 0 {
		return n
	}
	return n + int64(len(r.ahead))
}

// Chunked is false.
func (r *resumed) Chunked() bool { return false }

// ChunkRemaining is 0.
func (r *resumed) ChunkRemaining() int64 { return 0 }
