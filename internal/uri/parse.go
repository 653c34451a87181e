package uri

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// Parse reads an absolute URL, such as [Prepare] and [ResolveRedirect] return.
// It is strict: control characters anywhere, and in the authority of an http or
// https URL a backslash, a second "@", a bracket that is not part of an IPv6
// literal, or an escape that is not a plain character are refused. It allocates
// only if the host has to be normalised. Errors are of type [*Error].
//
// A URL of another scheme is only cut into its parts.
func Parse(s string) (URL, error) {
	scheme, rest := cutScheme(s)
	if scheme == "" {
		return URL{}, fail(MissingScheme, s, "")
	}
	u := URL{Scheme: scheme, Port: -1}
	if n := u.setPlainAuthority(rest); n > 0 {
		rest = rest[n:]
	} else if strings.HasPrefix(rest, "//") {
		end := authorityEnd(rest[2:]) + 2
		if bad := u.setAuthority(rest[2:end]); bad != nil {
			return URL{}, fail(bad.code, s, bad.detail)
		}
		rest = rest[end:]
	}
	if hasControl(rest) || hasControl(u.User) {
		return URL{}, fail(InvalidURL, s, "control character")
	}
	if u.Host == "" && u.isWeb() {
		return URL{}, fail(MissingHost, s, "")
	}
	rest, u.Fragment, u.HasFragment = cutByte(rest, '#')
	u.Path, u.Query, u.HasQuery = cutByte(rest, '?')
	return u, nil
}

// setPlainAuthority reads an authority that is a name in its normal form and
// perhaps a port, and returns where it ends; 0 says that it has to be looked at
// more closely.
func (u *URL) setPlainAuthority(s string) (end int) {
	if len(s) < 3 || s[:2] != "//" {
		return 0
	}
	end = 2
	for end < len(s) && is(s[end], hostChar) {
		if end++; s[end-1] == '-' && s[end-2] == '-' {
			return 0
		}
	}
	host, port := s[2:end], -1
	if end < len(s) && s[end] == ':' {
		start := end + 1
		end += 1 + countDigits(s[start:])
		var ok bool
		if port, ok = parsePort(s[start:end]); !ok {
			return 0
		}
	}
	if host == "" || len(host) > maxHost || end < len(s) && !is(s[end], slash|question) && s[end] != '#' {
		return 0
	}
	if host[0] == '.' {
		return 0
	}
	name, ok := canonicalIPv4(host)
	if !ok {
		return 0
	}
	u.Host, u.Port = name, port
	if u.Host == host && host[len(host)-1] != '.' && port > 0 && s[3+len(host)] != '0' {
		u.hostPort = s[2:end]
	}
	return end
}

func countDigits(s string) int {
	for i := range len(s) {
		if !is(s[i], digit) {
			return i
		}
	}
	return len(s)
}

func cutByte(s string, sep byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// cutScheme returns the scheme in lower case and what follows its colon.
func cutScheme(s string) (scheme, rest string) {
	switch {
	case strings.HasPrefix(s, "https:"):
		return "https", s[6:]
	case strings.HasPrefix(s, "http:"):
		return "http", s[5:]
	}
	i := schemeLen(s)
	if i == 0 {
		return "", s
	}
	return ascii.Lower(s[:i]), s[i+1:]
}

func (u *URL) setAuthority(s string) *problem {
	var hostport string
	u.User, hostport, u.HasUser = splitAuthority(s)
	host, port, code, ok := splitHostPort(hostport)
	if !ok && u.isWeb() {
		return &problem{code: code}
	}
	if !ok {
		host, port = hostport, -1
	}
	u.Host, u.Port = host, port
	if !u.isWeb() {
		if name, isV6 := parseIPv6(unbracket(host)); isV6 {
			u.Host = name
		}
		return nil
	}
	if u.HasUser && strings.ContainsAny(u.User, `@\[]`) {
		return &problem{AmbiguousHost, "delimiter in the user information"}
	}
	name, bad := normaliseHost(host)
	if bad != nil {
		return bad
	}
	u.Host, _ = canonicalIPv4(name)
	return nil
}

func unbracket(host string) string {
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return ""
}
