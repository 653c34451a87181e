package requests

import (
	"io"
	"iter"

	"github.com/mountable/requests/internal/charset"
)

// lineBlock is how much Lines reads at a time.
const lineBlock = 8 << 10

// Lines iterates over the body's lines, which end with \n, \r or \r\n, as they
// arrive; the ends are not part of them. The text is not decoded: use
// [Response.TextLines] for other charsets than UTF-8. Unlike Requests' it is
// right where a line end is cut by the border of a chunk. Leaving the loop early
// releases the connection.
func (r *Response) Lines() iter.Seq2[string, error] {
	return splitLines(r.arriving(), charset.NewLineSplitter(nil, false))
}

// TextLines is Lines of the decoded text, split at Unicode's line ends as well.
func (r *Response) TextLines() iter.Seq2[string, error] {
	return splitLines(r.arrivingText(), charset.NewLineSplitter(nil, true))
}

// Split iterates over the parts of the body between delimiters; an empty
// delimiter means lines.
func (r *Response) Split(delimiter string) iter.Seq2[string, error] {
	return splitLines(r.arriving(), charset.NewLineSplitter([]byte(delimiter), false))
}

// TextSplit is Split of the decoded text.
func (r *Response) TextSplit(delimiter string) iter.Seq2[string, error] {
	return splitLines(r.arrivingText(), charset.NewLineSplitter([]byte(delimiter), true))
}

// TextChunks iterates over the decoded text in pieces of about size bytes of the
// body. Without a known Encoding the text is taken as UTF-8.
func (r *Response) TextChunks(size int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for text, err := range decodeChunks(r.Chunks(size), r.textDecoder()) {
			if !yield(string(text), err) {
				return
			}
		}
	}
}

func (r *Response) arrivingText() iter.Seq2[[]byte, error] {
	return decodeChunks(r.arriving(), r.textDecoder())
}

func (r *Response) textDecoder() *charset.Decoder {
	if r.Encoding != "" {
		if d, ok := charset.NewDecoder(r.Encoding); ok {
			return d
		}
	}
	d, _ := charset.NewDecoder("utf-8")
	return d
}

// decodeChunks decodes what arrives, in pieces that are valid until the next and
// never end inside a character.
func decodeChunks(chunks iter.Seq2[[]byte, error], d *charset.Decoder) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var text []byte
		for chunk, err := range chunks {
			if err != nil {
				yield(nil, err)
				return
			}
			if text = d.Append(text[:0], chunk, false); len(text) > 0 && !yield(text, nil) {
				return
			}
		}
		if text = d.Append(text[:0], nil, true); len(text) > 0 {
			yield(text, nil)
		}
	}
}

func splitLines(chunks iter.Seq2[[]byte, error], s *charset.LineSplitter) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for chunk, err := range chunks {
			if err != nil {
				yield("", err)
				return
			}
			for line := range s.Feed(chunk) {
				if !yield(string(line), nil) {
					return
				}
			}
		}
		if line, ok := s.Flush(); ok {
			yield(string(line), nil)
		}
	}
}

// arriving iterates over the body in whatever pieces it arrives, so that a line
// is seen as soon as it is there.
func (r *Response) arriving() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if r.loaded || r.consumed || r.failure != nil {
			for chunk, err := range r.Chunks(lineBlock) {
				if !yield(chunk, err) {
					return
				}
			}
			return
		}
		defer r.abandon()
		block := make([]byte, lineBlock)
		for {
			n, err := r.Read(block)
			if n > 0 && !yield(block[:n], nil) || err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
