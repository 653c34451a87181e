package uri

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// Follow returns the URL that a reference in the resource at base leads to; ok is false if it
// leads nowhere.
func Follow(base, reference string) (url string, ok bool) {
	base, _, _ = strings.Cut(base, "#")
	url, err := ResolveRedirect(base, reference, "")
	return url, err == nil && url != ""
}

// SameResource reports whether a reference in the resource at base is one to that resource.
func SameResource(base, reference string) bool {
	to, ok := Follow(base, reference)
	to, _, _ = strings.Cut(to, "#")
	base, _, _ = strings.Cut(base, "#")
	return ok && to == base
}

// ResolveRedirect returns the URL a Location field leads to. location is the
// field's value as bytes, each of which is percent-encoded if it is not ASCII; respURL is
// the URL of the response. "//host" takes the scheme of the response and a reference
// without a host is joined to respURL. The result is requoted, no more: its dot segments
// and the case of its host stay. lastFragment, the fragment of the URL before, is taken
// over if location has none of its own.
//
// Beyond Requests, the host is read as in [Prepare]: what is refused there is refused
// here, and a non-ASCII one is encoded by strict IDNA 2008. A backslash in the authority is
// refused.
func ResolveRedirect(respURL, location, lastFragment string) (string, error) {
	if strings.HasPrefix(location, "//") {
		base, err := splitText(respURL)
		if err != nil {
			return "", err
		}
		location = base.scheme + ":" + location
	}
	p, err := splitText(location)
	if err != nil {
		return "", err
	}
	if p.fragment == "" {
		p.fragment = lastFragment
	}
	p = p.withoutEmptyParams()
	if p.netloc == "" {
		return Join(respURL, Requote(p.String())), nil
	}
	if err := p.encodeHost(location); err != nil {
		return "", err
	}
	return Requote(p.String()), nil
}

// encodeHost makes the authority one that has a single reading.
func (p *split) encodeHost(location string) error {
	if strings.Contains(p.netloc, `\`) {
		return fail(AmbiguousHost, location, "backslash in the authority")
	}
	user, hostport, hasUser := splitAuthority(p.netloc)
	host, _, _ := cutByte(hostport, ':')
	if !isWebScheme(p.scheme) || strings.HasPrefix(host, "[") || host == "" {
		return nil
	}
	name, bad := normaliseHost(host)
	if bad != nil {
		return fail(bad.code, location, bad.detail)
	}
	if ascii.Only(host) {
		return nil
	}
	p.netloc = name + hostport[len(host):]
	if hasUser {
		p.netloc = user + "@" + p.netloc
	}
	return nil
}

// ShouldStripAuth reports whether an Authorization field meant for old must not
// travel to new (Session.should_strip_auth): the host, scheme or port changes,
// except from http to https on the default ports of both, and except between a
// default port and none in the same scheme.
func ShouldStripAuth(old, new string) (bool, error) {
	a, err := parseOrigin(old)
	if err != nil {
		return false, err
	}
	b, err := parseOrigin(new)
	if err != nil {
		return false, err
	}
	return StripsAuth(&a, &b), nil
}

// StripsAuth is [ShouldStripAuth] for parsed URLs.
func StripsAuth(a, b *URL) bool {
	if a.Host != b.Host {
		return true
	}
	if a.Scheme == "http" && b.Scheme == "https" && isDefaultPort(a) && isDefaultPort(b) {
		return false
	}
	if a.Scheme != b.Scheme {
		return true
	}
	return a.Port != b.Port && !(isDefaultPort(a) && isDefaultPort(b))
}

func isDefaultPort(u *URL) bool { return u.Port < 0 || u.Port == defaultPort(u.Scheme) }

// parseOrigin is [Parse], but takes text without scheme or host for a URL of
// another origin instead of refusing it.
func parseOrigin(s string) (URL, error) {
	u, err := Parse(s)
	if e, ok := err.(*Error); ok && (e.Code == MissingScheme || e.Code == MissingHost) {
		return URL{Port: -1}, nil
	}
	return u, err
}
