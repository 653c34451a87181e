package ascii

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// all is every byte once.
var all = func() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}()

func filter(is func(c byte) bool) string {
	var b []byte
	for i := range len(all) {
		if is(all[i]) {
			b = append(b, all[i])
		}
	}
	return string(b)
}

func TestClasses(t *testing.T) {
	const small, capital = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	got := map[string]string{
		"digit": filter(IsDigit), "hex": filter(IsHex), "blank": filter(IsBlank), "space": filter(IsSpace), "upper": filter(IsUpper),
		"token": filter(func(c byte) bool { return IsToken(string([]byte{c})) }),
	}
	want := map[string]string{
		"digit": "0123456789", "hex": "0123456789ABCDEFabcdef", "blank": "\t ",
		"space": "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0", "upper": capital,
		"token": "!#$%&'*+-.0123456789" + capital + "^_`" + small + "|~",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnhex(t *testing.T) {
	for _, c := range []byte("0123456789ABCDEFabcdef") {
		if want, _ := strconv.ParseUint(string(c), 16, 8); Unhex(c) != byte(want) {
			t.Errorf("Unhex(%q) is %d", c, Unhex(c))
		}
	}
}

func TestCase(t *testing.T) {
	want := strings.Map(func(r rune) rune {
		if r < 0x80 {
			return unicode.ToLower(r)
		}
		return r
	}, "İSTANBUL \u212A Ä") + "\xff\xc4"
	got := Lower("İSTANBUL \u212A Ä\xff\xc4")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i := range len(all) {
		c := all[i]
		if up := UpperByte(c); c < 0x80 && rune(up) != unicode.ToUpper(rune(c)) || c >= 0x80 && up != c {
			t.Errorf("UpperByte(%q) is %q", c, up)
		}
	}
}

func TestFold(t *testing.T) {
	tests := []struct {
		s, lower      string
		prefix, equal bool
	}{
		{"", "", true, true}, {"a", "", true, false}, {"", "a", false, false},
		{"ChUnKeD", "chunked", true, true}, {"Chunked2", "chunked", true, false}, {"chunke", "chunked", false, false},
		{"\u212Aelvin", "kelvin", false, false}, {"x\x1a", "x:", false, false}, {"@", "`", false, false}, {"[", "{", false, false},
	}
	for _, tt := range tests {
		if HasPrefixFold(tt.s, tt.lower) != tt.prefix || EqualFold(tt.s, tt.lower) != tt.equal {
			t.Errorf("%q, %q: prefix %v, equal %v", tt.s, tt.lower, !tt.prefix, !tt.equal)
		}
	}
}

func TestText(t *testing.T) {
	type result struct {
		Trimmed              string
		TokenEnd             int
		Token, Digits, ASCII bool
	}
	tests := map[string]result{
		"":         {"", 0, false, false, true},
		" \t ":     {"", 0, false, false, true},
		" a b\t":   {"a b", 0, false, false, true},
		"\na\r":    {"\na\r", 0, false, false, true},
		"\u00a0a":  {"\u00a0a", 0, false, false, false},
		"GET":      {"GET", 3, true, false, true},
		"GET /":    {"GET /", 3, false, false, true},
		"007":      {"007", 3, true, true, true},
		"-1":       {"-1", 2, true, false, true},
		"1\u0661":  {"1\u0661", 1, false, false, false},
		"caf\xe9":  {"caf\xe9", 3, false, false, false},
		"a\x7f":    {"a\x7f", 1, false, false, true},
		"a(b)":     {"a(b)", 1, false, false, true},
		"M-SEARCH": {"M-SEARCH", 8, true, false, true},
	}
	for s, want := range tests {
		got := result{TrimBlanks(s), TokenEnd(s), IsToken(s), IsDigits(s), Only(s)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
		if Only([]byte(s)) != want.ASCII {
			t.Errorf("Only of the bytes of %q", s)
		}
	}
}

func TestJoinHostPort(t *testing.T) {
	for _, host := range []string{"", "h", "127.0.0.1", "::1", "fe80::1%eth0"} {
		if diff := cmp.Diff(net.JoinHostPort(host, "8080"), JoinHostPort(host, 8080)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		_ = Lower("already lower")
		_ = TrimBlanks(" value ")
		_ = IsToken("Content-Length")
		_ = EqualFold("Content-Length", "content-length")
		_ = HasPrefixFold("Content-Length", "content-")
		_ = IsDigits("123")
		_ = Only("text")
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
