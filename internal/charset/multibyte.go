package charset

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"

	"github.com/mountable/requests/internal/ascii"
)

// multiByte starts the East Asian encodings, with the tables of x/text. These
// are what browsers read: where they differ from Python's, they have characters
// Python has not.
func multiByte(codec string) (ascii bool, start func() machine) {
	switch codec {
	case "shift_jis":
		return true, pairs(japanese.ShiftJIS, jisSymbols)
	case "shift_jis_2004":
		return false, pairsAnd(japanese.ShiftJIS, jisSymbols, shiftJISX0213, always)
	case "shift_jisx0213":
		return false, pairsAnd(japanese.ShiftJIS, jisSymbols, of2000(shiftJISX0213, "\xfc\x5a"), always)
	case "cp932":
		return true, pairsAnd(japanese.ShiftJIS, nil, cp932Own, nil)
	case "euc_jp":
		return true, pairsAnd(japanese.EUCJP, jisSymbols, eucTilde, hasEUCTilde)
	case "euc_jis_2004":
		return true, pairsAnd(japanese.EUCJP, jisSymbols, eucJISX0213, always)
	case "euc_jisx0213":
		return true, pairsAnd(japanese.EUCJP, jisSymbols, of2000(eucJISX0213, "\x8f\xfd\xbb"), always)
	case "euc_kr", "cp949":
		return true, pairs(korean.EUCKR, nil)
	case "johab":
		return true, func() machine {
			return &pairMachine{transformMachine: transformMachine{johabLeads{}}, own: johab, suspect: always}
		}
	case "gb2312":
		return true, pairs(simplifiedchinese.GBK, gbSymbols)
	case "gbk":
		return true, pairs(simplifiedchinese.GBK, nil)
	case "gb18030":
		return true, pairsAnd(simplifiedchinese.GB18030, nil, gb18030Own, hasGB18030Blank)
	case "big5":
		return true, pairsAnd(traditionalchinese.Big5, big5Symbols, big5Own, hasBig5Own)
	case "cp950":
		return true, pairsAnd(traditionalchinese.Big5, cp950Symbols, big5Own, hasBig5Own)
	case "big5hkscs":
		return true, pairs(traditionalchinese.Big5, big5Symbols)
	case "hz":
		return false, stateful(simplifiedchinese.HZGB2312)
	}
	return false, iso2022(codec)
}

// Symbols for which the standards and the code pages of Windows chose
// different characters; x/text has those of Windows.
var (
	jisSymbols  = strings.NewReplacer("～", "〜", "∥", "‖", "－", "−", "￠", "¢", "￡", "£", "￢", "¬")
	gbSymbols   = strings.NewReplacer("·", "・", "—", "―")
	big5Symbols = strings.NewReplacer("‧", "•", "﹑", "､", "¯", "‾", "～", "∼", "⊕", "♁", "⊙", "☉",
		"∕", "／", "﹨", "＼", "￥", "¥", "￠", "¢", "￡", "£")
	cp950Symbols = strings.NewReplacer("￭", "▓")
)

func stateful(e encoding.Encoding) func() machine {
	return func() machine { return transformMachine{e.NewDecoder().Transformer} }
}

// transformMachine runs a decoder of x/text.
type transformMachine struct{ t transform.Transformer }

func (m transformMachine) decode(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	from := len(dst)
	for {
		if cap(dst)-len(dst) < 64 {
			dst = slices.Grow(dst, max(64, 2*(len(src)-n)))
		}
		nd, ns, err := m.t.Transform(dst[len(dst):cap(dst)], src[n:], final)
		dst = dst[:len(dst)+nd]
		n += ns
		if err != transform.ErrShortDst {
			break
		}
	}
	return dst, n, containsReplacement(dst[from:])
}

// pairMachine decodes an encoding without states. Text in which everything is
// right goes through x/text at once; in other text each character is tried on
// its own, since Python gives one U+FFFD for the first byte of a sequence that
// is wrong and goes on with the second.
type pairMachine struct {
	transformMachine
	symbols *strings.Replacer
	own     func(p []byte) (char string, size int) // characters that are not x/text's; may be nil
	suspect func(src []byte) bool                  // own may have characters where x/text has others; may be nil
	one     [16]byte                               // room for one character
}

func pairs(e encoding.Encoding, symbols *strings.Replacer) func() machine {
	return pairsAnd(e, symbols, nil, nil)
}

// pairsAnd is pairs with characters of its own: where x/text has none, and in data that is
// suspect.
func pairsAnd(e encoding.Encoding, symbols *strings.Replacer, own func([]byte) (string, int), suspect func([]byte) bool) func() machine {
	return func() machine {
		return &pairMachine{transformMachine: transformMachine{e.NewDecoder().Transformer}, symbols: symbols, own: own, suspect: suspect}
	}
}

func always([]byte) bool { return true }

// block is how much text one wrong byte can slow down.
const block = 4 << 10

func (m *pairMachine) decode(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	for n < len(src) {
		end := min(n+block, len(src))
		next, used, wrong := m.block(dst, src[n:end], final && end == len(src))
		if used == 0 {
			break
		}
		dst, n, bad = next, n+used, bad || wrong
	}
	return dst, n, bad
}

func (m *pairMachine) block(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	from := len(dst)
	if m.suspect != nil && m.suspect(src) {
		return m.single(dst, src, final)
	}
	out, n, bad = m.transformMachine.decode(dst, src, final)
	if bad {
		return m.single(out[:from], src, final)
	}
	if m.symbols != nil {
		out = append(out[:from], m.symbols.Replace(string(out[from:]))...)
	}
	return out, n, bad
}

func (m *pairMachine) single(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	for n < len(src) {
		if own, size := m.ownChar(src[n:]); own != "" {
			dst = append(dst, own...)
			n += size
			continue
		}
		if src[n] < utf8.RuneSelf {
			dst = append(dst, src[n])
			n++
			continue
		}
		char, size := m.char(src[n:])
		if size == 0 && m.incomplete(src[n:]) {
			if !final {
				break
			}
			size = len(src) - n
		}
		switch {
		case len(char) == 0:
			dst, bad = append(dst, replacement...), true
		case m.symbols != nil:
			dst = append(dst, m.symbols.Replace(string(char))...)
		default:
			dst = append(dst, char...)
		}
		n += max(1, size)
	}
	return dst, n, bad
}

// ownChar is the first character of p, if it is one that x/text has not.
func (m *pairMachine) ownChar(p []byte) (char string, size int) {
	if m.own == nil {
		return "", 0
	}
	return m.own(p)
}

// longest is the size of the longest character, of GB 18030.
const longest = 4

// char decodes the first character of p; size 0 means there is none. What it
// returns is valid until the next call.
func (m *pairMachine) char(p []byte) (char []byte, size int) {
	for size := 1; size <= min(longest, len(p)); size++ {
		n, used, err := m.t.Transform(m.one[:], p[:size], true)
		if err == nil && used == size && !containsReplacement(m.one[:n]) {
			return m.one[:n], size
		}
	}
	return nil, 0
}

// incomplete tells whether p is the beginning of a character.
func (m *pairMachine) incomplete(p []byte) bool {
	if len(p) >= longest {
		return false
	}
	_, n, err := m.t.Transform(m.one[:], p, false)
	return n == 0 && err == transform.ErrShortSrc
}

// decodeIDNA decodes a host name from its ASCII form, which Python offers as
// an encoding, for whole texts and without replacement only.
func decodeIDNA(data []byte) (string, error) {
	if !ascii.Only(data) {
		return "", ErrMalformed
	}
	return idna.Punycode.ToUnicode(string(data))
}
