package charset

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// browserCodecs are the codecs of the encodings of the Encoding standard, by its names, where
// Python has another name or another encoding for them.
var browserCodecs = map[string]string{
	"shift_jis":      "cp932",
	"euc-kr":         "cp949",
	"big5":           "big5hkscs",
	"windows-874":    "cp874",
	"iso-8859-8-i":   "iso8859_8", // which differs in the direction of what is shown
	"x-mac-cyrillic": "mac_cyrillic",
	"replacement":    replacementCodec,
	"x-user-defined": userDefinedCodec,
}

// The encodings that Python has not.
const (
	replacementCodec = "replacement"
	userDefinedCodec = "x_user_defined"
)

// browserCodec returns the codec for a label of the Encoding standard that Python does not
// know, "" if it is not one.
func browserCodec(label string) string {
	e, err := htmlindex.Get(strings.TrimSpace(label))
	if err != nil {
		return ""
	}
	name, _ := htmlindex.Name(e)
	if codec, ok := browserCodecs[name]; ok {
		return codec
	}
	return codecNames()[normalize(name)]
}

// browserOnly starts the encodings that Python has not.
func browserOnly(codec string) func() machine {
	switch codec {
	case replacementCodec:
		return stateful(encoding.Replacement)
	case userDefinedCodec:
		return stateful(charmap.XUserDefined)
	}
	return nil
}
