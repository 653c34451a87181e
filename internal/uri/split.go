package uri

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// split is URL text cut into the pieces of Python's urlsplit, every piece
// verbatim except the scheme, which is lower-case. It serves the functions that
// work on text; decisions about hosts are made from a [URL].
type split struct {
	scheme, netloc, path, query, fragment string
}

// splitText cuts s as urllib.parse.urlsplit does: leading blanks and controls
// are dropped, and tabs and line ends everywhere.
func splitText(s string) (split, error) {
	rest := strings.TrimLeft(s, leadingControls)
	if strings.ContainsAny(rest, "\t\r\n") {
		rest = dropLineEnds.Replace(rest)
	}
	var p split
	if i := schemeLen(rest); i > 0 {
		p.scheme, rest = ascii.Lower(rest[:i]), rest[i+1:]
	}
	if strings.HasPrefix(rest, "//") {
		end := authorityEnd(rest[2:]) + 2
		p.netloc, rest = rest[2:end], rest[end:]
		if !bracketsMatch(p.netloc) {
			return split{}, fail(InvalidHost, s, "brackets")
		}
	}
	rest, p.fragment, _ = strings.Cut(rest, "#")
	p.path, p.query, _ = strings.Cut(rest, "?")
	return p, nil
}

// leadingControls are U+0000..U+0020.
const leadingControls = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "

var dropLineEnds = strings.NewReplacer("\t", "", "\r", "", "\n", "")

// schemeLen returns the length of the scheme of s (RFC 3986 section 3.1), or 0.
func schemeLen(s string) int {
	for i := range len(s) {
		switch c := s[i]; {
		case is(c, alpha):
		case i > 0 && (is(c, digit) || c == '+' || c == '-' || c == '.'):
		case c == ':':
			return i
		default:
			return 0
		}
	}
	return 0
}

// authorityEnd returns where the authority at the start of s ends.
func authorityEnd(s string) int {
	for i := range len(s) {
		if s[i] == '/' || s[i] == '?' || s[i] == '#' {
			return i
		}
	}
	return len(s)
}

func bracketsMatch(netloc string) bool {
	_, after, open := strings.Cut(netloc, "[")
	if !open {
		return !strings.Contains(netloc, "]")
	}
	inside, _, closed := strings.Cut(after, "]")
	return closed && isIPv6(inside)
}

// String puts the pieces together as urllib.parse.urlunsplit does; empty queries
// and fragments disappear.
func (p split) String() string {
	out := p.path
	if p.netloc != "" || (p.scheme != "" && usesNetloc(p.scheme) && !strings.HasPrefix(out, "//")) {
		if out != "" && out[0] != '/' {
			out = "/" + out
		}
		out = "//" + p.netloc + out
	}
	if p.scheme != "" {
		out = p.scheme + ":" + out
	}
	if p.query != "" {
		out += "?" + p.query
	}
	if p.fragment != "" {
		out += "#" + p.fragment
	}
	return out
}

// cutParams separates the parameters (";…") of the last path segment, as
// urlparse does for the schemes that have them.
func (p split) cutParams() (path, params string) {
	if !usesParams(p.scheme) {
		return p.path, ""
	}
	last := strings.LastIndexByte(p.path, '/') + 1
	i := strings.IndexByte(p.path[last:], ';')
	if i < 0 {
		return p.path, ""
	}
	return p.path[:last+i], p.path[last+i+1:]
}

// withoutEmptyParams drops a ";" with nothing behind it, which urlparse and
// urlunparse lose between them.
func (p split) withoutEmptyParams() split {
	if path, params := p.cutParams(); params == "" {
		p.path = path
	}
	return p
}

// userinfo returns the part of the authority before its last "@".
func (p split) userinfo() (info, host string, ok bool) {
	i := strings.LastIndexByte(p.netloc, '@')
	if i < 0 {
		return "", p.netloc, false
	}
	return p.netloc[:i], p.netloc[i+1:], true
}

func usesNetloc(scheme string) bool {
	switch scheme {
	case "", "ftp", "http", "gopher", "nntp", "telnet", "imap", "wais", "file", "mms",
		"https", "shttp", "snews", "prospero", "rtsp", "rtsps", "rtspu", "rsync", "svn",
		"svn+ssh", "sftp", "nfs", "git", "git+ssh", "ws", "wss":
		return true
	}
	return false
}

func usesRelative(scheme string) bool {
	switch scheme {
	case "telnet", "snews", "rsync", "nfs", "git", "git+ssh":
		return false
	}
	return usesNetloc(scheme)
}

func usesParams(scheme string) bool {
	switch scheme {
	case "", "ftp", "hdl", "prospero", "http", "imap", "https", "shttp", "rtsp", "rtsps",
		"rtspu", "sip", "sips", "mms", "sftp", "tel":
		return true
	}
	return false
}
