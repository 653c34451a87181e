package charset

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// allCodecs are one name of each codec.
func allCodecs() []string {
	var names []string
	seen := map[string]bool{}
	for _, codec := range codecNames() {
		if !seen[codec] {
			seen[codec] = true
			names = append(names, codec)
		}
	}
	return names
}

func TestLookup(t *testing.T) {
	tests := []struct{ name, want string }{
		{"utf-8", "utf_8"}, {"UTF8", "utf_8"}, {"utf 8", "utf_8"}, {" Utf--8_", "utf_8"}, {"u8", "utf_8"},
		{"latin-1", "latin_1"}, {"ISO-8859-1", "latin_1"}, {"l1", "latin_1"}, {"iso8859-1", "latin_1"},
		{"ISO_8859-15", "iso8859_15"}, {"latin9", "iso8859_15"}, {"Windows-1252", "cp1252"}, {"cp1252", "cp1252"},
		{"ANSI_X3.4-1968", "ascii"}, {"us-ascii", "ascii"}, {"macintosh", "mac_roman"}, {"KOI8-R", "koi8_r"},
		{"Shift_JIS", "shift_jis"}, {"sjis", "shift_jis"}, {"ms-kanji", "cp932"}, {"ks_c_5601-1987", "euc_kr"},
		{"utf-16le", "utf_16_le"}, {"UTF-32BE", "utf_32_be"}, {"unicode-1-1-utf-7", "utf_7"}, {"utf-8-sig", "utf_8_sig"},
		{"", ""}, {"é", ""}, {"bogus", ""}, {"base64", ""}, {"rot13", ""}, {"utf8-sig", ""}, {"UTF16BE", ""}, {"johab", "johab"},
		{"windows-31j", "cp932"}, {"X-SJIS", "cp932"}, {" x-gbk ", "gbk"}, {"iso-8859-8-i", "iso8859_8"}, {"logical", "iso8859_8"},
		{"iso-2022-kr", "iso2022_kr"}, {"x-x-big5", "big5hkscs"}, {"windows-949", "cp949"}, {"windows-874", "cp874"},
		{"x-mac-ukrainian", "mac_cyrillic"}, {"x-user-defined", "x_user_defined"}, {"iso-2022-cn", "replacement"},
		{"unicode11utf8", "utf_8"}, {"x-cp1252", "cp1252"}, {"csiso88596e", "iso8859_6"}, {"sun_eu_greek", "iso8859_7"},
	}
	for _, tt := range tests {
		e, ok := Lookup(tt.name)
		if e.Name() != tt.want || ok != (tt.want != "") {
			t.Errorf("Lookup(%q) = %q, %v, want %q", tt.name, e.Name(), ok, tt.want)
		}
	}
}

