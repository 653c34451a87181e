package requests

import (
	"iter"

	"github.com/mountable/requests/internal/charset"
)

// Chunks iterates over the decoded body in pieces of size bytes, the last one
// shorter; a chunked body also ends a piece at each of its chunks. A negative
// size gives what a chunk holds, or everything where the length is known; zero
// gives nothing. Each piece is valid until the next. Leaving the loop early
// closes the response. A body in memory is sliced from its beginning, zero
// and negative giving all of it; one that was streamed before is
// [ErrStreamConsumed].
func (r *Response) Chunks(size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r.content().Chunks(r.owner(), size, r.Close, yield)
	}
}

// ReadChunk returns the next piece that [Response.Chunks] would give, and io.EOF
// after the last.
func (r *Response) ReadChunk(size int) ([]byte, error) {
	return r.content().ReadChunk(r.owner(), size)
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
	return charset.TextChunks(r.Chunks(size), r.Encoding)
}

// scan iterates over what stands between separators.
func (r *Response) scan(text bool, by *charset.Separator) iter.Seq2[string, error] {
	take := func(s *charset.Scanner) ([]byte, bool, error) {
		if text {
			return s.TextLine(r.Encoding, by, r.maxLine())
		}
		return s.Line(by, r.maxLine())
	}
	return func(yield func(string, error) bool) {
		r.content().Lines(r.owner(), take, r.lineTooLong, r.Close, yield)
	}
}
