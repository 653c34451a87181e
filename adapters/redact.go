package adapters

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mountable/requests"
)

// redacted stands where a secret was.
const redacted = "REDACTED"

// secretNames are names of headers, parameters, form and JSON fields whose values are
// secrets. Hyphens and underscores are alike, and letter case does not matter.
var secretNames = []string{
	"authorization", "proxy-authorization", "www-authenticate", "authentication-info", "cookie", "set-cookie",
	"x-api-key", "api-key", "apikey", "x-auth-token", "x-csrf-token", "x-xsrf-token", "x-amz-security-token", "private-token",
	"access-token", "refresh-token", "id-token", "auth-token", "token", "password", "passwd", "pwd", "secret", "client-secret",
	"client-assertion", "assertion", "x-amz-signature", "x-amz-credential", "x-goog-signature",
}

// secretPairs are secrets in a query or a form, but common words in JSON.
var secretPairs = []string{"code", "key", "session", "sessionid", "sig", "signature"}

// secrets is a set of such names.
type secrets struct {
	keep  bool // redact nothing
	names []string
	json  *regexp.Regexp // "name": "value" for any of them
}

func newSecrets(more ...string) *secrets {
	s := &secrets{}
	var alternatives []string
	for _, name := range slices.Concat(secretNames, more) {
		name = foldName(name)
		s.names = append(s.names, name)
		alternatives = append(alternatives, strings.ReplaceAll(regexp.QuoteMeta(name), "-", "[-_]?"))
	}
	s.names = append(s.names, secretPairs...)
	s.json = regexp.MustCompile(`(?i)("(?:` + strings.Join(alternatives, "|") + `)"\s*:\s*)"(?:[^"\\]|\\.)*"`)
	return s
}

func foldName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }

func (s *secrets) has(name string) bool { return slices.Contains(s.names, foldName(name)) }

// defaultSecrets are what logs and messages leave out.
var defaultSecrets = newSecrets()

// redactURL leaves user info and the values of secret parameters out of a URL.
func redactURL(raw string) string { return defaultSecrets.url(raw) }

func (s *secrets) url(raw string) string {
	if s.keep {
		return raw
	}
	place, query, asked := strings.Cut(raw, "?")
	if scheme, rest, ok := strings.Cut(place, "://"); ok {
		authority, path, slash := strings.Cut(rest, "/")
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			authority = redacted + authority[at:]
		}
		place = scheme + "://" + authority
		if slash {
			place += "/" + path
		}
	}
	if !asked {
		return place
	}
	return place + "?" + s.pairs(query)
}

// pairs redacts text like a=1&b=2.
func (s *secrets) pairs(text string) string {
	parts := strings.Split(text, "&")
	for i, part := range parts {
		if name, value, ok := strings.Cut(part, "="); ok && value != "" && s.has(string(unescape(name))) {
			parts[i] = name + "=" + redacted
		}
	}
	return strings.Join(parts, "&")
}

// headers returns a copy without secret values. Cookies that are set keep their names
// and attributes.
func (s *secrets) headers(h requests.Headers) requests.Headers {
	h = h.Clone()
	for i, f := range h {
		switch {
		case !s.has(f[0]):
		case strings.EqualFold(f[0], "Set-Cookie"):
			cookie, attributes, more := strings.Cut(f[1], ";")
			name, _, _ := strings.Cut(cookie, "=")
			h[i][1] = name + "=" + redacted
			if more {
				h[i][1] += ";" + attributes
			}
		default:
			h[i][1] = redacted
		}
	}
	return h
}

// body redacts what is text of a form or JSON.
func (s *secrets) body(kind string, data []byte) []byte {
	kind = strings.ToLower(kind)
	switch {
	case s.keep:
	case strings.Contains(kind, "x-www-form-urlencoded"):
		return []byte(s.pairs(string(data)))
	case strings.Contains(kind, "json"):
		return s.json.ReplaceAll(data, []byte(`${1}"`+redacted+`"`))
	}
	return data
}
