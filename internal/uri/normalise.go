package uri

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/mountable/requests/internal/ascii"
)

// loose is what urllib3's parse_url makes of any text: each part may be absent.
// For http, https and no scheme the parts are normalised.
type loose struct {
	scheme   string // "" is absent
	auth     string // "" is absent
	host     string // "" is absent; as in a URL, an IPv6 zone behind a single "%"
	port     int    // -1 is absent
	path     string
	query    string
	fragment string

	hasPath, hasQuery, hasFragment bool
}

// parseLoose reads s as urllib3's parse_url does; text without a scheme starts
// with an authority.
func parseLoose(s string) (loose, error) {
	p := loose{port: -1}
	if s == "" {
		return p, nil
	}
	rest := s
	if !startsWithScheme(rest) {
		rest = "//" + rest
	}
	if i := schemeLen(rest); i > 0 {
		p.scheme, rest = ascii.Lower(rest[:i]), rest[i+1:]
	}
	if strings.HasPrefix(rest, "//") {
		end := strings.IndexAny(rest[2:], `\/?#`) + 2
		if end < 2 {
			end = len(rest)
		}
		if end < len(rest) && rest[end] == '\\' && p.normalises() {
			return loose{}, fail(AmbiguousHost, s, "backslash behind the host")
		}
		if bad := p.setAuthority(rest[2:end]); bad != nil {
			return loose{}, fail(bad.code, s, bad.detail)
		}
		rest = rest[end:]
	}
	p.setRest(rest)
	return p, nil
}

// startsWithScheme is true as well for text that starts with a slash. A dot is
// no part of this scheme, so "example.com:80" has none.
func startsWithScheme(s string) bool {
	if s[0] == '/' {
		return true
	}
	i := schemeLen(s)
	return i > 0 && strings.IndexByte(s[:i], '.') < 0
}

func (p *loose) normalises() bool { return p.scheme == "" || isWebScheme(p.scheme) }

func (p *loose) setAuthority(s string) *problem {
	user, hostport, _ := splitAuthority(s)
	host, port, code, ok := splitHostPort(hostport)
	if !ok {
		return &problem{code: code}
	}
	p.port = port
	if !p.normalises() {
		p.auth = user
		return p.setForeignHost(host)
	}
	p.auth = encodeInvalid(user, userChars)
	name, bad := normaliseHost(host)
	if bad != nil {
		return bad
	}
	p.host = bracket(name, "%")
	return nil
}

// setForeignHost checks the host of a scheme urllib3 does not normalise.
func (p *loose) setForeignHost(host string) *problem {
	if _, ok := parseIPv6(unbracket(host)); !ok {
		if strings.ContainsAny(host, "[]") || !allEscaped(host) {
			return &problem{code: InvalidHost}
		}
	}
	for i := range len(host) {
		if is(host[i], control) || host[i] == ' ' {
			return &problem{InvalidHost, "forbidden character"}
		}
	}
	p.host = host
	return nil
}

func (p *loose) setRest(s string) {
	s, p.fragment, p.hasFragment = cutByte(s, '#')
	s, p.query, p.hasQuery = cutByte(s, '?')
	p.path = s
	if p.normalises() {
		p.path = encodeInvalid(removeDotSegments(s), pathChars)
		p.query = encodeInvalid(p.query, queryChars)
		p.fragment = encodeInvalid(p.fragment, queryChars)
	}
	if p.path != "" && p.path[0] != '/' {
		p.path = "/" + p.path
	}
	p.hasPath = p.path != "" || p.hasQuery || p.hasFragment
}

func (p *loose) netloc() string {
	if p.port < 0 {
		return p.host
	}
	return p.host + ":" + strconv.Itoa(p.port)
}

// removeDotSegments resolves literal "." and ".." segments (RFC 3986 section
// 5.2.4, as urllib3 applies it).
func removeDotSegments(path string) string {
	if !strings.Contains(path, "/.") && !strings.HasPrefix(path, ".") {
		return path
	}
	out, segments := make([]byte, 0, len(path)), 0
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case ".":
		case "..":
			out = out[:max(bytes.LastIndexByte(out, '/'), 0)]
			segments = max(segments-1, 0)
		default:
			if segments++; segments > 1 {
				out = append(out, '/')
			}
			out = append(out, segment...)
		}
	}
	return rootedPath(path, out, segments)
}

// rootedPath gives back to a path without dot segments the slash at its start
// and, where the last segment was one of them, at its end.
func rootedPath(path string, out []byte, segments int) string {
	firstEmpty := segments == 1 && len(out) == 0 || segments > 1 && out[0] == '/'
	clean := string(out)
	if path[0] == '/' && !firstEmpty {
		if segments > 0 {
			clean = "/" + clean
		}
		segments++
	}
	if segments > 0 && (strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")) {
		clean += "/"
	}
	return clean
}

// foreignIDNA encodes the host of an http-like scheme (httpfoo://), which is
// mapped before it is checked.
func foreignIDNA(host string) (string, bool) {
	mapped, err := idna.Lookup.ToUnicode(host)
	if err != nil {
		return "", false
	}
	name, problem := normaliseHost(mapped)
	return name, problem == nil
}
