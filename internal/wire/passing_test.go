package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scripted is a body that knows its length or not, and ends with an error or well.
type scripted struct {
	io.Reader
	left   int64 // -1 if it is not known
	err    error // at the end, instead of io.EOF
	closed int
}

func (s *scripted) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.left >= 0 {
		s.left -= int64(n)
	}
	if err == io.EOF && s.err != nil {
		err = s.err
	}
	return n, err
}
func (s *scripted) Remaining() int64 { return s.left }
func (s *scripted) Close() error     { s.closed++; return nil }

// knowing is one that means 0 before its end was read.
type knowing struct{ Stream }

func (k knowing) Remaining() int64 { return k.Stream.(*foreign).sized.Remaining() }

func scriptedBody(text string, left int64, err error) Stream {
	return knowing{StreamOf(&scripted{Reader: strings.NewReader(text), left: left, err: err})}
}

var errCut = errors.New("cut short")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// TestEnds is the table at the head of passing.go: what is told of a body, when what is done with it.
func TestEnds(t *testing.T) {
	read := func(n int) func(Stream) {
		return func(s Stream) {
			for range n {
				_, _ = s.Read(make([]byte, 4))
			}
		}
	}
	writeTo := func(w io.Writer) func(Stream) { return func(s Stream) { _, _ = s.WriteTo(w) } }
	nothing := func(Stream) {}
	for name, c := range map[string]struct {
		body           func() Stream
		do             func(Stream)
		ended, closed  string // told by OnEnd, before and after Close
		tapped, tapEnd string // the same of Tap, with what went through
	}{
		"empty":                   {func() Stream { return scriptedBody("", 0, nil) }, nothing, "EOF", "EOF", "", "EOF"},
		"untouched":               {func() Stream { return scriptedBody("data", 4, nil) }, nothing, "", "closed", "", "closed"},
		"known length, last byte": {func() Stream { return scriptedBody("data", 4, nil) }, read(1), "EOF", "EOF", "data EOF", "data EOF"},
		"unknown, last byte":      {func() Stream { return scriptedBody("data", -1, nil) }, read(1), "", "closed", "data", "data closed"},
		"unknown, end":            {func() Stream { return scriptedBody("data", -1, nil) }, read(2), "EOF", "EOF", "data EOF", "data EOF"},
		"after the end":           {func() Stream { return scriptedBody("data", -1, nil) }, read(5), "EOF", "EOF", "data EOF", "data EOF"},
		"half":                    {func() Stream { return scriptedBody("datadata", 8, nil) }, read(1), "", "closed", "data", "data closed"},
		"cut":                     {func() Stream { return scriptedBody("data", 8, errCut) }, read(2), "cut", "cut", "data cut", "data cut"},
		"WriteTo":                 {func() Stream { return scriptedBody("data", -1, nil) }, writeTo(io.Discard), "EOF", "EOF", "data EOF", "data EOF"},
		"WriteTo, cut":            {func() Stream { return scriptedBody("data", 8, errCut) }, writeTo(io.Discard), "cut", "cut", "data cut", "data cut"},
		"WriteTo, no room":        {func() Stream { return scriptedBody("datadata", -1, nil) }, writeTo(failing{}), "", "closed", "datadata", "datadata closed"},
	} {
		var told, seen []string
		s := OnEnd(c.body(), func(how error) { told = append(told, describe(how)) })
		c.do(s)
		got := []string{strings.Join(told, " ")}
		s.Close()
		s.Close()
		got = append(got, strings.Join(told, " "))
		s = Tap(c.body(), func(b []byte, how error) error {
			seen = append(seen, strings.TrimSpace(string(b)+" "+describe(how)))
			return nil
		})
		c.do(s)
		got = append(got, strings.Join(seen, " "))
		s.Close()
		s.Close()
		got = append(got, strings.Join(seen, " "))
		if diff := cmp.Diff([]string{c.ended, c.closed, c.tapped, c.tapEnd}, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func describe(how error) string {
	switch how {
	case nil:
		return ""
	case io.EOF:
		return "EOF"
	case ErrClosed:
		return "closed"
	case errCut:
		return "cut"
	}
	return how.Error()
}

// TestTapFails: an error of the one who looks is the reader's.
func TestTapFails(t *testing.T) {
	refuse := func([]byte, error) error { return errCut }
	n, err := Tap(scriptedBody("data", -1, nil), refuse).Read(make([]byte, 8))
	if closed := Tap(scriptedBody("data", -1, nil), refuse).Close(); n != 4 || err != errCut || closed != errCut {
		t.Errorf("Read: %d, %v; Close: %v", n, err, closed)
	}
}

// TestPassing: a wrapped body can do what it could.
func TestPassing(t *testing.T) {
	able := func(s Stream) string {
		return fmt.Sprint(s.Remaining(), s.Chunked(), s.ChunkRemaining(), s.Trailers(), s.Verifiable())
	}
	bare := sizedBody{strings.NewReader("data")}
	want := able(StreamOf(bare))
	got := []string{able(OnEnd(bare, func(error) {})), able(Tap(bare, func([]byte, error) error { return nil }))}
	if diff := cmp.Diff([]string{want, want}, got); diff != "" {
		t.Errorf("abilities (-want +got)\n%s", diff)
	}
}

// duplex is an upgraded connection.
type duplex struct {
	scripted
	strings.Builder
	half bool
}

func (d *duplex) Close() error      { return d.scripted.Close() }
func (d *duplex) CloseWrite() error { d.half = true; return nil }

// TestUpgraded: a connection can be written to behind the end of reading, and ends with Close.
func TestUpgraded(t *testing.T) {
	for name, wrap := range map[string]func(io.ReadCloser, func()) Stream{
		"OnEnd": func(rc io.ReadCloser, end func()) Stream { return OnEnd(rc, func(error) { end() }) },
		"Tap": func(rc io.ReadCloser, end func()) Stream {
			defer end()
			return Tap(rc, func([]byte, error) error { t.Error("Tap saw a connection"); return nil })
		},
	} {
		d, ended := &duplex{scripted: scripted{Reader: strings.NewReader("in"), left: -1}}, 0
		s := wrap(d, func() { ended++ })
		in, _ := io.ReadAll(s)
		conn := s.(io.ReadWriteCloser)
		_, _ = io.WriteString(conn, "out")
		before := ended
		_ = s.(interface{ CloseWrite() error }).CloseWrite()
		_ = conn.Close()
		want := fmt.Sprint("in out true 1 1 ", name == "Tap")
		if got := fmt.Sprint(string(in), " ", d.String(), " ", d.half, " ", d.closed, " ", ended, " ", before == 1); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
