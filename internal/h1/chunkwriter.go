package h1

import (
	"io"
	"strconv"
)

// ChunkHeadSize is how many bytes FrameChunk needs before the data, for the largest size and CRLF; after it, it needs 2.
const ChunkHeadSize = 18

// LastChunk ends a chunked body without trailers.
const LastChunk = "0\r\n\r\n"

// AppendChunk appends p as one chunk, its size in lower-case hex. An empty p, which would end the body, is skipped.
func AppendChunk(dst, p []byte) []byte {
	if len(p) == 0 {
		return dst
	}
	dst = strconv.AppendInt(dst, int64(len(p)), 16)
	dst = append(dst, "\r\n"...)
	dst = append(dst, p...)
	return append(dst, "\r\n"...)
}

// FrameChunk makes a chunk of the n bytes in buf[ChunkHeadSize:ChunkHeadSize+n] without moving them, and returns the part
// of buf to write: so a file read into buf goes out in one write. buf must be ChunkHeadSize+n+2 long; n = 0 gives nothing.
func FrameChunk(buf []byte, n int) []byte {
	if n == 0 {
		return nil
	}
	var size [ChunkHeadSize]byte
	head := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	start := ChunkHeadSize - len(head)
	copy(buf[start:], head)
	copy(buf[ChunkHeadSize+n:], "\r\n")
	return buf[start : ChunkHeadSize+n+2]
}

// BlockSize is the size of the chunks in which ChunkWriter.ReadFrom sends a reader: that of Requests.
const BlockSize = 16384

// ChunkWriter writes a chunked body to an underlying writer: each Write is one chunk and one write below.
// Close ends the body; it does not close the underlying writer.
type ChunkWriter struct {
	w   io.Writer
	buf []byte
}

// NewChunkWriter returns a ChunkWriter onto w.
func NewChunkWriter(w io.Writer) *ChunkWriter { return &ChunkWriter{w: w} }

// Write sends p as one chunk; an empty p is skipped.
func (c *ChunkWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.buf = AppendChunk(c.buf[:0], p)
	if _, err := c.w.Write(c.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// ReadFrom sends src to its end, one chunk for each read of up to BlockSize bytes.
func (c *ChunkWriter) ReadFrom(src io.Reader) (total int64, err error) {
	const size = ChunkHeadSize + BlockSize + 2
	if cap(c.buf) < size {
		c.buf = make([]byte, size)
	}
	buf := c.buf[:size]
	for {
		n, err := src.Read(buf[ChunkHeadSize : ChunkHeadSize+BlockSize])
		if n > 0 {
			if _, err := c.w.Write(FrameChunk(buf, n)); err != nil {
				return total, err
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// Close sends the last chunk.
func (c *ChunkWriter) Close() error {
	_, err := io.WriteString(c.w, LastChunk)
	return err
}
