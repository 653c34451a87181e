package uri

import "strings"

// userinfoSpan finds what may be user information: everything between the start
// of the authority and the last "@" before the path. Slashes of any kind and number
// may stand before it. Where what follows a colon is no port, the URL is broken, and
// a password may have ended the authority: then the last "@" of all counts.
func userinfoSpan(s string) (start, at int) {
	if i := schemeLen(s); i > 0 && i+1 < len(s) && isSlash(s[i+1]) {
		start = i + 1
	} else if i := strings.Index(s, "://"); i >= 0 {
		start = i + 1
	}
	for start < len(s) && isSlash(s[start]) {
		start++
	}
	end := start + authorityEnd(s[start:])
	if _, _, _, ok := splitHostPort(s[start:end]); !ok {
		end = len(s)
	}
	at = strings.LastIndexByte(s[start:end], '@')
	if at < 0 {
		return start, -1
	}
	return start, start + at
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }
