package toolbelt

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the most bytes a file name may have on the file systems in use.
const maxName = 255

// SafeFilename makes a name that somebody else chose fit to be a file's in a
// directory one has chosen, on any system, and reports whether anything is left of
// it:
//
//   - only what follows the last slash, of either kind
//   - no control characters, and none that are invisible or turn the direction of
//     writing; what is not UTF-8 is left out
//   - none of < > : " | ? *, which become "_"
//   - no dots or blanks at its beginning, so that it is neither hidden nor ".."; none
//     at its end, where Windows drops them
//   - no name of a Windows device, with any extension: those get a "_" before them
//   - at most 255 bytes, cut between two characters and before the extension
func SafeFilename(name string) (string, bool) {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.ToValidUTF8(name, "")
	name = trimEnds(strings.Map(safeRune, name))
	if isDevice(name) {
		name = "_" + name
	}
	name = trimEnds(shorten(name))
	return name, name != ""
}

// safeRune replaces or drops (-1) a character.
func safeRune(r rune) rune {
	switch {
	case strings.ContainsRune(`<>:"|?*`, r):
		return '_'
	case r == '\u200c' || r == '\u200d': // joiners, which some scripts need
		return r
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point):
		return -1
	}
	return r
}

func trimEnds(name string) string {
	name = strings.TrimLeftFunc(name, isDotOrBlank)
	return strings.TrimRightFunc(name, isDotOrBlank)
}

func isDotOrBlank(r rune) bool {
	return r == '.' || r == '\u200c' || r == '\u200d' || unicode.IsSpace(r)
}

// isDevice reports whether Windows takes name for a device: it looks at what comes
// before the first dot, without blanks at its end.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$":
		return true
	}
	number, found := strings.CutPrefix(stem, "COM")
	if !found {
		number, found = strings.CutPrefix(stem, "LPT")
	}
	return found && utf8.RuneCountInString(number) == 1 && strings.Contains("0123456789¹²³", number)
}

// maxExtension is the longest ending that counts as an extension worth keeping.
const maxExtension = 32

// shorten cuts name to maxName bytes, keeping its extension.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || len(name)-dot > maxExtension {
		dot = len(name)
	}
	extension := name[dot:]
	return cutRunes(name[:dot], maxName-len(extension)) + extension
}

// cutRunes returns at most n bytes of s, whole characters only.
func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
