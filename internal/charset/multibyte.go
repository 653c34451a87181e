package charset

import (
	"golang.org/x/net/idna"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"
)

// multiByte starts the East Asian encodings as x/text has them, which are the
// supersets browsers read: a few characters more than Python's, none less in
// those that are met in the wild.
func multiByte(codec string) (ascii bool, start func() machine) {
	var e encoding.Encoding
	ascii = true
	switch codec {
	case "shift_jis", "cp932", "shift_jis_2004", "shift_jisx0213":
		e = japanese.ShiftJIS
	case "euc_jp", "euc_jis_2004", "euc_jisx0213":
		e = japanese.EUCJP
	case "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_jp_2004":
		e, ascii = japanese.ISO2022JP, false
	case "euc_kr", "cp949":
		e = korean.EUCKR
	case "gb2312", "gbk":
		e = simplifiedchinese.GBK
	case "gb18030":
		e = simplifiedchinese.GB18030
	case "hz":
		e, ascii = simplifiedchinese.HZGB2312, false
	case "big5", "big5hkscs", "cp950":
		e = traditionalchinese.Big5
	default:
		return false, nil
	}
	return ascii, func() machine { return transformMachine{e.NewDecoder().Transformer} }
}

// transformMachine runs a decoder of x/text.
type transformMachine struct{ t transform.Transformer }

func (m transformMachine) decode(dst, src []byte, final bool) (out []byte, n int, bad bool) {
	from := len(dst)
	for {
		if cap(dst)-len(dst) < 64 {
			dst = append(dst, make([]byte, max(64, 2*(len(src)-n)))...)[:len(dst)]
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

// decodeIDNA decodes a host name from its ASCII form, which Python offers as
// an encoding, for whole texts and without replacement only.
func decodeIDNA(data []byte) (string, error) {
	if !isASCII(data) {
		return "", ErrMalformed
	}
	return idna.Punycode.ToUnicode(string(data))
}
