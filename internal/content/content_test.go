package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/wire"
)

var (
	errSpent   = errors.New("spent")
	errClosed  = errors.New("closed")
	errTooLong = errors.New("too long")
	errLine    = errors.New("line too long")
)

// source gives its pieces one by one, and then end.
type source struct {
	pieces []string
	end    error
	closed int
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, s.end
	}
	n := copy(p, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; s.pieces[0] == "" {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func (s *source) Close() error { s.closed++; return nil }

// owner is a response without codings, or whose codings fail.
type owner struct {
	*source
	decode error
}

func (o *owner) Source() io.ReadCloser  { return o.source }
func (o *owner) Stream() wire.Stream    { return wire.StreamOf(o.source) }
func (o *owner) Fail(cause error) error { return fmt.Errorf("failed: %w", cause) }
func (o *owner) Spent() error           { return errSpent }
func (o *owner) Closed() error          { return errClosed }
func (o *owner) Decode(s wire.Stream) (io.ReadCloser, bool, error) {
	return s, true, o.decode
}

func tooLong(int64) error { return errTooLong }

// operations are the ways to read a body; each tells what it got, and how that ended.
var operations = []struct {
	name string
	do   func(b *Body, o Owner) string
}{
	{"Read", func(b *Body, o Owner) string {
		p := make([]byte, 2)
		n, err := b.Read(o, p)
		return told(string(p[:n]), err)
	}},
	{"WriteTo", func(b *Body, o Owner) string {
		var out bytes.Buffer
		_, err := b.WriteTo(o, &out)
		return told(out.String(), err)
	}},
	{"ReadChunk", func(b *Body, o Owner) string {
		chunk, err := b.ReadChunk(o, 3)
		return told(string(chunk), err)
	}},
	{"Chunks", func(b *Body, o Owner) string {
		var all []string
		var end error
		b.Chunks(o, 3, func() error { b.Close(o); return nil }, func(chunk []byte, err error) bool {
			if end = err; err == nil {
				all = append(all, string(chunk))
			}
			return true
		})
		return told(strings.Join(all, "|"), end)
	}},
	{"Lines", func(b *Body, o Owner) string { return linesOf(b, o, 0) }},
	{"Content", func(b *Body, o Owner) string {
		content, err := b.All(o, 0, tooLong)
		return told(string(content), err)
	}},
}

// linesOf reads lines of at most longest bytes, 0 for any length.
func linesOf(b *Body, o Owner, longest int) string {
	var all []string
	var end error
	by := charset.LineEnds(false)
	scan := func(s *charset.Scanner) ([]byte, bool, error) { return s.Line(by, longest) }
	b.Lines(o, scan, func() error { return errLine }, func() error { b.Close(o); return nil }, func(line string, err error) bool {
		if end = err; err == nil {
			all = append(all, line)
		}
		return true
	})
	return told(strings.Join(all, "|"), end)
}

func told(got string, err error) string {
	if err == nil {
		return fmt.Sprintf("%q", got)
	}
	return strings.TrimPrefix(fmt.Sprintf("%q, %v", got, err), `"", `)
}

const text = "ab\ncd\ne"

// TestStates is the table at the head of the package: what each operation does in each state.
func TestStates(t *testing.T) {
	for _, c := range []struct {
		state string
		end   error
		lead  func(b *Body, o Owner)
		want  []string // of the operations, in their order
	}{
		{"fresh", io.EOF, func(*Body, Owner) {}, []string{
			`"ab"`, `"ab\ncd\ne"`, `"ab\n"`, `"ab\n|cd\n|e"`, `"ab|cd|e"`, `"ab\ncd\ne"`}},
		{"streaming", io.EOF, func(b *Body, o Owner) { _, _ = b.Read(o, make([]byte, 1)) }, []string{
			`"b\n"`, `"b\ncd\ne"`, `"b\nc"`, `"b\nc|d\ne"`, `"b|cd|e"`, `"b\ncd\ne"`}},
		{"in memory", io.EOF, func(b *Body, o Owner) { _, _ = b.All(o, 0, tooLong) }, []string{
			`"ab"`, `"ab\ncd\ne"`, `"ab\n"`, `"ab\n|cd\n|e"`, `"ab|cd|e"`, `"ab\ncd\ne"`}},
		{"in memory, closed", io.EOF, func(b *Body, o Owner) { _, _ = b.All(o, 0, tooLong); b.Close(o) }, []string{
			`"ab"`, `"ab\ncd\ne"`, `"ab\n"`, `"ab\n|cd\n|e"`, `"ab|cd|e"`, `"ab\ncd\ne"`}},
		{"kept", io.EOF, func(b *Body, o Owner) { b.Keep([]byte("kept")) }, []string{
			`"ke"`, `"kept"`, `"kep"`, `"kep|t"`, `"kept"`, `"kept"`}},
		{"spent", io.EOF, func(b *Body, o Owner) { _, _ = b.WriteTo(o, io.Discard) }, []string{
			"EOF", `""`, "EOF", "spent", "spent", "spent"}},
		{"spent, closed", io.EOF, func(b *Body, o Owner) { _, _ = b.WriteTo(o, io.Discard); b.Close(o) }, []string{
			"EOF", `""`, "EOF", "spent", "spent", "spent"}},
		{"failed", io.ErrUnexpectedEOF, func(b *Body, o Owner) { _, _ = b.All(o, 0, tooLong) }, []string{
			"failed: unexpected EOF", "failed: unexpected EOF", "failed: unexpected EOF", "failed: unexpected EOF", "failed: unexpected EOF", "failed: unexpected EOF"}},
		{"closed", io.EOF, func(b *Body, o Owner) { b.Close(o) }, []string{
			"closed", "closed", "closed", "closed", "closed", "closed"}},
		{"closed while streaming", io.EOF, func(b *Body, o Owner) { _, _ = b.Read(o, make([]byte, 1)); b.Close(o) }, []string{
			"closed", "closed", "closed", "closed", "closed", "closed"}},
	} {
		var got []string
		for _, op := range operations {
			o := &owner{source: &source{pieces: []string{text}, end: c.end}}
			b := new(Body)
			c.lead(b, o)
			got = append(got, op.do(b, o))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.state, diff)
		}
	}
}

// TestCodingFails: a coding that cannot be undone is the failure of every reading, and lets
// the connection go.
func TestCodingFails(t *testing.T) {
	for _, op := range operations {
		o := &owner{source: &source{pieces: []string{text}, end: io.EOF}, decode: errors.New("coding")}
		b := new(Body)
		for range 2 {
			if got := op.do(b, o); got != "failed: coding" || o.closed == 0 {
				t.Errorf("%s: %s, closed %d times", op.name, got, o.closed)
			}
		}
	}
}

// pieces are the ways to cut s: whole, byte by byte, and in two at every offset.
func pieces(s string) [][]string {
	all := [][]string{{s}, strings.Split(s, "")}
	for i := 1; i < len(s); i++ {
		all = append(all, []string{s[:i], s[i:]})
	}
	return all
}

// TestPieces: however a body comes, all of it is read alike, and its connection is let go.
func TestPieces(t *testing.T) {
	want := map[string]string{"WriteTo": `"ab\ncd\ne"`, "Chunks": `"ab\n|cd\n|e"`, "Lines": `"ab|cd|e"`, "Content": `"ab\ncd\ne"`}
	for _, op := range operations {
		for _, p := range pieces(text) {
			o := &owner{source: &source{pieces: p, end: io.EOF}}
			b := new(Body)
			got := op.do(b, o)
			if whole, ok := want[op.name]; ok && (got != whole || o.closed == 0 || b.Over().IsZero()) {
				t.Errorf("%s of %q: %s, want %s; closed %d times", op.name, p, got, whole, o.closed)
			}
		}
	}
}

// TestCut: a body that is cut short, wherever that is, gives what came and then the failure,
// which stays; nothing is in memory, and the connection is let go.
func TestCut(t *testing.T) {
	for cut := range len(text) {
		came := text[:cut]
		lines := strings.Split(came, "\n")
		want := map[string]string{
			"WriteTo": told(came, errors.New("failed: unexpected EOF")),
			"Chunks":  told(strings.Join([]string{came[:min(cut, 3)], came[min(cut, 3):min(cut, 6)]}[:cut/3], "|"), errors.New("failed: unexpected EOF")),
			"Lines":   told(strings.Join(lines[:len(lines)-1], "|"), errors.New("failed: unexpected EOF")),
			"Content": "failed: unexpected EOF",
		}
		for _, op := range operations {
			o := &owner{source: &source{pieces: strings.Split(came, ""), end: io.ErrUnexpectedEOF}}
			b := new(Body)
			got := op.do(b, o)
			expected, ok := want[op.name]
			if !ok {
				continue // it reads a piece, not all
			}
			if got != expected || o.closed == 0 || b.InMemory() {
				t.Errorf("%s of %q: %s, want %s; closed %d times", op.name, came, got, expected, o.closed)
			}
			for _, again := range operations {
				if got := again.do(b, o); got != "failed: unexpected EOF" {
					t.Errorf("%s after %s of %q: %s", again.name, op.name, came, got)
				}
			}
		}
	}
}

// TestLimits: what is longer than allowed is an error, whatever it comes in, and nothing else is.
func TestLimits(t *testing.T) {
	for limit := int64(1); limit <= int64(len(text))+1; limit++ {
		for _, p := range pieces(text) {
			o := &owner{source: &source{pieces: p, end: io.EOF}}
			content, err := new(Body).All(o, limit, tooLong)
			fits := limit >= int64(len(text))
			if fits != (err == nil) || err != nil && !errors.Is(err, errTooLong) || fits && string(content) != text || o.closed == 0 {
				t.Errorf("%q within %d: %q, %v", p, limit, content, err)
			}
		}
	}
	for longest, want := range map[int]string{0: `"ab|cd|e"`, 2: `"ab|cd|e"`, 1: "line too long"} {
		for _, p := range pieces(text) {
			o := &owner{source: &source{pieces: p, end: io.EOF}}
			if got := linesOf(new(Body), o, longest); got != want && got != "failed: "+want {
				t.Errorf("lines of %q within %d: %s, want %s", p, longest, got, want)
			}
		}
	}
}

// TestLoopLeftEarly: what a loop over lines has read ahead is the next that is read.
func TestLoopLeftEarly(t *testing.T) {
	for _, p := range pieces(text) {
		o := &owner{source: &source{pieces: p, end: io.EOF}}
		b := new(Body)
		by := charset.LineEnds(false)
		var rest string
		b.Lines(o, func(s *charset.Scanner) ([]byte, bool, error) { return s.Line(by, 0) }, func() error { return errLine }, func() error { b.Close(o); return nil },
			func(line string, err error) bool {
				content, allErr := b.All(o, 0, tooLong)
				rest = told(line, err) + told(string(content), allErr)
				return false
			})
		if want := `"ab""cd\ne"`; rest != want || !b.InMemory() || o.closed == 0 {
			t.Errorf("%q: %s, want %s", p, rest, want)
		}
	}
}

// TestReplaced: a body that another one reads from ends with that.
func TestReplaced(t *testing.T) {
	o, inner := &owner{source: &source{pieces: []string{text}, end: io.EOF}}, &source{}
	b := new(Body)
	b.Replace(inner)
	if inner.closed != 0 {
		t.Error("closed before the body has ended")
	}
	b.Close(o)
	if late := (&source{}); inner.closed != 1 {
		t.Errorf("closed %d times", inner.closed)
	} else if b.Replace(late); late.closed != 1 {
		t.Error("what comes after the end is not closed")
	}
}
