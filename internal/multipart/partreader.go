package multipart

import (
	"bufio"
	"bytes"
	"io"
)

// maxHead bounds the header block of a streamed part, and the preamble in search of its empty line.
const maxHead = 64 << 10

// PartReader takes a body apart as SplitParts does, while it arrives. It keeps a few KiB in memory, whatever the size of
// the parts. It reads to the end of the body, closes nothing, and is not safe for concurrent use.
type PartReader struct {
	src   *bufio.Reader
	delim []byte
	first bool          // the next piece is the first
	cur   *StreamedPart // the part being read
	ended bool          // the current piece was read to its end
	err   error         // sticky; io.EOF after the last piece
}

// StreamedPart is a part whose content is read from the body. It ends with io.EOF, and is empty once
// PartReader.Next was called again.
type StreamedPart struct {
	RawPart // Content is nil
	r       *PartReader
}

// NewPartReader returns a reader of the parts of a body.
func NewPartReader(body io.Reader, boundary string) *PartReader {
	delim := []byte("\r\n--" + boundary)
	return &PartReader{
		src:   bufio.NewReaderSize(body, max(4096, 2*len(delim)+dropWindow)),
		delim: delim,
		first: true,
		ended: true,
	}
}

// Next skips what is left of the current part and returns the next one, or io.EOF after the last. A part without an
// empty line, or with a header of more than 64 KiB, is ErrNoBlankLine; errors of the body come as they are.
// After an error it keeps returning it.
func (r *PartReader) Next() (*StreamedPart, error) {
	for {
		if r.skipPiece(); r.err != nil {
			return nil, r.err
		}
		if r.ended = false; r.startPiece() {
			continue
		}
		head, err := r.readHead()
		if err != nil {
			r.err = err
			return nil, err
		}
		r.cur = &StreamedPart{RawPart: RawPart{Head: trimHead(head)}, r: r}
		return r.cur, nil
	}
}

// skipPiece reads the current piece to its end.
func (r *PartReader) skipPiece() {
	r.cur = nil
	for !r.ended && r.err == nil {
		data, _ := r.ready()
		r.src.Discard(len(data))
	}
}

// dropWindow is how much of a piece tells whether it is dropped.
const dropWindow = 5

// startPiece looks at the start of a piece and tells whether to drop it.
func (r *PartReader) startPiece() (drop bool) {
	start, _ := r.src.Peek(dropWindow + len(r.delim))
	if i := bytes.Index(start, r.delim); i >= 0 {
		start = start[:i]
	}
	if dropped(start[:min(len(start), dropWindow)]) {
		return true
	}
	if r.first && bytes.HasPrefix(start, r.delim[2:]) {
		r.src.Discard(len(r.delim) - 2)
	}
	r.first = false
	return false
}

func (r *PartReader) readHead() ([]byte, error) {
	blank := []byte("\r\n\r\n")
	var head []byte
	const most = len("\r\n") + maxHead // the delimiter's line ends first
	for len(head) < most+len(blank) {
		data, err := r.ready()
		if err == io.EOF {
			return nil, ErrNoBlankLine
		}
		if err != nil {
			return nil, err
		}
		from, seen := max(0, len(head)-len(blank)+1), len(head)
		head = append(head, data...)
		if i := bytes.Index(head[from:], blank); from+i > most {
			break
		} else if i >= 0 {
			r.src.Discard(from + i + len(blank) - seen)
			return head[:from+i], nil
		}
		r.src.Discard(len(data))
	}
	return nil, ErrNoBlankLine
}

// Read implements io.Reader for the content of the part.
func (p *StreamedPart) Read(b []byte) (int, error) {
	if p.r.cur != p {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	data, err := p.r.ready()
	n := copy(b, data)
	p.r.src.Discard(n)
	return n, err
}

// ready returns the bytes of the current piece that are at hand, at least one, without consuming them; io.EOF at its end.
func (r *PartReader) ready() ([]byte, error) {
	if r.ended {
		return nil, io.EOF
	}
	if r.err != nil {
		return nil, r.err
	}
	data, err := r.src.Peek(max(len(r.delim), r.src.Buffered()))
	switch i := bytes.Index(data, r.delim); {
	case i > 0:
		return data[:i], nil
	case i == 0:
		r.src.Discard(len(r.delim))
		r.ended, r.first = true, false
		return nil, io.EOF
	case err == nil:
		return data[:len(data)-len(r.delim)+1], nil
	case len(data) > 0:
		return data, nil // no delimiter can follow; the error comes next
	}
	r.ended, r.err = err == io.EOF, err
	return nil, err
}
