package toolbelt

import (
	"net/url"
	"slices"
	"strings"
)

// mask stands for a secret.
const mask = "***"

// secretWords make a secret of what has one of them in its name; secretNames are
// secrets only by their whole name.
var (
	secretWords = []string{"token", "secret", "passw", "apikey", "api-key", "api_key", "accesskey", "access-key", "access_key",
		"subscription-key", "functions-key", "private-key", "private_key", "credential", "signature", "session", "jwt", "csrf", "xsrf"}
	secretNames = []string{"key", "pwd", "pass", "sig", "auth", "code", "sid", "assertion", "authentication-info",
		"proxy-authentication-info", "x-auth", "x-auth-key"}
)

// secretName reports whether what has this name is to be kept secret. It is rather
// too careful than not enough.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return slices.Contains(secretNames, name)
}

// maskField masks what is secret in a header field.
func maskField(name, value string) string {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		return maskCredentials(value)
	case "cookie":
		return maskCookies(value, len(value))
	case "set-cookie", "set-cookie2":
		return maskCookies(value, 1)
	case "location", "content-location", "referer", "refresh", "link":
		return maskURL(value)
	}
	if secretName(name) && value != "" {
		return mask
	}
	return value
}

// authSchemes may be shown; another first word may be the secret itself.
var authSchemes = map[string]bool{"basic": true, "bearer": true, "digest": true, "negotiate": true, "ntlm": true,
	"token": true, "aws4-hmac-sha256": true, "hawk": true, "oauth": true, "dpop": true, "gnap": true, "apikey": true}

func maskCredentials(value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	switch {
	case value == "":
		return ""
	case ok && rest != "" && authSchemes[strings.ToLower(scheme)]:
		return scheme + " " + mask
	}
	return mask
}

// maskCookies masks the values of the first n "name=value" of a list.
func maskCookies(value string, n int) string {
	pairs := strings.Split(value, ";")
	for i, pair := range pairs[:min(n, len(pairs))] {
		name, _, ok := strings.Cut(pair, "=")
		switch {
		case ok:
			pairs[i] = name + "=" + mask
		case strings.TrimSpace(pair) != "":
			pairs[i] = mask
		}
	}
	return strings.Join(pairs, ";")
}

// maskURL masks user information, and the values of secret names in query and
// fragment.
func maskURL(s string) string {
	s = maskUserinfo(s)
	i := strings.IndexAny(s, "?#")
	if i < 0 {
		return s
	}
	return s[:i+1] + maskPairs(s[i+1:])
}

// maskUserinfo masks all between "//" and the last "@" before the path, for every
// "//" of a text.
func maskUserinfo(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "//")
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i+2])
		s = s[i+2:]
		end := strings.IndexAny(s, "/?#")
		if end < 0 {
			end = len(s)
		}
		if at := strings.LastIndexByte(s[:end], '@'); at >= 0 {
			b.WriteString(mask)
			s = s[at:]
		}
	}
}

// maskPairs masks the values of secret names in "a=b&c=d".
func maskPairs(s string) string {
	var b strings.Builder
	for s != "" {
		end := strings.IndexAny(s, "&#")
		if end < 0 {
			end = len(s)
		}
		name, _, ok := strings.Cut(s[:end], "=")
		plain, err := url.QueryUnescape(name)
		if ok && (err != nil || secretName(plain)) {
			b.WriteString(name + "=" + mask)
		} else {
			b.WriteString(s[:end])
		}
		if end < len(s) {
			b.WriteByte(s[end])
			end++
		}
		s = s[end:]
	}
	return b.String()
}
