package content

import (
	"bytes"
	"io"

	"github.com/mountable/requests/internal/charset"
)

// lineBlock is how much is read ahead of lines at a time.
const lineBlock = 8 << 10

// Chunks gives the rest of the body in pieces of size bytes, the last one shorter; a
// chunked body also ends a piece at each of its chunks. A negative size gives what a chunk
// holds, or everything where the length is known. close is called at the end.
func (b *Body) Chunks(o Owner, size int, close func() error, yield func([]byte, error) bool) {
	if b.InMemory() {
		yieldSlices(b.content, size, yield)
		return
	}
	if err := b.startLoop(o); err != nil {
		yield(nil, err)
		return
	}
	defer close()
	for {
		chunk, err := b.ReadChunk(o, size)
		if err == io.EOF || !yield(chunk, err) || err != nil {
			return
		}
	}
}

// Loop returns what is left of the body for a loop of the caller's, from the beginning of one
// in memory. A body that is spent is an error.
func (b *Body) Loop(o Owner) (io.Reader, error) {
	if b.InMemory() {
		return bytes.NewReader(b.content), nil
	}
	return reader{b, o}, b.startLoop(o)
}

// reader is the body as an io.Reader.
type reader struct {
	body  *Body
	owner Owner
}

func (r reader) Read(p []byte) (int, error) { return r.body.Read(r.owner, p) }

// startLoop is start for a loop over what is left: a body that is spent is an error.
func (b *Body) startLoop(o Owner) error {
	_, err := b.start(o)
	if err == io.EOF {
		return o.Spent()
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

// ReadChunk returns the next piece that Chunks would give, and io.EOF after the last.
func (b *Body) ReadChunk(o Owner, size int) ([]byte, error) {
	src, err := b.start(o)
	switch {
	case err != nil:
		return nil, err
	case b.InMemory():
		return b.slice(size)
	case size == 0:
		return nil, io.EOF
	}
	chunk, err := b.nextChunk(src, size)
	if err = b.ended(o, err); err == io.EOF && len(chunk) > 0 {
		return chunk, nil
	}
	if err != nil {
		return nil, err
	}
	return chunk, nil
}

// slice returns the next piece of content. After the last it starts over.
func (b *Body) slice(size int) ([]byte, error) {
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
func (b *Body) nextChunk(src io.Reader, size int) ([]byte, error) {
	if b.stream.Chunked() {
		return b.wireChunk(src, size)
	}
	if size < 0 {
		rest, err := readAll(src, b.expected())
		if err == nil {
			err = io.EOF
		}
		return rest, err
	}
	piece := b.buffer(size)
	n, err := fill(src, piece)
	return piece[:n], err
}

// wireChunk reads one piece of a chunked body, which ends where a chunk ends.
func (b *Body) wireChunk(src io.Reader, size int) ([]byte, error) {
	if size < 0 {
		size = segmentSize
		if left := b.stream.ChunkRemaining(); left > 0 {
			size = int(min(left, maxAhead))
		}
	}
	for {
		piece := b.buffer(size)
		n, err := src.Read(piece)
		if n > 0 && err == io.EOF {
			err = nil // the end comes again with the next call
		}
		if n > 0 || err != nil {
			return piece[:n], err
		}
	}
}

// buffer returns a buffer of size bytes, kept for the next piece.
func (b *Body) buffer(size int) []byte {
	l := b.pieces()
	if cap(l.buffer) < size {
		l.buffer = make([]byte, size)
	}
	return l.buffer[:size]
}

// Scan takes the next line out of s; ok is false where more must be read, and the error
// is that of a line that is too long.
type Scan func(s *charset.Scanner) (line []byte, ok bool, err error)

// Lines gives what stands between separators. Who reads on while a loop is under way finds
// what the loop has read ahead, and the loop goes on behind that. tooLong is the error of
// a line that scan refuses; close is called at the end.
func (b *Body) Lines(o Owner, scan Scan, tooLong, close func() error, yield func(string, error) bool) {
	l := lines{b, o, scan, tooLong}
	if b.InMemory() {
		l.each(charset.ScanAll(b.content), yield)
		return
	}
	if err := b.startLoop(o); err != nil {
		yield("", err)
		return
	}
	defer close()
	l.each(&b.pieces().ahead, yield)
}

// lines is a loop over lines.
type lines struct {
	body    *Body
	owner   Owner
	scan    Scan
	tooLong func() error
}

func (l *lines) each(s *charset.Scanner, yield func(string, error) bool) {
	for {
		line, err := l.next(s)
		if err == io.EOF || !yield(string(line), err) || err != nil {
			return
		}
	}
}

// next reads until there is a line, and returns io.EOF after the last.
func (l *lines) next(s *charset.Scanner) ([]byte, error) {
	for {
		line, ok, err := l.scan(s)
		switch {
		case err != nil:
			return nil, l.body.ended(l.owner, l.tooLong())
		case ok:
			return line, nil
		case s.Ended():
			return nil, l.body.ended(l.owner, io.EOF)
		}
		if err := l.more(s); err != nil {
			return nil, err
		}
	}
}

// more reads some more of the body into s, which is that of the body.
func (l *lines) more(s *charset.Scanner) error {
	_, err := l.body.start(l.owner)
	if err == io.EOF {
		s.End() // it was read to its end inside the loop
		return nil
	}
	if err != nil {
		return err
	}
	if err = l.body.readAhead(lineBlock); err == io.EOF {
		return nil
	}
	return l.body.ended(l.owner, err)
}
