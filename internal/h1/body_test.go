package h1

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type bodyResult struct {
	Body     string
	Trailers Fields
	Done     bool
	Code     Code
}

type bodyCase struct {
	name    string
	raw     string
	framing Framing
	n       int64
	want    bodyResult
	rest    string // what follows the body
}

var bodyCases = []bodyCase{
	{"none", "next", NoBody, 0, bodyResult{Done: true}, "next"},
	{"length", "abcnext", Length, 3, bodyResult{Body: "abc", Done: true}, "next"},
	{"length 0", "next", Length, 0, bodyResult{Done: true}, "next"},
	{"length, cut", "ab", Length, 3, bodyResult{Body: "ab", Code: BodyTruncated}, ""},
	{"length, cut at once", "", Length, 1 << 60, bodyResult{Code: BodyTruncated}, ""},
	{"close", "abc", UntilClose, -1, bodyResult{Body: "abc", Done: true}, ""},
	{"close at once", "", UntilClose, -1, bodyResult{Done: true}, ""},

	{"chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nnext", Chunked, -1, bodyResult{Body: "abcde", Done: true}, "next"},
	{"no chunks", "0\r\n\r\n", Chunked, -1, bodyResult{Done: true}, ""},
	{"case and zeros", "00A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n", Chunked, -1,
		bodyResult{Body: "01234567890123456789", Done: true}, ""},
	{"extensions", "3 ; a=\"b;c\"\r\nabc\r\n0;x\r\n\r\n", Chunked, -1, bodyResult{Body: "abc", Done: true}, ""},
	{"blanks", "3 \t\r\nabc\r\n0 \r\n\r\n", Chunked, -1, bodyResult{Body: "abc", Done: true}, ""},
	{"trailers", "1\r\na\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\nnext", Chunked, -1,
		bodyResult{"a", Fields{{"X-T", "1"}, {"x-t", "2"}}, true, 0}, "next"},
	{"trailers, LF", "1\r\na\r\n0\r\nX: 1\n\nnext", Chunked, -1, bodyResult{"a", Fields{{"X", "1"}}, true, 0}, "next"},
	{"end, LF", "1\r\na\r\n0\r\n\nnext", Chunked, -1, bodyResult{Body: "a", Done: true}, "next"},

	{"cut before size", "3\r\nabc\r\n", Chunked, -1, bodyResult{Body: "abc", Code: BodyTruncated}, ""},
	{"cut in size", "3\r\nabc\r\n1", Chunked, -1, bodyResult{Body: "abc", Code: BodyTruncated}, ""},
	{"cut in data", "5\r\nabc", Chunked, -1, bodyResult{Body: "abc", Code: BodyTruncated}, ""},
	{"cut after data", "3\r\nabc\r", Chunked, -1, bodyResult{Body: "abc", Code: BodyTruncated}, ""},
	{"cut before the last CRLF", "3\r\nabc\r\n0\r\n", Chunked, -1, bodyResult{Body: "abc", Code: BodyTruncated}, ""},
	{"cut in trailers", "0\r\nX: 1\r\n", Chunked, -1, bodyResult{Code: BodyTruncated}, ""},
	{"no digits", "\r\nabc\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"no hex", "3x\r\nabc\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"0x", "0x3\r\nabc\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"sign", "-3\r\nabc\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"two words", "3 3\r\nabc\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"overflow", "8000000000000000\r\nabc\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"largest", "7fffffffffffffff\r\nabc", Chunked, -1, bodyResult{Body: "abc", Code: BodyTruncated}, ""},
	{"size line, LF", "3\nabc\r\n0\r\n\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"size line, CR", "3\rX\nabc\r\n0\r\n\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"control in extension", "3;\x00\r\nabc\r\n0\r\n\r\n", Chunked, -1, bodyResult{Code: BadChunk}, ""},
	{"data, LF", "3\r\nabc\n0\r\n\r\n", Chunked, -1, bodyResult{Body: "abc", Code: BadChunk}, ""},
	{"data too long", "3\r\nabcdef\r\n0\r\n\r\n", Chunked, -1, bodyResult{Body: "abc", Code: BadChunk}, ""},
	{"data skipped", "3\r\nabcXY0\r\n\r\n", Chunked, -1, bodyResult{Body: "abc", Code: BadChunk}, ""},
	{"trailer without colon", "0\r\nX\r\n\r\n", Chunked, -1, bodyResult{Code: BadTrailer}, ""},
	{"trailer with NUL", "0\r\nX: \x00\r\n\r\n", Chunked, -1, bodyResult{Code: BadTrailer}, ""},
}

func newBody(src io.Reader, tt bodyCase, lim *Limits) (*Reader, *Body) {
	r, b := NewReader(src), new(Body)
	b.Init(r, tt.framing, tt.n, lim)
	return r, b
}

func resultOf(b *Body, data []byte, err error) bodyResult {
	return bodyResult{string(data), b.Trailers(), b.Done(), codeOf(err)}
}

