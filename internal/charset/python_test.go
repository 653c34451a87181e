package charset

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// decodeInPython decodes a piece of data a line, in hexadecimal, by the codec in front of it.
// What Python refuses is "-".
const decodeInPython = `
import sys
for line in sys.stdin:
    codec, data = line.split(" ")
    try:
        print("+" + bytes.fromhex(data).decode(codec).encode("utf-8", "surrogatepass").hex())
    except UnicodeDecodeError:
        print("-")
`

// sample is data of a codec.
type sample struct {
	codec string
	data  []byte
}

// checkLikePython compares with what Python makes of samples, where that is anything.
func checkLikePython(t *testing.T, samples []sample) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is the reference, and is not installed")
	}
	var in bytes.Buffer
	for _, s := range samples {
		in.WriteString(s.codec + " " + hex.EncodeToString(s.data) + "\n")
	}
	cmd := exec.Command(python, "-c", decodeInPython)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string]int{}
	for i, line := range strings.Fields(string(out)) {
		s := samples[i]
		want, err := hex.DecodeString(strings.TrimPrefix(line, "+"))
		if line == "-" {
			continue
		}
		if err != nil {
			t.Fatalf("Python says %q of %x in %s", line, s.data, s.codec)
		}
		if got, _ := Decode(s.data, s.codec); got != string(want) && utf8.Valid(want) {
			if wrong[s.codec]++; wrong[s.codec] < 10 {
				t.Errorf("%s: %x is %q, want %q", s.codec, s.data, got, want)
			}
		}
	}
	if len(wrong) > 0 {
		t.Errorf("wrong are %v", wrong)
	}
}

// pairsOfBytes are all single bytes and, of codecs that have them, pairs, and what has a
// third and a fourth byte.
func pairsOfBytes(codec string) [][]byte {
	var data [][]byte
	for a := range 256 {
		data = append(data, []byte{byte(a)})
		for b := 0; b < 256 && a >= 0x80 && singleByte[codec] == ""; b++ {
			data = append(data, []byte{byte(a), byte(b)})
		}
	}
	for a := 0xa1; a < 0xff && strings.HasPrefix(codec, "euc_j"); a++ {
		for b := 0xa1; b < 0xff; b++ {
			data = append(data, []byte{0x8f, byte(a), byte(b)})
		}
	}
	for i := 0; i < 1_587_600 && codec == "gb18030"; i += 101 {
		data = append(data, []byte{byte(i/12600) + 0x81, byte(i/1260%10) + 0x30, byte(i/10%126) + 0x81, byte(i%10) + 0x30})
	}
	return data
}

// TestLikePython: what a codec of Python decodes is decoded, and to the same.
func TestLikePython(t *testing.T) {
	var samples []sample
	for _, codec := range allCodecs() {
		if e, _ := Lookup(codec); e.start == nil || strings.HasPrefix(codec, "utf") || strings.HasPrefix(codec, "iso2022") || codec == "hz" || codec == "hp_roman8" {
			continue // hp_roman8: Python's own versions differ
		}
		for _, data := range pairsOfBytes(codec) {
			samples = append(samples, sample{codec, data})
		}
	}
	checkLikePython(t, samples)
}

// TestEscapesLikePython: random bytes with escape sequences are what they are in Python, if
// they are anything there.
func TestEscapesLikePython(t *testing.T) {
	pieces := []string{"\x1b$B", "\x1b$@", "\x1b(B", "\x1b(J", "\x1b(I", "\x1b$(D", "\x1b$(C", "\x1b$)C", "\x1b$A", "\x1b.A", "\x1b.F", "\x1bN",
		"\x1b$(O", "\x1b$(P", "\x1b$(Q", "\x0e", "\x0f", "\n", "\x1b", "\x1b$", "text", "~{", "~}", "~~", "~\n", "\x80", "\xa1\xa2", "F|K\\", "0!", "!!", "\x1b(X"}
	random := rand.New(rand.NewPCG(1, 2))
	var samples []sample
	for _, codec := range []string{"iso2022_kr", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_2004", "iso2022_jp_ext", "hz"} {
		for range 3000 {
			var b []byte
			for range random.IntN(6) + 1 {
				if random.IntN(3) == 0 {
					b = append(b, byte(random.IntN(0x5e)+0x21), byte(random.IntN(0x5e)+0x21))
					continue
				}
				b = append(b, pieces[random.IntN(len(pieces))]...)
			}
			samples = append(samples, sample{codec, b})
		}
	}
	checkLikePython(t, samples)
}

// TestLabels: every label of the Encoding standard stands for an encoding that decodes what
// the standard's does.
func TestLabels(t *testing.T) {
	for label := range strings.FieldsSeq(labels) {
		standard, err := htmlindex.Get(label)
		if err != nil {
			t.Fatalf("%s is not a label: %v", label, err)
		}
		if _, ok := Lookup(label); !ok {
			t.Errorf("%s is not known", label)
		}
		if codec := canonical(label); codecNames()[normalize(label)] != "" || codec == replacementCodec || codec == "iso8859_8" {
			continue // Python's
		}
		for _, data := range [][]byte{[]byte("text"), {0xa4, 0xa2}, {0xc4, 0xe3}, {0x83, 0x65}, {0xb0, 0xa1}, {0xe1}} {
			want, _ := standard.NewDecoder().Bytes(data)
			if got, _ := Decode(data, label); got != string(want) && !containsReplacement(want) {
				t.Errorf("%s: %x is %q, want %q", label, data, got, want)
			}
		}
	}
}

// labels are those of the Encoding standard.
const labels = `unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8
866 cp866 csibm866 ibm866
csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek
csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual
csiso88598i iso-8859-8-i logical
csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6
iso-8859-13 iso8859-13 iso885913
iso-8859-14 iso8859-14 iso885914
csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9
iso-8859-16
cskoi8r koi koi8 koi8-r koi8_r
koi8-ru koi8-u
csmacintosh mac macintosh x-mac-roman
dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874
cp1250 windows-1250 x-cp1250
cp1251 windows-1251 x-cp1251
ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252
cp1253 windows-1253 x-cp1253
cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254
cp1255 windows-1255 x-cp1255
cp1256 windows-1256 x-cp1256
cp1257 windows-1257 x-cp1257
cp1258 windows-1258 x-cp1258
x-mac-cyrillic x-mac-ukrainian
chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk
gb18030
big5 big5-hkscs cn-big5 csbig5 x-x-big5
cseucpkdfmtjapanese euc-jp x-euc-jp
csiso2022jp iso-2022-jp
csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis
cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement
utf-16be unicodefffe
csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le
x-user-defined`
