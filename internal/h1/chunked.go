package h1

import (
	"io"
	"math"

	"github.com/mountable/requests/internal/ascii"
)

// nextChunk reads up to the data of the next chunk, or through the trailer section after the last one, which is
// io.EOF (RFC 9112 section 7.1).
func (b *Body) nextChunk() error {
	if b.inChunks {
		if end, err := b.r.line(0); err != nil || len(end) > 0 {
			return b.chunkFault(err, "data is not followed by CRLF")
		}
	}
	line, err := b.r.line(b.chunkLine)
	if err != nil {
		return b.chunkFault(err, "bad size line")
	}
	size, extension, ok := parseChunkLine(line)
	if !ok {
		return fault(BadChunk, excerpt(string(line)))
	}
	if size == 0 {
		return b.readTrailers()
	}
	b.inChunks, b.left = true, size
	b.surplus = int(max(0, int64(b.surplus+extension)-size))
	if b.surplus > 4*b.chunkLine {
		return fault(BadChunk, "too many extensions")
	}
	return nil
}

// chunkFault tells a source which ended or failed from bytes that are wrong.
func (b *Body) chunkFault(err error, detail string) error {
	if err == nil || err == errLimit || err == errLineEnd {
		return fault(BadChunk, detail)
	}
	return readFault(BodyTruncated, err)
}

// parseChunkLine parses hex digits, and an extension after blanks and a semicolon, of which nothing is used.
func parseChunkLine(line []byte) (size int64, extension int, ok bool) {
	digits := 0
	for digits < len(line) {
		d := hexDigits[line[digits]]
		if d == 0 {
			break
		}
		if size > math.MaxInt64>>4 {
			return 0, 0, false
		}
		size = size<<4 | int64(d-1)
		digits++
	}
	rest := line[digits:]
	for len(rest) > 0 && ascii.IsBlank(rest[0]) {
		rest = rest[1:]
	}
	ok = digits > 0 && (len(rest) == 0 || rest[0] == ';' && !hasControl(string(rest)))
	return size, len(line) - digits, ok
}

// hexDigits maps a hexadecimal digit to its value and 1.
var hexDigits = func() (t [256]uint8) {
	for i := range uint8(16) {
		t["0123456789abcdef"[i]], t["0123456789ABCDEF"[i]] = i+1, i+1
	}
	return t
}()

// readTrailers reads the trailer section. Like a head it may have LF line ends; unlike a head's its fields mean
// nothing to the framing (RFC 9110 section 6.5.1).
func (b *Body) readTrailers() error {
	lim := b.lim.orDefaults()
	n, err := b.r.block(lim.TrailerBytes, "")
	if err == errLimit {
		return fault(TrailersTooLarge, "")
	} else if err != nil {
		return readFault(BodyTruncated, err)
	}
	if n <= len("\r\n") {
		b.r.take(n)
		return io.EOF
	}
	trailers, bad := parseFields(nil, string(b.r.take(n)), &lim)
	if bad != nil {
		if bad.Code == BadHeader {
			return fault(BadTrailer, bad.Detail)
		}
		return fault(TrailersTooLarge, bad.Detail)
	}
	b.trailers = trailers
	return io.EOF
}
