package secret

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// maxURL bounds a URL that is shown, in bytes: a server may have chosen it.
const maxURL = 2048

// URL masks user information and the values of secret parameters by [Default], and cuts
// what is longer than 2 KiB.
func URL(s string) string {
	s = Default().URL(s)
	if len(s) > maxURL {
		s = strings.ToValidUTF8(s[:maxURL], "") + "..."
	}
	return s
}

// URL masks user information, and the values of secret parameters in query and fragment.
// It works on any text, whether a URL or not, and masks too much rather than too little.
func (n *Names) URL(s string) string {
	if n.none {
		return s
	}
	s = maskUserinfo(s)
	i := strings.IndexAny(s, "?#")
	if i < 0 {
		return s
	}
	return s[:i+1] + n.Pairs(s[i+1:])
}

// maskUserinfo masks what stands between the beginning of an authority and its last "@".
// Slashes of any kind and number may stand before it.
func maskUserinfo(s string) string {
	start := strings.Index(s, "://") + 1
	if i := strings.IndexByte(s, ':'); start == 0 && i >= 0 && i+1 < len(s) && isSlash(s[i+1]) {
		start = i + 1
	}
	for start < len(s) && isSlash(s[start]) {
		start++
	}
	if at := userEnd(s[start:]); at >= 0 {
		return s[:start] + Mask + s[start+at:]
	}
	return s
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

// userEnd finds the "@" behind user information, -1 if there is none. Where what follows
// a colon is not a port, the URL is broken, and a password may have ended the authority:
// then the last "@" of all counts.
func userEnd(s string) int {
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		end = len(s)
	}
	host := s[strings.LastIndexByte(s[:end], '@')+1 : end]
	if !strings.HasPrefix(host, "[") {
		if _, port, ok := strings.Cut(host, ":"); ok && strings.Trim(port, "0123456789") != "" {
			end = len(s)
		}
	}
	return strings.LastIndexByte(s[:end], '@')
}

// Pairs masks the values of secret names in text such as a=1&b=2.
func (n *Names) Pairs(text string) string {
	if n.none {
		return text
	}
	var b strings.Builder
	for text != "" {
		end := strings.IndexAny(text, "&;?#")
		if end < 0 {
			end = len(text)
		}
		name, value, _ := strings.Cut(text[:end], "=")
		if plain, err := url.QueryUnescape(name); value != "" && (err != nil || n.Is(plain)) {
			b.WriteString(name + "=" + Mask)
		} else {
			b.WriteString(text[:end])
		}
		if end < len(text) {
			b.WriteByte(text[end])
			end++
		}
		text = text[end:]
	}
	return b.String()
}

// Field masks what is secret in the value of a header field: credentials but for their
// scheme, the values of cookies, secrets in URLs, and the whole value of a secret name.
func (n *Names) Field(name, value string) string {
	if n.none || value == "" {
		return value
	}
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		return credentials(value)
	case "cookie":
		return cookies(value, -1)
	case "set-cookie", "set-cookie2":
		return cookies(value, 1)
	case "location", "content-location", "referer", "refresh", "link", "origin":
		return n.URL(value)
	}
	if n.Is(name) {
		return Mask
	}
	return value
}

// schemes may be shown; another first word may be the secret itself.
var schemes = set("basic", "bearer", "digest", "negotiate", "ntlm", "token", "aws4-hmac-sha256", "hawk", "oauth", "dpop", "gnap", "apikey")

func credentials(value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	if ok && rest != "" && schemes[strings.ToLower(scheme)] {
		return scheme + " " + Mask
	}
	return Mask
}

// cookies masks the values of the first n "name=value" of a list, of all if n is negative.
func cookies(value string, n int) string {
	pairs := strings.Split(value, ";")
	if n < 0 {
		n = len(pairs)
	}
	for i, pair := range pairs[:min(n, len(pairs))] {
		name, _, ok := strings.Cut(pair, "=")
		switch {
		case ok:
			pairs[i] = name + "=" + Mask
		case strings.TrimSpace(pair) != "":
			pairs[i] = Mask
		}
	}
	return strings.Join(pairs, ";")
}

// Fields returns a copy of header fields with their secrets masked.
func (n *Names) Fields(fields [][2]string) [][2]string {
	masked := make([][2]string, len(fields))
	for i, f := range fields {
		masked[i] = [2]string{f[0], n.Field(f[0], f[1])}
	}
	return masked
}

// Body masks the values of secret names in the text of a form, of a multipart form and of
// JSON, by its Content-Type. Other content is returned as it is.
func (n *Names) Body(contentType string, data []byte) []byte {
	kind := strings.ToLower(contentType)
	switch {
	case n.none:
	case strings.Contains(kind, "x-www-form-urlencoded"):
		return []byte(n.Pairs(string(data)))
	case strings.Contains(kind, "multipart/"):
		return n.parts(data)
	case strings.Contains(kind, "json"):
		return n.JSON(data)
	}
	return data
}

// part is a form field of a multipart body, from its name to its end.
var part = regexp.MustCompile(`(?is)(; name="((?:[^"\\]|\\.)*)".*?\r?\n\r?\n)(.*?)(\r?\n--)`)

func (n *Names) parts(data []byte) []byte {
	return replace(part, data, func(m [][]byte) []byte {
		if !n.Is(string(m[2])) {
			return m[0]
		}
		return join(m[1], []byte(Mask), m[4])
	})
}

// member is a member of a JSON object whose value is a string, a number or a literal.
var member = regexp.MustCompile(`("(?:[^"\\]|\\.)*")(\s*:\s*)("(?:[^"\\]|\\.)*"?|-?[0-9][0-9.eE+-]*|true|false)`)

// commonWords are secret in a query, and common names of anything else in JSON.
var commonWords = set("code", "key", "sign", "session", "ticket", "mac", "auth")

// JSON masks the values of secret names in JSON text, which may be cut off.
func (n *Names) JSON(data []byte) []byte {
	if n.none {
		return data
	}
	return replace(member, data, func(m [][]byte) []byte {
		var name string
		if json.Unmarshal(m[1], &name) != nil || commonWords[strings.ToLower(name)] || !n.Is(name) {
			return m[0]
		}
		return join(m[1], m[2], []byte(`"`+Mask+`"`))
	})
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// replace replaces what a pattern matches by what f makes of its groups.
func replace(pattern *regexp.Regexp, data []byte, f func(groups [][]byte) []byte) []byte {
	return pattern.ReplaceAllFunc(data, func(match []byte) []byte { return f(pattern.FindSubmatch(match)) })
}
