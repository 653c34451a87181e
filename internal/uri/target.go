package uri

import "strings"

// PathURL returns the path and query of a prepared URL, "/" for an empty path
// (PreparedRequest.path_url).
func PathURL(s string) string {
	p, err := splitText(s)
	if err != nil {
		return "/"
	}
	if p.path == "" {
		p.path = "/"
	}
	if p.query == "" {
		return p.path
	}
	return p.path + "?" + p.query
}

// RequestTarget returns what stands in the request line of a request to the
// origin (RFC 9112 section 3.2.1): path and query, with every character encoded
// that may not stand there. For a URL that [Prepare] made it is a part of s.
func RequestTarget(s string) string {
	rest, _, _ := cutByte(s, '#')
	if i := strings.Index(rest, "://"); i >= 0 {
		rest = rest[i+3:]
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 && i == authorityEnd(rest) && countOthers(rest[i:], queryChars) == 0 {
		return strings.TrimSuffix(rest[i:], "?")
	}
	target := PathURL(s)
	if encoded, ok := EncodeTarget(target); ok {
		return encoded
	}
	return encodeInvalid(target, queryChars)
}

// ExactTarget returns path and query of a URL as they are written, without the fragment. An
// empty path is "/", which no request line can do without. ok is false for what a request line
// cannot hold, and for a URL without an authority.
func ExactTarget(s string) (target string, ok bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	rest, _, _ = strings.Cut(rest, "#")
	end := authorityEnd(rest)
	ok = ok && end > 0 && !strings.ContainsAny(scheme, ":/?#") // where the :// may belong to a relative reference
	target = rest[end:]
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return target, ok && !strings.ContainsFunc(target, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// EncodeTarget percent-encodes path and query of a request target and cuts its
// fragment off (urllib3's _encode_target). ok is false if s does not start with
// a slash.
func EncodeTarget(s string) (target string, ok bool) {
	if !strings.HasPrefix(s, "/") {
		return "", false
	}
	s, _, _ = cutByte(s, '#')
	path, query, hasQuery := cutByte(s, '?')
	path = encodeInvalid(path, pathChars)
	if !hasQuery {
		return path, true
	}
	return path + "?" + encodeInvalid(query, queryChars), true
}

// AbsoluteTarget returns the request line's target for a plain proxy (RFC 9112
// section 3.2.2): the normalised URL without user information and fragment.
func AbsoluteTarget(s string) (string, error) {
	p, err := parseLoose(DefragAuth(s))
	if err != nil {
		return "", err
	}
	if p.scheme == "" || p.host == "" {
		return "", fail(MissingHost, s, "")
	}
	u, err := Parse(p.scheme + "://" + p.netloc())
	if err != nil {
		return "", fail(InvalidHost, s, "")
	}
	target := p.scheme + "://" + u.Netloc() + p.path
	if p.hasQuery {
		target += "?" + p.query
	}
	return target, nil
}

// PrependScheme gives a proxy URL the scheme it lacks and normalises it
// (requests.utils.prepend_scheme_if_needed). A name with a port but without a
// dot has its name taken for a scheme: "proxy:3128" becomes "proxy:///3128".
func PrependScheme(url, scheme string) (string, error) {
	p, err := parseLoose(url)
	if err != nil {
		return "", err
	}
	out := split{scheme: p.scheme, netloc: p.netloc(), path: p.path, query: p.query, fragment: p.fragment}
	if out.netloc == "" {
		out.netloc, out.path = out.path, ""
	}
	if p.auth != "" {
		out.netloc = p.auth + "@" + out.netloc
	}
	if out.scheme == "" {
		out.scheme = scheme
	}
	return out.String(), nil
}

// WithoutParams cuts the parameters of the last path segment off a target, which
// Python's urlparse splits off and Requests forgets.
func WithoutParams(target string) string {
	path, query, hasQuery := strings.Cut(target, "?")
	last := strings.LastIndexByte(path, '/') + 1
	if i := strings.IndexByte(path[last:], ';'); i >= 0 {
		path = path[:last+i]
	}
	if hasQuery {
		return path + "?" + query
	}
	return path
}