func TestDecode(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"utf-8", "a\xe2\x82\xacb\xe2\x82", "a€b\ufffd"},
		{"utf-8", "\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
		{"utf-8", "\xef\xbb\xbfa", "\ufeffa"},
		{"utf-8-sig", "\xef\xbb\xbfa\xef\xbb\xbf", "a\ufeff"},
		{"utf-8-sig", "\xef\xbb", "\ufffd"},
		{"utf-16", "\xfe\xff\x00a", "a"},
		{"utf-16", "a\x00\xff\xfe", "a\ufeff"},
		{"utf-16-le", "\xff\xfea\x00", "\ufeffa"},
		{"utf-16-be", "\xd8\x3d\xde\x00\xd8\x3d\x00a\xdc\x00\xd8", "😀\ufffda\ufffd\ufffd"},
		{"utf-32", "\x00\x00\xfe\xff\x00\x01\xf6\x00\x00\x11\x00\x00\x00", "😀\ufffd\ufffd"},
		{"utf-7", "Hi Mom -+Jjo--!", "Hi Mom -☺-!"},
		{"utf-7", "1 +- 1 = +AGE-\xff", "1 + 1 = a\ufffd"},
		{"ascii", "a\x80b", "a\ufffdb"},
		{"latin-1", "\x80\xff", "\u0080ÿ"},
		{"cp1252", "\x80\x81", "€\ufffd"},
		{"cp037", "\xc1\xc2", "AB"},
		{"shift_jis", "\x82\xa0\x81\x60\x81.\x82", "あ〜\ufffd.\ufffd"},
		{"cp932", "\x81\x60", "～"},
		{"euc_jp", "\x8f\xa1", "\ufffd"},
		{"gb18030", "\x81\x30\x81\x30", "\u0080"},
		{"iso-2022-jp", "\x1b$BF|\x1b(B!", "日!"},
		{"hz", "~{VPND~}!", "中文!"},
		{"big5", "\xa4", "\ufffd"},
		{"Big5", "\xc7\x5e\xc7\x51\xc7\x60", "テスト"},
		{"johab", "\xd0\x65\x8b\x69\x20\xf7\xd3\xf1\xae", "한글 漢字"},
		{"iso2022_kr", "\x1b\x24\x29\x43\x0e\x47\x51\x31\x5b\x0f\x20\x74\x65\x78\x74", "한글 text"},
		{"euc_jis_2004", "\xa4\xf7\x8f\xa1\xa1", "か゚𠂉"},
		{"shift_jis_2004", "\x82\xf5\x5c", "か゚¥"},
		{"iso2022_jp_2", "\x1b\x24\x42\x43\x66\x1b\x24\x28\x44\x2b\x31\x1b\x28\x42", "中é"},
		{"iso2022_jp_2004", "\x1b\x24\x28\x51\x24\x77\x7e\x65\x1b\x28\x42", "か゚鷗"},
		{"windows-31j", "\x87\x40\x83\x65\x83\x58\x83\x67", "①テスト"},
		{"x-gbk", "\xd6\xd0", "中"},
		{"iso-8859-8-i", "\xf9\xec", "\u05e9\u05dc"},
		{"x-user-defined", "a\x80\xff", "a\uf780\uf7ff"},
		{"iso-2022-cn", "abc", "\ufffd"},
	}
	for _, tt := range tests {
		got, ok := Decode([]byte(tt.data), tt.name)
		if diff := cmp.Diff(tt.want, got); diff != "" || !ok {
			t.Errorf("%s: %q: ok %v (-want +got):\n%s", tt.name, tt.data, ok, diff)
		}
		for size := 1; size < 4; size++ {
			if diff := cmp.Diff(tt.want, inPieces(t, tt.name, []byte(tt.data), size)); diff != "" {
				t.Errorf("%s: %q in pieces of %d (-want +got):\n%s", tt.name, tt.data, size, diff)
			}
		}
	}
}

// inPieces decodes in pieces of a size and checks that each is whole text.
func inPieces(t *testing.T, name string, data []byte, size int) string {
	t.Helper()
	d, ok := NewDecoder(name)
	if !ok {
		t.Fatalf("no decoder for %q", name)
	}
	var b strings.Builder
	for len(data) > 0 {
		n := min(size, len(data))
		piece := d.Decode(data[:n], false)
		if !utf8.ValidString(piece) {
			t.Errorf("%s: piece %q is cut", name, piece)
		}
		b.WriteString(piece)
		data = data[n:]
	}
	b.WriteString(d.Decode(nil, true))
	return b.String()
}

// TestASCIIShortcut checks every codec that claims ASCII stands for itself.
func TestASCIIShortcut(t *testing.T) {
	var ascii [128]byte
	for i := range ascii {
		ascii[i] = byte(i)
	}
	for _, name := range allCodecs() {
		e, _ := Lookup(name)
		if e.start == nil || !e.ascii {
			continue
		}
		if out, bad := e.all(ascii[:]); bad || !bytes.Equal(ascii[:], out) {
			t.Errorf("%s: ASCII becomes %q", name, out)
		}
	}
}

func TestDecodeAllocs(t *testing.T) {
	data := []byte(strings.Repeat("naïve text, ", 1000))
	if n := testing.AllocsPerRun(10, func() { Decode(data, "utf-8") }); n > 3 {
		t.Errorf("valid UTF-8: %v allocations", n)
	}
}

func TestDetect(t *testing.T) {
	russian := "Съешь же ещё этих мягких французских булок, да выпей чаю. Привет, как дела? Это длинный текст."
	tests := []struct{ data, want string }{
		{"", "utf-8"},
		{"plain", "ascii"},
		{"caf\xc3\xa9", "utf-8"},
		{"caf\xc3\xa9 \xe2\x82", "utf-8"}, // a sample may be cut inside a character
		{encodeWith(t, "cp1251", russian), "Windows-1251"},
		{encodeWith(t, "koi8_r", russian), "KOI8-R"},
		{"\xff\xfea\x00", "UTF-16"},
		{"\xfe\xff\x00a", "UTF-16"},
		{"h\x00e\x00l\x00l\x00o\x00 \x00p\x00l\x00a\x00i\x00n\x00 \x00t\x00e\x00x\x00t\x00", "UTF-16LE"},
		{"a\x00b", "ascii"},
		{"\x1b$BF|K\\8l\x1b(B", "ISO-2022-JP"},
		{strings.Repeat("x", 100_000) + encodeWith(t, "cp1251", russian), "Windows-1251"},
	}
	for _, tt := range tests {
		if got := Detect([]byte(tt.data)); !strings.EqualFold(got, tt.want) {
			t.Errorf("Detect(%.30q…) = %q, want %q", tt.data, got, tt.want)
		}
	}
	if got := Detect([]byte("caf\xe9")); got == "utf-8" || got == "ascii" {
		t.Errorf("a letter of latin-1 at the end: %q", got)
	}
}

