package uri

import (
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/secret"
)

// SplitAuth returns the user and password in the authority of a URL, decoded
// (requests.utils.get_auth_from_url). Both must be present, though each may be
// empty: "http://user@host" has none.
func SplitAuth(s string) (user, password string, ok bool) {
	p, err := splitText(s)
	if err != nil {
		return "", "", false
	}
	info, _, ok := p.userinfo()
	if !ok {
		return "", "", false
	}
	return decodeUserinfo(info)
}

func decodeUserinfo(info string) (user, password string, ok bool) {
	user, password, ok = strings.Cut(info, ":")
	if !ok {
		return "", "", false
	}
	return unquote(user), unquote(password), true
}

// DefragAuth removes the fragment and the user information
// (requests.utils.urldefragauth): the URL of a request line to a proxy.
func DefragAuth(s string) string {
	p, err := splitText(s)
	if err != nil {
		return StripUserinfo(s)
	}
	p = p.withoutEmptyParams()
	if p.netloc == "" {
		path, params := p.cutParams()
		p.netloc, p.path = path, ""
		if params != "" {
			p.path = ";" + params
		}
	}
	_, p.netloc, _ = p.userinfo()
	p.fragment = ""
	return p.String()
}

// StripUserinfo removes the user information of any URL or URL-like text, such
// as a proxy given without a scheme.
func StripUserinfo(s string) string {
	start, at := secret.Userinfo(s)
	if at < 0 {
		return s
	}
	return s[:start] + s[at+1:]
}

func quoteForError(s string) string { return strconv.Quote(s) }

// Username returns the user named in u, with a password or without.
func (u *URL) Username() string {
	if user, _, ok := u.Userinfo(); ok {
		return user
	}
	with := *u
	with.User += ":"
	user, _, _ := with.Userinfo()
	return user
}

// LeavesBase reports whether what is meant for base must not go to url.
func LeavesBase(base, url string) bool {
	from, errBase := Prepare(base, nil)
	to, errURL := Prepare(url, nil)
	if errBase != nil || errURL != nil {
		return true
	}
	leaves, err := ShouldStripAuth(from, to)
	return leaves || err != nil
}
