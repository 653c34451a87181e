package requests

import (
	"io"
	"iter"

	"github.com/mountable/requests/internal/charset"
)

// lineBlock is how much Lines reads at a time.
const lineBlock = 8 << 10

// Chunks iterates over the decoded body in pieces of size bytes, the last one
// shorter; a chunked body also ends a piece at each of its chunks. A negative
// size gives what a chunk holds, or everything where the length is known; zero
// gives nothing. Each piece is valid until the next. Leaving the loop early
// closes the response. A body in memory is sliced from its beginning, zero
// and negative giving all of it; one that was streamed before is
// [ErrStreamConsumed].
func (r *Response) Chunks(size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if r.isInMemory() {
			yieldSlices(r.state().content, size, yield)
			return
		}
		if err := r.startLoop(); err != nil {
			yield(nil, err)
			return
		}
		defer r.Close()
		for {
			chunk, err := r.ReadChunk(size)
			if err == io.EOF || !yield(chunk, err) || err != nil {
				return
			}
		}
	}
}

// startLoop is start for a loop over what is left: a body that is spent is an error.
func (r *Response) startLoop() error {
	_, err := r.start()
	if err == io.EOF {
		return r.consumedError()
	}
	return err
}

func yieldSlices(content []byte, size int, yield func([]byte, error) bool) {
	if size <= 0 {
		size = len(content)
	}
	for len(content) > 0 {
		n := min(size, len(content))
		if !yield(content[:n:n], nil) {
			return
		}
		content = content[n:]
	}
}

// ReadChunk returns the next piece that [Response.Chunks] would give, and io.EOF
// after the last.
func (r *Response) ReadChunk(size int) ([]byte, error) {
	src, err := r.start()
	switch {
	case err != nil:
		return nil, err
	case r.isInMemory():
		return r.state().slice(size)
	case size == 0:
		return nil, io.EOF
	}
	chunk, err := r.nextChunk(src, size)
	if err = r.ended(err); err == io.EOF && len(chunk) > 0 {
		return chunk, nil
	}
	if err != nil {
		return nil, err
	}
	return chunk, nil
}

// slice returns the next piece of content. After the last it starts over.
func (b *responseBody) slice(size int) ([]byte, error) {
	rest := b.content[b.offset:]
	if len(rest) == 0 {
		b.offset = 0
		return nil, io.EOF
	}
	if size > 0 && size < len(rest) {
		rest = rest[:size]
	}
	b.offset += len(rest)
	return rest, nil
}

// nextChunk reads one piece: up to size bytes, or as it comes.
func (r *Response) nextChunk(src io.Reader, size int) ([]byte, error) {
	if r.state().stream.Chunked() {
		return r.wireChunk(src, size)
	}
	if size < 0 {
		rest, err := readAll(src, r.expected(src))
		if err == nil {
			err = io.EOF
		}
		return rest, err
	}
	n, err := fill(src, r.state().room(size))
	return r.state().buffer[:n], err
}

// wireChunk reads one piece of a chunked body, which ends where a chunk ends.
func (r *Response) wireChunk(src io.Reader, size int) ([]byte, error) {
	if size < 0 {
		size = segmentSize
		if left := r.state().stream.ChunkRemaining(); left > 0 {
			size = int(min(left, maxAhead))
		}
	}
	for {
		n, err := src.Read(r.state().room(size))
		if n > 0 && err == io.EOF {
			err = nil // the end comes again with the next call
		}
		if n > 0 || err != nil {
			return r.state().buffer[:n], err
		}
	}
}

// room returns a buffer of size bytes, kept for the next piece.
func (b *responseBody) room(size int) []byte {
	if cap(b.buffer) < size {
		b.buffer = make([]byte, size)
	}
	b.buffer = b.buffer[:size]
	return b.buffer
}

// Lines iterates over the body's lines, which end with \n, \r or \r\n, as they
// arrive; the ends are not part of them. The text is not decoded: use
// [Response.TextLines] for other charsets than UTF-8. Unlike Requests' it is
// right where a line end is cut by the border of a chunk, and loops over one
// response, whichever they are, share what was read ahead. Leaving a loop early
// closes the response. A line longer than Limits.MaxLine is [ErrLineTooLong].
func (r *Response) Lines() iter.Seq2[string, error] {
	return r.scan(false, charset.LineEnds(false))
}

// TextLines is Lines of the decoded text, split at Unicode's line ends as well.
func (r *Response) TextLines() iter.Seq2[string, error] {
	return r.scan(true, charset.LineEnds(true))
}

// Split iterates over the parts of the body between delimiters; an empty
// delimiter means lines.
func (r *Response) Split(delimiter string) iter.Seq2[string, error] {
	return r.scan(false, charset.Delimiter(delimiter, false))
}

// TextSplit is Split of the decoded text.
func (r *Response) TextSplit(delimiter string) iter.Seq2[string, error] {
	return r.scan(true, charset.Delimiter(delimiter, true))
}

// TextChunks iterates over the decoded text in pieces of about size bytes of the
// body. Without a known Encoding the text is taken as UTF-8.
func (r *Response) TextChunks(size int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		d := charset.DecoderOr(r.Encoding, "utf-8")
		for chunk, err := range r.Chunks(size) {
			if err != nil {
				yield("", err)
				return
			}
			if text := d.Decode(chunk, false); text != "" && !yield(text, nil) {
				return
			}
		}
		if text := d.Decode(nil, true); text != "" {
			yield(text, nil)
		}
	}
}

// scan iterates over what stands between separators. Who reads on while a loop is
// under way finds what the loop has read ahead, and the loop goes on behind that.
func (r *Response) scan(text bool, by *charset.Separator) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if r.isInMemory() {
			r.scanLines(charset.ScanAll(r.state().content), text, by, yield)
			return
		}
		if err := r.startLoop(); err != nil {
			yield("", err)
			return
		}
		defer r.Close()
		r.scanLines(&r.state().ahead, text, by, yield)
	}
}

func (r *Response) scanLines(s *charset.Scanner, text bool, by *charset.Separator, yield func(string, error) bool) {
	for {
		line, err := r.nextLine(s, text, by)
		if err == io.EOF || !yield(string(line), err) || err != nil {
			return
		}
	}
}

// nextLine reads until there is a line, and returns io.EOF after the last.
func (r *Response) nextLine(s *charset.Scanner, text bool, by *charset.Separator) ([]byte, error) {
	for {
		line, ok, err := r.scanLine(s, text, by)
		switch {
		case err != nil:
			return nil, r.ended(r.lineTooLong())
		case ok:
			return line, nil
		case s.Ended():
			return nil, r.ended(io.EOF)
		}
		if err := r.more(s); err != nil {
			return nil, err
		}
	}
}

func (r *Response) scanLine(s *charset.Scanner, text bool, by *charset.Separator) ([]byte, bool, error) {
	if text {
		return s.TextLine(r.Encoding, by, r.maxLine())
	}
	return s.Line(by, r.maxLine())
}

// more reads some more of the body into s, which is body.ahead.
func (r *Response) more(s *charset.Scanner) error {
	_, err := r.start()
	if err == io.EOF {
		s.End() // it was read to its end inside the loop
		return nil
	}
	if err != nil {
		return err
	}
	if err = r.state().readAhead(lineBlock); err == io.EOF {
		return nil
	}
	return r.ended(err)
}
