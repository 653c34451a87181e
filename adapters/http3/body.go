package http3

import (
	"io"
	"net/http"
)

// mostEmpty bounds the DATA frames without data between others.
const mostEmpty = 1000

// Read implements [io.Reader].
func (x *exchange) Read(p []byte) (int, error) {
	select {
	case <-x.closed:
		if x.ended == nil {
			return 0, http.ErrBodyReadAfterClose
		}
		return 0, x.ended
	default:
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := x.read(p)
	if err != nil {
		x.conn.violated(err)
		if x.ended = err; err != io.EOF {
			x.ended = x.because(err)
		}
		x.finish()
		x.panicOn()
	}
	return n, x.ended
}

// read reads from the DATA frames.
func (x *exchange) read(p []byte) (int, error) {
	for empty := 0; x.left == 0; empty++ {
		if err := x.nextData(); err != nil {
			return 0, err
		}
		if empty == mostEmpty {
			return 0, ofStream(codeExcessiveLoad, "the server sends empty frames")
		}
	}
	n, err := x.frames.r.Read(p[:min(uint64(len(p)), x.left)])
	x.left -= uint64(n)
	x.received += int64(n)
	if n > 0 && err == io.EOF {
		err = nil // comes again
	}
	return n, unexpected(err)
}

// nextData goes on to the next frame of the body; io.EOF is its end.
func (x *exchange) nextData() error {
	kind, length, err := x.frames.next()
	switch {
	case err == io.EOF && x.length >= 0 && x.received < x.length:
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case kind == frameData && !x.trailed:
		x.frames.unknown, x.frames.ignored = 0, 0
		if x.left = length; x.length >= 0 && length > uint64(x.length-x.received) {
			return ofStream(codeMessage, "the server's body is longer than its Content-Length, %d", x.length)
		}
		return nil
	case kind == frameHeaders && !x.trailed:
		b, err := x.section(length, mostTrailer, true)
		if err == nil {
			x.trailed, x.resp.Trailer = true, header(b.fields)
		}
		return err
	}
	return x.frames.skip(kind, length)
}

// Close implements [io.Closer].
func (x *exchange) Close() error {
	x.finish()
	return nil
}
