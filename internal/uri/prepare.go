package uri

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/secret"
)

// Prepare makes the URL of a request from what a caller wrote, with params
// appended to its query in form encoding (PreparedRequest.prepare_url).
//
// Leading white space is cut. Text with a colon that does not start with "http"
// is another scheme's and returned as it is, without params. Of an http or https
// URL scheme and host become lower-case, a non-ASCII host is encoded by strict
// IDNA 2008, dot segments are resolved, an empty path becomes "/", empty queries
// and fragments disappear and everything is percent-encoded evenly. Schemes that
// merely start with http keep their host and dot segments.
//
// Beyond Requests' own refusals, a host with an escape other than of a plain
// character, a backslash behind the host and an encoded label that stands for a
// plain name are refused.
func Prepare(raw string, params [][2]string) (string, error) {
	return PrepareText(raw, EncodePairs(params))
}

// PrepareText is [Prepare] with the parameters given as text, which is appended
// as it is and then encoded like the rest of the query.
func PrepareText(raw, query string) (string, error) {
	if query == "" && isPrepared(raw) {
		return raw, nil
	}
	if query == "" && strings.Count(raw, "/") == 2 { // an origin, perhaps
		if s := raw + "/"; isPrepared(s) {
			return s, nil
		}
	}
	if !utf8.ValidString(raw) {
		return "", fail(InvalidText, raw, "")
	}
	s := trimLeadingSpace(raw)
	if strings.IndexByte(s, ':') >= 0 && !ascii.HasPrefixFold(s, "http") {
		return s, nil
	}
	p, err := parseLoose(s)
	var refused *Error
	if errors.As(err, &refused) && (refused.Code == AmbiguousHost || refused.Detail == invalidLabel) && !startsWithScheme(s) {
		return "", missingScheme(s)
	}
	if err != nil {
		return "", err
	}
	if err := p.checkPrepared(s); err != nil {
		return "", err
	}
	if p.query != "" && query != "" {
		p.query += "&"
	}
	p.query += query
	return p.prepared(), nil
}

// checkPrepared applies the rules prepare_url has for scheme and host.
func (p *loose) checkPrepared(s string) error {
	if p.scheme == "" {
		return missingScheme(s)
	}
	if p.host == "" {
		return fail(MissingHost, s, "")
	}
	if !ascii.Only(p.host) {
		name, ok := foreignIDNA(p.host)
		if !ok {
			return fail(InvalidHost, s, "label is not valid in IDNA 2008")
		}
		p.host = name
	}
	return nil
}

func missingScheme(s string) error { return fail(MissingScheme, s, schemeHint(s)) }

// schemeHint says what could have been meant by a URL without a scheme.
func schemeHint(s string) string {
	host := s[:authorityEnd(s)]
	name, _, _ := strings.Cut(host, ":")
	switch {
	case s == "":
		return "the URL is empty"
	case strings.HasPrefix(s, "//"):
		return "perhaps you meant " + strconv.Quote("https:"+secret.URL(s))
	case name == "localhost" || name != "" && is(name[0], alpha|digit) && strings.IndexByte(name, '.') > 0:
		return "perhaps you meant " + strconv.Quote("https://"+secret.URL(s))
	case s[0] == '/' || s[0] == '?' || s[0] == '#':
		return "it is relative, and there is no base to resolve it against"
	}
	return ""
}

// prepared writes the URL. The zone of an IPv6 host is encoded apart from the
// rest, so that it does not make the escapes of the path look broken.
func (p *loose) prepared() string {
	var b strings.Builder
	b.WriteString("//")
	if p.auth != "" {
		b.WriteString(p.auth + "@")
	}
	host, zone, hasZone := strings.Cut(p.host, "%")
	if hasZone = hasZone && p.host[0] == '['; !hasZone {
		host = p.host
	}
	b.WriteString(host)
	head := b.Len()
	if p.port > 0 {
		b.WriteString(":" + strconv.Itoa(p.port))
	}
	if b.WriteString(p.path); p.path == "" {
		b.WriteByte('/')
	}
	if p.query != "" {
		b.WriteString("?" + p.query)
	}
	if p.fragment != "" {
		b.WriteString("#" + p.fragment)
	}
	if s := b.String(); hasZone {
		return p.scheme + ":" + Requote(s[:head]) + "%25" + zone + Requote(s[head:])
	}
	return p.scheme + ":" + Requote(b.String())
}

// trimLeadingSpace is Python's str.lstrip: it knows four separators more than
// unicode.IsSpace.
func trimLeadingSpace(s string) string {
	return strings.TrimLeftFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
	})
}

// isPrepared reports whether [Prepare] would return s unchanged; it says no
// where it would have to look closer.
func isPrepared(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return false
		}
	}
	end := strings.IndexByte(rest, '/')
	if end <= 0 || !isPlainHost(rest[:end]) {
		return false
	}
	queries := 0
	for i := end; i < len(rest); i++ {
		c := rest[i]
		switch {
		case is(c, userChars|at):
			if c == '.' && rest[i-1] == '/' && queries == 0 {
				return false
			}
		case c == '?':
			queries++
		case c != '/':
			return false
		}
	}
	return rest[len(rest)-1] != '?'
}

// isPlainHost reports whether s is a lower-case name with, at most, a port that
// is written plainly.
func isPlainHost(s string) bool {
	name, port, hasPort := strings.Cut(s, ":")
	for i := range len(name) {
		if !is(name[i], unreserved) || ascii.IsUpper(name[i]) {
			return false
		}
	}
	if name == "" || len(name) > maxHost || name[0] == '.' || strings.Contains(name, "xn--") {
		return false
	}
	if _, ok := canonicalIPv4(name); !ok {
		return false
	}
	n, ok := parsePort(port)
	return ok && (!hasPort || n > 0 && port[0] != '0')
}
