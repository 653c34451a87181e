package template

import "strings"

// staysWithHost reports whether text, the value of an expression, leaves the host of the URL what
// the template says it is. before is the URL up to the expression, after is what follows it.
//
//	the expression stands        its value may be
//	beside the authority         anything
//	in the midst of it           what neither ends the authority nor is user info
//	at its end, as a whole host  a host, or one with a path
//	at its end, behind a host    what ends it, as a path does, or a word that is a part of its last label
func staysWithHost(before, text, after string, reserved bool) bool {
	host, ok := authorityIn(before)
	if !ok {
		return true
	}
	added, ended := text, false
	if i := strings.IndexAny(text, "/?#"); i >= 0 {
		added, ended = text[:i], true
	}
	last := after == "" || strings.ContainsAny(after[:1], "/?#{")
	switch {
	case strings.ContainsAny(added, "@\\"), ended && !last:
		return false
	case !last || added == "" || host == "" || strings.HasSuffix(host, "@"):
		return true
	case strings.HasSuffix(host, ":"), strings.HasSuffix(host, "."):
		return !strings.Contains(added, ":")
	}
	return !reserved && !strings.ContainsAny(added, ".:")
}

// authorityIn returns the authority that url is in the midst of.
func authorityIn(url string) (authority string, ok bool) {
	scheme, rest, ok := strings.Cut(url, "://")
	return rest, ok && !strings.ContainsAny(scheme, "/?#") && !strings.ContainsAny(rest, "/?#")
}