// TestBody reads every body in several ways; all must agree, and leave what follows.
func TestBody(t *testing.T) {
	feeds := map[string]func(io.Reader) io.Reader{
		"whole":             func(r io.Reader) io.Reader { return r },
		"byte by byte":      iotest.OneByteReader,
		"error beside data": iotest.DataErrReader,
	}
	reads := map[string]func(*Body) ([]byte, error){
		"ReadAll": func(b *Body) ([]byte, error) { return io.ReadAll(b) },
		"WriteTo": func(b *Body) ([]byte, error) {
			var buf bytes.Buffer
			_, err := b.WriteTo(&buf)
			return buf.Bytes(), err
		},
		"by one": func(b *Body) ([]byte, error) { return io.ReadAll(iotest.OneByteReader(b)) },
		"ReadFull": func(b *Body) (data []byte, err error) {
			p := make([]byte, 2)
			for err == nil {
				var n int
				n, err = b.ReadFull(p)
				data = append(data, p[:n]...)
			}
			if err == io.EOF {
				err = nil
			}
			return data, err
		},
	}
	for _, tt := range bodyCases {
		for feedName, feed := range feeds {
			for readName, read := range reads {
				r, b := newBody(feed(strings.NewReader(tt.raw)), tt, nil)
				data, err := read(b)
				if diff := cmp.Diff(tt.want, resultOf(b, data, err)); diff != "" {
					t.Errorf("%s, %s, %s (-want +got)\n%s", tt.name, feedName, readName, diff)
				}
				if tt.want.Code != 0 {
					continue
				}
				rest, _ := io.ReadAll(io.MultiReader(bytes.NewReader(r.take(r.Buffered())), r.src))
				if diff := cmp.Diff(tt.rest, string(rest)); diff != "" {
					t.Errorf("%s, %s, %s: what follows (-want +got)\n%s", tt.name, feedName, readName, diff)
				}
			}
		}
	}
}

// TestBodyCutEverywhere: no prefix of a delimited body may pass for the whole.
func TestBodyCutEverywhere(t *testing.T) {
	for _, tt := range bodyCases {
		if tt.want.Code != 0 || tt.framing == UntilClose {
			continue
		}
		raw := strings.TrimSuffix(tt.raw, tt.rest)
		for cut := range len(raw) {
			_, b := newBody(strings.NewReader(raw[:cut]), tt, nil)
			_, err := io.ReadAll(b)
			if codeOf(err) != BodyTruncated || !errors.Is(err, io.ErrUnexpectedEOF) || b.Done() {
				t.Errorf("%s, cut at %d: %v, done %t", tt.name, cut, err, b.Done())
			}
			if _, again := b.Read(make([]byte, 1)); again != err {
				t.Errorf("%s, cut at %d: the error does not stay: %v", tt.name, cut, again)
			}
		}
	}
}

func TestReadStopsAtChunkBorder(t *testing.T) {
	const raw = "3\r\nabc\r\n5\r\ndefgh\r\n1\r\ni\r\n0\r\n\r\n"
	tests := []struct {
		size int
		want []string
	}{
		{100, []string{"abc", "defgh", "i"}},
		{4, []string{"abc", "defg", "h", "i"}},
		{3, []string{"abc", "def", "gh", "i"}},
	}
	for _, tt := range tests {
		for _, feed := range []io.Reader{strings.NewReader(raw), iotest.OneByteReader(strings.NewReader(raw))} {
			_, b := newBody(feed, bodyCase{framing: Chunked}, nil)
			var got []string
			for p := make([]byte, tt.size); ; {
				n, err := b.ReadFull(p)
				if err != nil {
					break
				}
				got = append(got, string(p[:n]))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("size %d (-want +got)\n%s", tt.size, diff)
			}
		}
	}
}

