package charset

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/wlynxg/chardet"

	"github.com/mountable/requests/internal/ascii"
)

// sampleSize bounds what the statistics look at. More text does not change the
// answer, it only takes longer.
const sampleSize = 8 << 10

// marks are the byte order marks, longest first.
var marks = []struct{ mark, name string }{
	{"\xff\xfe\x00\x00", "UTF-32"},
	{"\x00\x00\xfe\xff", "UTF-32"},
	{"\xef\xbb\xbf", "UTF-8-SIG"},
	{"\xff\xfe", "UTF-16"},
	{"\xfe\xff", "UTF-16"},
}

// Detect guesses the encoding of text from its bytes: the byte order mark, then
// ascii, then utf-8 if it is valid, then what the letters of the first 8 KiB
// that are not ASCII make likely. The name is one Lookup knows. Like every such
// guess it is wrong at times, the more the shorter the text; no text is utf-8.
// It takes time linear in the length of sample, and a bounded amount beyond it.
func Detect(sample []byte) string {
	for _, m := range marks {
		if bytes.HasPrefix(sample, []byte(m.mark)) {
			return m.name
		}
	}
	switch {
	case len(sample) == 0:
		return "utf-8"
	case ascii.Only(sample):
		return likelyASCII(sample)
	case isUTF8(sample):
		return "utf-8"
	}
	return guess(sample)
}

// likelyASCII looks for encodings whose bytes are all ASCII: those of seven bits
// with their escape sequences, and UTF-16 or UTF-32 of English text.
func likelyASCII(sample []byte) string {
	if bytes.Contains(sample, []byte("\x1b$")) || bytes.IndexByte(sample, 0) >= 0 {
		if name := guess(sample); strings.HasPrefix(name, "ISO-2022") || strings.HasPrefix(name, "UTF-") {
			return name
		}
	}
	return "ascii"
}

// isUTF8 tells whether text that is not all ASCII is UTF-8. A sample may end
// inside a character, if others before it were whole.
func isUTF8(sample []byte) bool {
	valid := validPrefix(sample)
	tail := sample[valid:]
	if len(tail) == 0 {
		return true
	}
	return subpart(tail) == len(tail) && len(tail) < sequenceLen(tail[0]) && !ascii.Only(sample[:valid])
}

func guess(sample []byte) string {
	name := chardetName(interesting(sample))
	if _, ok := Decode(nil, name); !ok {
		return "utf-8"
	}
	return name
}

// interesting is the part of the text the statistics are taken from: it starts
// close before the first byte that is not plain ASCII, between two characters
// if these have two or four bytes.
func interesting(sample []byte) []byte {
	first := bytes.IndexFunc(sample, func(r rune) bool { return r >= utf8.RuneSelf || r == 0x1b })
	start := max(0, first-64) &^ 3
	return sample[start:min(len(sample), start+sampleSize)]
}

// chardetName asks the detector. It is foreign code fed with whatever a server
// sends, so a fault in it must not become one of the program.
func chardetName(sample []byte) (name string) {
	defer func() {
		if recover() != nil {
			name = "utf-8"
		}
	}()
	return chardet.Detect(sample).Encoding
}
