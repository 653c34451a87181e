package progress

import "io"

// reader tells a bar what has been read.
type reader struct {
	r    io.Reader
	bar  *Bar
	done int64
	size int64
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.done += int64(n)
	r.bar.report(r.done, r.size)
	return n, err
}

// sizedReader knows what is left, which gives a request its Content-Length.
type sizedReader struct{ reader }

// Len returns how many bytes are left.
func (r *sizedReader) Len() int64 { return max(r.size-r.done, 0) }