func TestChunk(t *testing.T) {
	_, b := newBody(strings.NewReader("3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n"), bodyCase{framing: Chunked}, nil)
	var got []int64
	for {
		n, err := b.Chunk()
		if err != nil {
			break
		}
		got = append(got, n)
		if _, err := b.ReadFull(make([]byte, max(n-1, 1))); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int64{3, 1, 5, 1}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	_, b = newBody(strings.NewReader("x"), bodyCase{framing: UntilClose}, nil)
	if n, err := b.Chunk(); n != -1 || err != nil {
		t.Errorf("until close: %d, %v", n, err)
	}
}

func TestRule29ChunkLimits(t *testing.T) {
	ext := func(n int) string { return "1;" + strings.Repeat("e", n-1) + "\r\nx\r\n" }
	const end = "0\r\n\r\n"
	tests := []struct {
		name string
		raw  string
		lim  *Limits
		want Code
	}{
		{"long extension", ext(4000) + end, nil, 0},
		{"extension too long", ext(4097) + end, nil, BadChunk},
		{"extension without end", ext(1 << 20)[:1<<20], nil, BadChunk},
		{"extensions", strings.Repeat(ext(4000), 4) + end, nil, 0},
		{"too many extensions", strings.Repeat(ext(4000), 5) + end, nil, BadChunk},
		{"small extensions, large data", strings.Repeat("64;e\r\n"+strings.Repeat("x", 100)+"\r\n", 5000) + end, nil, 0},
		{"trailers", "0\r\n" + strings.Repeat("A: v\r\n", 1000) + "\r\n", nil, 0},
		{"too many trailers", "0\r\n" + strings.Repeat("A: v\r\n", 1001) + "\r\n", nil, TrailersTooLarge},
		{"trailers too large", "0\r\nA: " + strings.Repeat("v", 65<<10) + "\r\n\r\n", nil, TrailersTooLarge},
		{"own line", "000003\r\nabc\r\n" + end, &Limits{ChunkLine: 5}, BadChunk},
		{"own trailers", "0\r\nA: v\r\n\r\n", &Limits{TrailerBytes: 7}, TrailersTooLarge},
	}
	for _, tt := range tests {
		_, b := newBody(strings.NewReader(tt.raw), bodyCase{framing: Chunked}, tt.lim)
		if _, err := io.Copy(io.Discard, b); codeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestLargeBodies(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 40000)
	chunked := []byte{}
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 30001)
		chunked, rest = AppendChunk(chunked, rest[:n]), rest[n:]
	}
	tests := []bodyCase{
		{raw: string(want), framing: Length, n: int64(len(want))},
		{raw: string(chunked) + LastChunk, framing: Chunked},
		{raw: string(want), framing: UntilClose},
	}
	for _, tt := range tests {
		_, b := newBody(iotest.HalfReader(strings.NewReader(tt.raw)), tt, nil)
		if got, err := io.ReadAll(b); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%v: %d bytes, %v", tt.framing, len(got), err)
		}
		_, b = newBody(strings.NewReader(tt.raw), tt, nil)
		var got bytes.Buffer
		if n, err := b.WriteTo(&got); err != nil || n != int64(len(want)) || !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%v, WriteTo: %d bytes, %v", tt.framing, got.Len(), err)
		}
	}
}

// TestKnownLengthIsReadDirectly: the rest of a body goes into the caller's buffer, and not one byte more is taken.
func TestKnownLengthIsReadDirectly(t *testing.T) {
	src := strings.NewReader("abcnext")
	r, b := newBody(src, bodyCase{framing: Length, n: 3}, nil)
	if _, err := io.ReadFull(b, make([]byte, 3)); err != nil || !b.Done() {
		t.Fatal(err, b.Done())
	}
	if r.Buffered() != 0 || src.Len() != 4 {
		t.Errorf("%d bytes buffered, %d not read", r.Buffered(), src.Len())
	}
}

// TestDoneWithLastByte: where the end of a chunked body is there already, its last byte ends it.
func TestDoneWithLastByte(t *testing.T) {
	for raw, want := range map[string]bool{
		"3\r\nabc\r\n0\r\n\r\nnext":       true,
		"3\r\nabc\r\n0\r\n\r":             false,
		"3\r\nabc\r\n0\r\nX: 1\r\n\r\n":   false,
		"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n": false,
	} {
		_, b := newBody(strings.NewReader(raw), bodyCase{framing: Chunked}, nil)
		if n, err := b.ReadFull(make([]byte, 3)); n != 3 || err != nil || b.Done() != want {
			t.Errorf("%q: %d, %v, done %t", raw, n, err, b.Done())
		}
	}
}

func TestWriteToStops(t *testing.T) {
	full := errors.New("disk full")
	for name, w := range map[string]io.Writer{"error": failingWriter{0, full}, "short": failingWriter{1, nil}} {
		_, b := newBody(strings.NewReader("abc"), bodyCase{framing: Length, n: 3}, nil)
		if _, err := b.WriteTo(w); err == nil || codeOf(err) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failingWriter struct {
	n   int
	err error
}

func (w failingWriter) Write([]byte) (int, error) { return w.n, w.err }

func TestRelease(t *testing.T) {
	r := NewReader(strings.NewReader("abcd"))
	var b Body
	b.Init(r, Length, 2, nil)
	if _, err := io.ReadFull(&b, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if r.Release() {
		t.Error("released with bytes buffered")
	}
	r.take(r.Buffered())
	r.widen()
	if !r.Release() || r.buf != nil || r.wide != nil {
		t.Error("not released")
	}
	r.Reset(strings.NewReader("HTTP/1.1 200 OK\r\n\r\n"))
	var h ResponseHead
	if err := r.ReadResponseHead(&h, nil); err != nil {
		t.Error("after Reset:", err)
	}
}

func TestNoProgress(t *testing.T) {
	_, b := newBody(idleReader{}, bodyCase{framing: UntilClose}, nil)
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }
