package uri

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/mountable/requests/internal/ascii"
)

var errLabel = errors.New("not a valid label")

// maxLabel is the longest label of a domain name (RFC 1035 section 2.3.4). No
// non-ASCII label with more characters fits into it once it is encoded.
const maxLabel = 63

// registration checks normal form, joiners, the first character and direction
// of a label, and maps nothing. Hyphens are checked here, since it takes them at
// byte positions.
var registration = idna.New(
	idna.ValidateForRegistration(),
	idna.CheckHyphens(false),
	idna.CheckJoiners(true),
	idna.BidiRule(),
	idna.StrictDomainName(true),
	idna.Transitional(false),
)

// encodeLabel encodes one label as RFC 5891 section 4 asks, after lower-casing.
// An ASCII label is only looked at if it claims to be encoded: it must decode
// to something that is not ASCII and encodes to the same label, so that it
// never stands for a plain name.
func encodeLabel(label string) (string, error) {
	if ascii.Only(label) {
		if strings.HasPrefix(label, "xn--") && !isEncodedLabel(label) {
			return "", errLabel
		}
		return label, nil
	}
	if !utf8.ValidString(label) || utf8.RuneCountInString(label) > maxLabel {
		return "", errLabel
	}
	label = cases.Lower(language.Und).String(label)
	if runes := []rune(label); ascii.Only(label) || hasBadHyphen(runes) || !isPermitted(runes) {
		return "", errLabel
	}
	encoded, err := registration.ToASCII(label)
	if err != nil || len(encoded) > maxLabel {
		return "", errLabel
	}
	return encoded, nil
}

func isEncodedLabel(label string) bool {
	decoded, err := idna.Punycode.ToUnicode(label)
	if err != nil || ascii.Only(decoded) || strings.ContainsFunc(decoded, isNoText) {
		return false
	}
	encoded, err := idna.Punycode.ToASCII(decoded)
	return err == nil && encoded == label
}

// isNoText reports whether r can be in no name, whatever Unicode may still add.
func isNoText(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cs, unicode.Noncharacter_Code_Point)
}

// hasBadHyphen applies RFC 5891 section 4.2.3.1.
func hasBadHyphen(label []rune) bool {
	return label[0] == '-' || label[len(label)-1] == '-' ||
		len(label) > 3 && label[2] == '-' && label[3] == '-'
}

// isPermitted reports whether every character of label is PVALID (RFC 5892), or
// a joiner, which the profile judges, or stands in the context it needs.
func isPermitted(label []rune) bool {
	for i, r := range label {
		if !permitted(r) && r != 0x200c && r != 0x200d && !inContext(label, i) {
			return false
		}
	}
	return true
}

// permitted computes the derived property of RFC 5892 section 3.
func permitted(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '-' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	switch r {
	case 0x00df, 0x03c2, 0x06fd, 0x06fe, 0x0f0b, 0x3007: // exceptions, section 2.6
		return true
	case 0x0640, 0x07fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b:
		return false
	}
	if 0x0660 <= r && r <= 0x0669 || 0x06f0 <= r && r <= 0x06f9 {
		return false // by context
	}
	return unicode.In(r, unicode.Ll, unicode.Lu, unicode.Lo, unicode.Nd, unicode.Lm, unicode.Mn, unicode.Mc) &&
		isStable(r) && !isIgnorable(r)
}

// isStable reports whether normalising and case folding leave r alone (section
// 2.2).
func isStable(r rune) bool {
	s := string(r)
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))) == s
}

// isIgnorable covers sections 2.3, 2.4 and 2.9: default ignorable characters,
// blocks of no use in names, and old Hangul Jamo.
func isIgnorable(r rune) bool {
	switch {
	case 0x1100 <= r && r <= 0x11ff, 0xa960 <= r && r <= 0xa97c, 0xd7b0 <= r && r <= 0xd7fb:
		return true
	case 0x20d0 <= r && r <= 0x20ff, 0x1d100 <= r && r <= 0x1d24f:
		return true
	}
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
		unicode.White_Space, unicode.Noncharacter_Code_Point)
}

// inContext applies the rules of RFC 5892 appendix A.3 to A.9.
func inContext(label []rune, i int) bool {
	next := rune(-1)
	if i+1 < len(label) {
		next = label[i+1]
	}
	switch r := label[i]; {
	case r == 0x00b7:
		return i > 0 && label[i-1] == 'l' && next == 'l'
	case r == 0x0375:
		return unicode.Is(unicode.Greek, next)
	case r == 0x05f3 || r == 0x05f4:
		return i > 0 && unicode.Is(unicode.Hebrew, label[i-1])
	case r == 0x30fb:
		return hasScript(label, unicode.Hiragana, unicode.Katakana, unicode.Han)
	case 0x0660 <= r && r <= 0x0669:
		return !hasRange(label, 0x06f0, 0x06f9)
	case 0x06f0 <= r && r <= 0x06f9:
		return !hasRange(label, 0x0660, 0x0669)
	}
	return false
}

func hasScript(label []rune, scripts ...*unicode.RangeTable) bool {
	for _, r := range label {
		if r != 0x30fb && unicode.In(r, scripts...) {
			return true
		}
	}
	return false
}

func hasRange(label []rune, low, high rune) bool {
	for _, r := range label {
		if low <= r && r <= high {
			return true
		}
	}
	return false
}