// encodeWith encodes by a table codec.
func encodeWith(t *testing.T, codec, text string) string {
	t.Helper()
	table := []rune(singleByte[codec])
	var b strings.Builder
	for _, r := range text {
		i := strings.IndexRune(string(table), r)
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case i < 0:
			t.Fatalf("%q is not in %s", r, codec)
		default:
			b.WriteByte(byte(utf8.RuneCountInString(string(table)[:i]) + 256 - len(table)))
		}
	}
	return b.String()
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"text", "\xef\xbb\xbfx", "\xff\xfea\x00\x3d\xd8", "\x82\xa0\x81", "+AGE-", "\x1b$BF|", "~{VP", "\x8f\xa1\xa1", "\x81\x30\x81"} {
		f.Add([]byte(seed), uint(0), 1)
		f.Add([]byte(seed), uint(7), 2)
	}
	codecs := []string{"utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-7", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
		"gbk", "cp932", "hz", "iso2022_jp", "iso2022_kr", "iso2022_jp_2", "johab", "euc_jis_2004", "shift_jis_2004", "x-user-defined", "cp1252", "cp037", "latin-1", "ascii"}
	f.Fuzz(func(t *testing.T, data []byte, codec uint, size int) {
		name := codecs[codec%uint(len(codecs))]
		whole, ok := Decode(data, name)
		if !ok || !utf8.ValidString(whole) {
			t.Fatalf("%s: ok %v, %q", name, ok, whole)
		}
		if diff := cmp.Diff(whole, inPieces(t, name, data, max(1, size))); diff != "" {
			t.Errorf("%s in pieces of %d (-whole +pieces):\n%s", name, size, diff)
		}
		strict, err := DecodeStrict(data, name)
		if err == nil && strict != whole {
			t.Errorf("%s: strict %q, else %q", name, strict, whole)
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte("caf\xe9 \x81\x82\xa0"), "text/html; charset=x")
	f.Add([]byte(`<meta charset="x"><?xml encoding='y'?>`), "a;b=c;;=")
	f.Add([]byte("\x1b$)C\x0e"), "")
	f.Fuzz(func(t *testing.T, data []byte, contentType string) {
		name, ok := Declared(contentType)
		if s := Text(data, name, ok); !utf8.ValidString(s) {
			t.Errorf("text %q", s)
		}
		if _, ok := Lookup(Detect(data)); !ok {
			t.Errorf("detected %q", Detect(data))
		}
		GuessJSON(data)
		_, _ = TextFromContent(data, contentType)
		_, _ = TextFromHeader(data, contentType)
	})
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(strings.Repeat("Some naïve text of 日本, ", 1000))
	sjis := bytes.Repeat([]byte("\x82\xa0\x88\xc0 text "), 2000)
	for _, bench := range []struct {
		name string
		data []byte
	}{
		{"utf-8", text}, {"utf-8", append([]byte{0xff}, text...)}, {"latin-1", text}, {"cp1252", text}, {"shift_jis", sjis},
		{"shift_jis", bytes.Repeat([]byte("\x82\xa0\x81."), 5000)}, {"utf-16", text},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.data)))
			for b.Loop() {
				Decode(bench.data, bench.name)
			}
		})
	}
}

func BenchmarkDetect(b *testing.B) {
	for name, data := range map[string][]byte{
		"ascii":  bytes.Repeat([]byte("plain text "), 10_000),
		"utf-8":  []byte(strings.Repeat("naïve ", 10_000)),
		"latin1": bytes.Repeat([]byte("na\xefve caf\xe9 "), 10_000),
		"random": bytes.Repeat([]byte("\x81\xa0\xff\x90\xc3z\x1b"), 10_000),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Detect(data)
			}
		})
	}
}
