package jsontext

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func inUTF16(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + s)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// TestArray reads arrays whole, byte by byte, and with each way to end a reading.
func TestArray(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
		ends string
	}{
		{`[1, "a",{"b" : [2]} ,null]`, []string{"1", `"a"`, `{"b" : [2]}`, "null"}, ""},
		{` [ ] `, nil, ""},
		{"\ufeff[1]\n", []string{"1"}, ""},
		{inUTF16(`[1,"é🙂"]`), []string{"1", `"é🙂"`}, ""},
		{"", nil, "the beginning: unexpected EOF"},
		{`{"a":1}`, nil, `the beginning: an array begins with [, and not with "{"`},
		{`7`, nil, `the beginning: an array begins with [, and not with "7"`},
		{`<html>`, nil, "the beginning: invalid character '<'"},
		{`[1,`, []string{"1"}, "element 1: unexpected EOF"},
		{`[1, {"a":`, []string{"1"}, "element 1: unexpected EOF"},
		{`[1`, []string{"1"}, "the end of the array: unexpected EOF"},
		{`[1 2]`, []string{"1"}, "element 1: "},
		{`[1] 2`, []string{"1"}, "behind the array: something follows the array"},
		{`[1]x`, []string{"1"}, "behind the array: invalid character 'x'"},
		{"[1,\"" + strings.Repeat("a", 4<<10) + "\"]", []string{"1"}, ErrTooLong.Error()},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text)), iotest.DataErrReader(strings.NewReader(c.text))} {
			var got []string
			err := Array(r, 2<<10, func(e Text) bool { got = append(got, string(e.Data)); return true })
			ends := ""
			if err != nil {
				ends = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" || !strings.HasPrefix(ends, c.ends) || c.ends == "" && err != nil {
				t.Errorf("%.40q ends with %q, want %q (-want +got)\n%s", c.text, ends, c.ends, diff)
			}
		}
	}
}

// TestArrayLong: the bound is one of elements, not of the array.
func TestArrayLong(t *testing.T) {
	n := 0
	text := "[" + strings.Repeat(`"0123456789", `, 10000) + "1]"
	if err := Array(strings.NewReader(text), 16, func(Text) bool { n++; return true }); err != nil || n != 10001 {
		t.Errorf("%d elements, %v", n, err)
	}
}

// TestArrayBound: an element may be as long as the bound, and no longer.
func TestArrayBound(t *testing.T) {
	for text, want := range map[string]error{`["12345678"]`: nil, `[ "12345678" , 1]`: nil, `["123456789"]`: ErrTooLong, `[1, {"a": 12345}]`: ErrTooLong} {
		if err := Array(strings.NewReader(text), 10, func(Text) bool { return true }); err != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestArrayFails: an error of the reader comes back as it is, behind the elements before it.
func TestArrayFails(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"", "[", "[1", "[1,", "[1]"} {
		err := Array(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), 0, func(Text) bool { return true })
		if err != broken {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestArrayStop(t *testing.T) {
	n := 0
	if err := Array(strings.NewReader("[1,2,x"), 0, func(Text) bool { n++; return n < 2 }); err != nil || n != 2 {
		t.Errorf("%d elements, %v", n, err)
	}
}

func TestLine(t *testing.T) {
	for text, want := range map[string]string{"\ufeff{}\r": "{}", " \t": "", "\ufeff": "", "1": "1"} {
		if got := Line(text, 1); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := Line("\ufeff1", 2); got != "\ufeff1" {
		t.Errorf("a byte order mark of the second line: %q", got)
	}
}
