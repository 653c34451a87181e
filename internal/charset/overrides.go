package charset

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
)

// What Python decodes and x/text does not, or decodes as something else.

// big5Kana is what Python has from C6A1 to C7FC, where browsers have other characters of the
// same kinds, by the order of another extension of Big5.
const big5Kana = `ヾゝゞ々ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをん` +
	`ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶ` +
	`ДЕЁЖЗИЙКЛМУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя①②③④⑤⑥⑦⑧⑨⑩⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽`

var big5KanaRunes = sync.OnceValue(func() []rune { return []rune(big5Kana) })

// big5Own decodes them.
func big5Own(p []byte) (char string, size int) {
	if len(p) < 2 || !isBig5Own(p[0], p[1]) {
		return "", 0
	}
	i := int(p[1]) - 0xa1
	switch {
	case p[0] == 0xc7 && p[1] <= 0x7e:
		i = 94 + int(p[1]) - 0x40
	case p[0] == 0xc7:
		i += 94 + 63
	}
	return string(big5KanaRunes()[i]), 2
}

func isBig5Own(lead, trail byte) bool {
	return lead == 0xc6 && inEUC(trail) || lead == 0xc7 && (trail >= 0x40 && trail <= 0x7e || trail >= 0xa1 && trail <= 0xfc)
}

// hasBig5Own reports whether there are any. src begins with a whole character.
func hasBig5Own(src []byte) bool {
	for i := 0; i+1 < len(src); i++ {
		if src[i] < 0x81 {
			continue
		}
		if isBig5Own(src[i], src[i+1]) {
			return true
		}
		i++
	}
	return false
}

// eucTilde decodes the tilde of JIS X 0212, which x/text takes for another one.
func eucTilde(p []byte) (char string, size int) {
	if bytes.HasPrefix(p, []byte("\x8f\xa2\xb7")) {
		return "~", 3
	}
	return "", 0
}

func hasEUCTilde(src []byte) bool { return bytes.Contains(src, []byte("\x8f\xa2\xb7")) }

// cp932Own are the characters for private use of Windows' code page.
func cp932Own(p []byte) (char string, size int) {
	switch {
	case p[0] == 0xa0:
		return "\uf8f0", 1
	case p[0] >= 0xfd:
		return string(rune(0xf8f1 + int(p[0]) - 0xfd)), 1
	case len(p) < 2 || p[0] < 0xf0 || p[0] > 0xf9 || p[1] < 0x40 || p[1] == 0x7f || p[1] > 0xfc:
		return "", 0
	}
	cell := int(p[1]) - 0x40
	if p[1] > 0x7f {
		cell--
	}
	return string(rune(0xe000 + (int(p[0])-0xf0)*188 + cell)), 2
}

// gb18030Own are the characters for private use: the three areas for users, and the holes of
// the standard.
func gb18030Own(p []byte) (char string, size int) {
	if len(p) < 2 {
		return "", 0
	}
	a, b := rune(p[0]), rune(p[1])
	switch {
	case a >= 0xaa && a <= 0xaf && b >= 0xa1 && b <= 0xfe:
		return string(0xe000 + (a-0xaa)*94 + b - 0xa1), 2
	case a >= 0xf8 && a <= 0xfe && b >= 0xa1 && b <= 0xfe:
		return string(0xe234 + (a-0xf8)*94 + b - 0xa1), 2
	case a >= 0xa1 && a <= 0xa7 && b >= 0x40 && b <= 0xa0 && b != 0x7f:
		if b > 0x7f {
			b--
		}
		return string(0xe4c6 + (a-0xa1)*96 + b - 0x40), 2
	}
	if r := gb18030Holes()[[2]byte{p[0], p[1]}]; r != 0 {
		return string(r), 2
	}
	if bytes.HasPrefix(p, []byte("\x84\x31\xa4\x37")) {
		return string(replacement), 4 // written as such
	}
	return "", 0
}

// hasGB18030Blank reports whether there may be A3A0, which browsers take for a blank.
func hasGB18030Blank(src []byte) bool { return bytes.Contains(src, []byte("\xa3\xa0")) }

var gb18030Holes = sync.OnceValue(func() map[[2]byte]rune {
	holes := map[[2]byte]rune{}
	for run := range strings.FieldsSeq(gb18030Runs) {
		code, rest, _ := strings.Cut(run, ":")
		first, count, _ := strings.Cut(rest, "+")
		c, _ := strconv.ParseUint(code, 16, 16)
		r, _ := strconv.ParseUint(first, 16, 32)
		n, _ := strconv.Atoi(count)
		for i := range n {
			holes[[2]byte{byte(c >> 8), byte(c) + byte(i)}] = rune(r) + rune(i)
		}
	}
	return holes
})

// gb18030Runs are runs of codes: the first one, its character, and how many there are.
const gb18030Runs = `
a2ab:e766+6 a2e4:e76d+1 a2ef:e76e+2 a2fd:e770+2 a4f4:e772+11 a5f7:e77d+8 a6b9:e785+8 a6d9:e78d+7 a6ec:e794+2 a6f3:e796+1
a6f6:e797+9 a7c2:e7a0+15 a7f2:e7af+13 a896:e7bc+11 a8bc:e7c7+1 a8c1:e7c9+4 a8ea:e7cd+21 a958:e7e2+1 a95b:e7e3+1
a95d:e7e4+3 a997:e7f4+13 a9f0:e801+15 d7fa:e810+5 fe51:e816+3 fe59:e81e+1 fe61:e826+1 fe66:e82b+2 fe6c:e831+2
fe76:e83b+1 fe7e:e843+1 fe90:e854+2 fea0:e864+1`
